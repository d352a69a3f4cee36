#include "sim/study/run_task.hpp"

#include "sim/platform/platform_xml.hpp"
#include "sim/study/content_hash.hpp"
#include "sim/study/provenance.hpp"

namespace isthmus {

namespace fs = std::filesystem;

std::vector<RunTask> plan_tasks(const std::vector<PlannedRun>& runs, const fs::path& folder,
                                const StudyOptions& options) {
  std::vector<RunTask> tasks;
  for (const PlannedRun& run : runs) {
    tasks.push_back({.run = &run,
                     .folder = folder / "runs" / run.point.id,
                     .trajectory = {},
                     .trace = options.trace,
                     .seconds_between_states = options.seconds_between_states});
    const bool shares = run.point.scenario.live && options.replay && !run.protocol->depends_on_timing();
    if (shares) tasks.back().trajectory = trajectory_key(run);
  }
  return tasks;
}

OrderedJson read_run_json(const RunTask& task) { return read_json(task.folder / "run.json"); }

bool is_finished(const OrderedJson& before, const RunTask& task, const StudyOptions& options) {
  if (options.again || !before.is_object()) return false;
  const OrderedJson provenance = before.value("provenance", OrderedJson::object());
  if (before.value("outcome", "failed") == "failed" &&
      (options.retry_failed || provenance.value("killed", false))) {
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
  return nlohmann::json(before.value("configuration", OrderedJson())) == task.run->point.configuration;
}

std::string platform_hash(const PlannedRun& run) {
  std::string hashes;
  for (const auto& file : PlatformXml(run.point.scenario.platform.file).files()) hashes += file_hash(file);
  return content_hash(hashes);
}

}  // namespace isthmus
