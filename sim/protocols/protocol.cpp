#include "sim/protocols/protocol.hpp"

#include "models/error.hpp"
#include "models/registry.hpp"

namespace isthmus {

ProtocolKind data_parallel_kind();
ProtocolKind local_sgd_kind();
ProtocolKind post_local_sgd_kind();
ProtocolKind hierarchical_local_sgd_kind();
ProtocolKind diloco_kind();
ProtocolKind streaming_diloco_kind();
ProtocolKind noloco_kind();
ProtocolKind sparta_kind();
ProtocolKind d_psgd_kind();
ProtocolKind sgp_kind();
ProtocolKind choco_kind();
ProtocolKind ist_kind();
ProtocolKind resist_kind();
ProtocolKind subnet_data_parallel_kind();
ProtocolKind hist_kind();
ProtocolKind async_sgd_kind();
ProtocolKind fedbuff_kind();
ProtocolKind quorum_kind();
ProtocolKind async_local_sgd_kind();
ProtocolKind easgd_kind();
ProtocolKind fedavg_kind();
ProtocolKind scaffold_kind();
ProtocolKind async_ist_kind();
ProtocolKind federated_dropout_kind();
ProtocolKind heterofl_kind();
ProtocolKind fedrolex_kind();
ProtocolKind fjord_kind();

namespace {

ProtocolKind with_common_options(ProtocolKind protocol) {
  protocol.kind.options["wire_format"] = {{"description",
                                           "How values travel: fp32, or rounded to 16 bits, which halves the "
                                           "bytes. They are kept and added in fp32."},
                                          {"enum", number_format_names()},
                                          {"default", "fp32"}};
  return protocol;
}

Registry<ProtocolKind>& protocols_known() {
  static Registry<ProtocolKind> protocols({
      with_common_options(data_parallel_kind()),
      with_common_options(local_sgd_kind()),
      with_common_options(post_local_sgd_kind()),
      with_common_options(hierarchical_local_sgd_kind()),
      with_common_options(diloco_kind()),
      with_common_options(streaming_diloco_kind()),
      with_common_options(noloco_kind()),
      with_common_options(sparta_kind()),
      with_common_options(d_psgd_kind()),
      with_common_options(sgp_kind()),
      with_common_options(choco_kind()),
      with_common_options(ist_kind()),
      with_common_options(resist_kind()),
      with_common_options(subnet_data_parallel_kind()),
      with_common_options(hist_kind()),
      with_common_options(async_sgd_kind()),
      with_common_options(fedbuff_kind()),
      with_common_options(quorum_kind()),
      with_common_options(async_local_sgd_kind()),
      with_common_options(easgd_kind()),
      with_common_options(fedavg_kind()),
      with_common_options(scaffold_kind()),
      with_common_options(async_ist_kind()),
      with_common_options(federated_dropout_kind()),
      with_common_options(heterofl_kind()),
      with_common_options(fedrolex_kind()),
      with_common_options(fjord_kind()),
  });
  return protocols;
}

}  // namespace

const std::vector<ProtocolKind>& protocol_kinds() { return protocols_known().entries(); }

void register_protocol(ProtocolKind protocol) {
  protocols_known().add(with_common_options(std::move(protocol)));
}

const NumberFormat& wire_format_of(const nlohmann::json& options) {
  return number_format_named(options.value("wire_format", "fp32"));
}

BatchResult Protocol::test(const Job& job, const Round&, std::vector<float> parameters) const {
  return job.test(job.model(), std::move(parameters));
}

PlatformOptions platform_of(const Scenario& scenario, const Protocol& protocol) {
  PlatformOptions platform = scenario.platform;
  platform.servers = protocol.servers();
  if (!platform.faults.empty()) platform.fault_seed = scenario.training.seed;
  return platform;
}

nlohmann::json local_steps_schema() {
  return {{"description", "Local steps of SGD between two synchronisations (the period)."},
          {"type", "integer"},
          {"minimum", 1}};
}

const ProtocolKind& protocol_kind(const nlohmann::json& options) {
  const auto name = options.at("kind").get<std::string>();
  if (const ProtocolKind* found = protocols_known().find(name)) return *found;
  throw InputError("/protocol/kind", "unknown protocol \"" + name + "\"");
}

std::unique_ptr<Protocol> make_protocol(const nlohmann::json& options) {
  return protocol_kind(options).make(options);
}

}  // namespace isthmus
