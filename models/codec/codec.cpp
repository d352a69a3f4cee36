#include "models/codec/codec.hpp"

#include <stdexcept>

#include "models/registry.hpp"

namespace isthmus {

CodecKind fp32_codec();
CodecKind fp16_codec();
CodecKind bf16_codec();

void Codec::round(Values values) const {
  if (values.is_phantom() || is_plain()) return;
  std::vector<std::byte> payload(bytes(values.size()));
  encode(values, payload);
  decode(payload, values);
}

namespace {

Registry<CodecKind>& codecs_known() {
  static Registry<CodecKind> codecs({
      fp32_codec(),
      fp16_codec(),
      bf16_codec(),
  });
  return codecs;
}

}  // namespace

const std::vector<CodecKind>& codec_kinds() { return codecs_known().entries(); }

void register_codec(CodecKind codec) { codecs_known().add(std::move(codec)); }

std::vector<std::string> additive_codecs() {
  std::vector<std::string> names;
  for (const CodecKind& entry : codec_kinds()) {
    if (entry.codec->is_additive()) names.push_back(entry.kind.name);
  }
  return names;
}

const Codec& codec_named(const std::string& name) {
  if (const CodecKind* found = codecs_known().find(name)) return *found->codec;
  throw std::invalid_argument("no codec named " + name);
}

}  // namespace isthmus
