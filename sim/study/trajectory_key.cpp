#include "sim/study/trajectory_key.hpp"

#include <array>

#include "models/threads.hpp"
#include "sim/study/content_hash.hpp"
#include "sim/study/provenance.hpp"

namespace isthmus {
namespace {

/// Options of protocols that decide when values travel, but not which, nor in which order they are added.
constexpr std::array options_of_time_only = {"chunk", "chunks_in_flight", "overlap"};

}  // namespace

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
  nlohmann::json protocol =
      run.point.scenario.protocol;  // with what "auto" became: sums depend on their order
  for (const char* option : options_of_time_only) protocol.erase(option);
  const nlohmann::ordered_json build = build_provenance();
  nlohmann::json arithmetic;
  for (const char* part :
       {"numerics_version", "compiler", "build_type", "onednn", "instruction_set", "eigen"}) {
    arithmetic[part] = build.at(part);
  }
  TrajectoryKey key;
  key.basis = {
      {"data", data},         {"model", run.point.configuration.at("model")},   {"training", training},
      {"protocol", protocol}, {"workers", run.point.scenario.platform.workers}, {"arithmetic", arithmetic}};
  key.name = content_hash(key.basis.dump());
  return key;
}

}  // namespace isthmus
