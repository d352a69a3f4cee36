#include "sim/study/run_task.hpp"

#include <sstream>

#include "analysis/study_table.hpp"
#include "sim/platform/device_files.hpp"
#include "sim/platform/platform_xml.hpp"
#include "sim/study/content_hash.hpp"
#include "sim/study/provenance.hpp"

namespace isthmus {

namespace fs = std::filesystem;

namespace {

/// Whether it ran what is to be run now, and is not to be run again for how it ended.
bool is_current(const OrderedJson& run, const RunTask& task, const StudyOptions& options) {
  const OrderedJson& provenance = run.at("provenance");
  if (run.at("outcome") == "failed" && (options.retry_failed || provenance.value("killed", false))) {
    return false;
  }
  if (options.trace && !fs::exists(task.folder / "trace.json")) return false;
  const OrderedJson trajectory = provenance.value("trajectory", OrderedJson());
  if (task.trajectory && trajectory.is_string() && trajectory != task.trajectory->name) return false;
  if (provenance.value("platform", "") != platform_hash(*task.run)) return false;
  const OrderedJson build = build_provenance();
  for (const auto& [key, value] : build.items()) {
    if (provenance.value(key, OrderedJson()) != value) return false;
  }
  return nlohmann::json(run.at("configuration")) == task.run->point.configuration;
}

/// What is wrong with the files of a run; empty: nothing. Throws OrderedJson::exception for a run.json that
/// lacks something.
std::string find_damage(const OrderedJson& run, const RunTask& task, const StudyOptions& options) {
  const Point& point = task.run->point;
  if (run.at("id") != point.id || run.at("swept") != as_object(point.swept) ||
      run.at("labels") != as_object(point.labels)) {
    return "run.json is not as it was written";
  }
  std::ostringstream nowhere;
  print_runs({run}, nowhere);  // what cannot be shown is no run
  runs_csv({run});
  for (const char* file : {"history.csv", "workers.csv", "links.csv", "trace.json"}) {
    const bool is_trace = file == std::string("trace.json");
    if (is_trace && !options.trace) continue;  // large, so that some are removed on purpose
    const auto hash = hash_of_file(task.folder / file);
    if (!hash) return file + std::string(" is missing");
    if (run.at("files").at(file) != *hash) return file + std::string(" is not as it was written");
  }
  return "";
}

}  // namespace

std::vector<RunTask> plan_tasks(const std::vector<PlannedRun>& runs, const fs::path& folder,
                                const StudyOptions& options) {
  std::vector<RunTask> tasks;
  for (const PlannedRun& run : runs) {
    tasks.push_back({.run = &run,
                     .folder = folder / "runs" / run.point.id,
                     .trajectory = {},
                     .trace = options.trace,
                     .seconds_between_states = options.seconds_between_states});
    const bool shares = run.point.scenario.live && options.replay && !run.depends_on_timing();
    if (shares) tasks.back().trajectory = trajectory_key(run);
  }
  return tasks;
}

EarlierRun earlier_run(const RunTask& task, const StudyOptions& options) {
  if (options.again || !fs::exists(task.folder)) return {};
  OrderedJson run = read_json(task.folder / "run.json");
  if (run.is_null()) return {{}, "run.json is missing"};
  if (!run.is_object()) return {{}, "run.json is no complete JSON object"};
  try {
    if (!is_current(run, task, options)) return {};
    std::string damage = find_damage(run, task, options);
    return {damage.empty() ? std::move(run) : OrderedJson(), damage};
  } catch (const OrderedJson::exception&) {
    return {{}, "run.json is not as it was written"};
  }
}

std::string platform_hash(const PlannedRun& run) {
  std::string hashes;
  for (const auto& file : PlatformXml(run.point.scenario.platform.file).files()) hashes += file_hash(file);
  for (const auto& [device, hash] : device_hashes(run)) hashes += hash;
  return content_hash(hashes);
}

std::map<std::string, std::string> device_hashes(const PlannedRun& run) {
  std::map<std::string, std::string> hashes;
  for (const HostFacts& host : run.platform->hosts) {
    if (host.device.empty() || hashes.contains(host.device)) continue;
    hashes[host.device] = file_hash(find_device(host.device).file);
  }
  return hashes;
}

}  // namespace isthmus
