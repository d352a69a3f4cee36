#include "sim/protocols/protocol.hpp"

#include "models/error.hpp"

namespace isthmus {

ProtocolKind data_parallel_kind();
ProtocolKind local_sgd_kind();
ProtocolKind post_local_sgd_kind();
ProtocolKind ist_kind();
ProtocolKind resist_kind();

namespace {

std::vector<ProtocolKind> with_common_options(std::vector<ProtocolKind> kinds) {
  for (ProtocolKind& entry : kinds) {
    entry.kind.options["wire_format"] = {{"description",
                                          "How values travel: fp32, or rounded to 16 bits, which halves the "
                                          "bytes. They are kept and added in fp32."},
                                         {"enum", {"fp32", "fp16", "bf16"}},
                                         {"default", "fp32"}};
  }
  return kinds;
}

}  // namespace

const std::vector<ProtocolKind>& protocol_kinds() {
  static const std::vector<ProtocolKind> kinds = with_common_options({
      data_parallel_kind(),
      local_sgd_kind(),
      post_local_sgd_kind(),
      ist_kind(),
      resist_kind(),
  });
  return kinds;
}

WireFormat wire_format_of(const nlohmann::json& options) {
  return wire_format_named(options.value("wire_format", "fp32"));
}

nlohmann::json local_steps_schema() {
  return {{"description", "Local steps of SGD between two synchronisations (the period)."},
          {"type", "integer"},
          {"minimum", 1}};
}

std::unique_ptr<Protocol> make_protocol(const nlohmann::json& options) {
  const auto name = options.at("kind").get<std::string>();
  for (const ProtocolKind& entry : protocol_kinds()) {
    if (entry.kind.name == name) return entry.make(options);
  }
  throw InputError("/protocol/kind", "unknown protocol \"" + name + "\"");
}

}  // namespace isthmus
