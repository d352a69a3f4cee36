#include "models/codec/codec.hpp"

#include "models/registry.hpp"

namespace isthmus {

CodecKind top_k_codec();
CodecKind random_k_codec();
CodecKind qsgd_codec();
CodecKind sign_codec();
CodecKind ternary_codec();
CodecKind int8_codec();
CodecKind e3m0_codec();
CodecKind fp8_codec();
CodecKind lookup_codec();

namespace {

Registry<CodecKind>& codecs_known() {
  static Registry<CodecKind> codecs({
      top_k_codec(),
      random_k_codec(),
      qsgd_codec(),
      sign_codec(),
      ternary_codec(),
      int8_codec(),
      e3m0_codec(),
      fp8_codec(),
      lookup_codec(),
  });
  return codecs;
}

}  // namespace

Kernel Codec::passes(int reads, std::size_t count) const {
  const double values = sizeof(float) * static_cast<double>(count);
  return plain_kernel(KernelKind::copy, 0, 0, reads * values + static_cast<double>(bytes(count)));
}

const std::vector<CodecKind>& codec_kinds() { return codecs_known().entries(); }

void register_codec(CodecKind codec) { codecs_known().add(std::move(codec)); }

std::unique_ptr<Codec> make_codec(const nlohmann::json& options) {
  const CodecKind* found = codecs_known().find(options.at("kind").get<std::string>());
  return found ? found->make(with_defaults(options, found->kind)) : nullptr;
}

}  // namespace isthmus
