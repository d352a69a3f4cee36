#include "sim/study/trajectory_key.hpp"

#include "models/codec/codec.hpp"
#include "models/optimizer/optimizer.hpp"
#include "models/threads.hpp"
#include "sim/averaging/averaging.hpp"
#include "sim/study/content_hash.hpp"
#include "sim/study/provenance.hpp"

namespace isthmus {
namespace {

/// With what "auto" became, as sums depend on their order; without what does not change them.
nlohmann::json numeric_options(const nlohmann::json& protocol) {
  nlohmann::json options = protocol;
  for (const auto& [name, schema] : protocol_kind(protocol).kind.options.items()) {
    if (schema.value("timeOnly", false)) options.erase(name);
  }
  return options;
}

/// Versions of what does not come from this project's sources, by name.
nlohmann::json outside_versions(const PlannedRun& run) {
  nlohmann::json versions = nlohmann::json::object();
  const auto add = [&](const auto& kinds, const nlohmann::json& name) {
    for (const auto& entry : kinds) {
      if (name == entry.kind.name && !entry.kind.version.empty())
        versions[entry.kind.name] = entry.kind.version;
    }
  };
  const nlohmann::json& protocol = run.point.scenario.protocol;
  add(protocol_kinds(), protocol.at("kind"));
  add(model_kinds(), run.point.configuration.at("model").at("kind"));
  add(data_set_kinds(), run.point.configuration.at("data").at("set"));
  add(optimizer_kinds(),
      run.point.configuration.at("training").value("optimizer", nlohmann::json::object()).value("kind", ""));
  const nlohmann::json compression =
      protocol.value("compression", nlohmann::json::object()).value("kind", "");
  add(codec_kinds(), compression);
  add(averaging_kinds(), compression);
  for (const CollectiveAlgorithm& algorithm : collective_algorithms()) {
    if (algorithm.name == protocol.value("aggregate", "") && !algorithm.version.empty())
      versions[algorithm.name] = algorithm.version;
  }
  return versions;
}

}  // namespace

const nlohmann::json& arithmetic_of_this_build() {
  static const nlohmann::json known = [] {
    const nlohmann::ordered_json build = build_provenance();
    nlohmann::json arithmetic;
    for (const char* part :
         {"numerics_version", "compiler", "build_type", "onednn", "instruction_set", "eigen", "boost"}) {
      arithmetic[part] = build.at(part);
    }
    return arithmetic;
  }();
  return known;
}

TrajectoryKey trajectory_key(const PlannedRun& run) {
  nlohmann::json data = run.point.configuration.at("data");
  data.erase("in_memory");  // a matter of the simulated devices' memory
  data.erase("path");       // where the files are does not matter, what is in them does
  for (const std::filesystem::path& file : run.job->data_files()) {
    data["files"][file.filename().string()] = file_hash(file);
  }
  nlohmann::json training = run.point.configuration.at("training");
  training.erase("charge_evaluation");
  training.erase("target_accuracy");
  TrajectoryKey key;
  key.basis = {{"data", data},
               {"model", run.point.configuration.at("model")},
               {"training", training},
               {"protocol", numeric_options(run.point.scenario.protocol)},
               {"workers", run.point.scenario.platform.workers},
               {"arithmetic", arithmetic_of_this_build()}};
  if (const nlohmann::json versions = outside_versions(run); !versions.empty())
    key.basis["versions"] = versions;
  key.name = content_hash(key.basis.dump());
  return key;
}

}  // namespace isthmus
