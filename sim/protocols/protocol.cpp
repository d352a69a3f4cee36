#include "sim/protocols/protocol.hpp"

#include "models/error.hpp"

namespace isthmus {

ProtocolKind data_parallel_kind();
ProtocolKind local_sgd_kind();
ProtocolKind ist_kind();
ProtocolKind resist_kind();

const std::vector<ProtocolKind>& protocol_kinds() {
  static const std::vector<ProtocolKind> kinds = {
      data_parallel_kind(),
      local_sgd_kind(),
      ist_kind(),
      resist_kind(),
  };
  return kinds;
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
