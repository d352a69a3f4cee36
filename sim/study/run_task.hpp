#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sim/study/files.hpp"
#include "sim/study/plan.hpp"
#include "sim/study/study.hpp"
#include "sim/study/trajectory_key.hpp"

namespace isthmus {

/// One run and all that its process needs to know.
struct RunTask {
  const PlannedRun* run = nullptr;
  std::filesystem::path folder;
  std::optional<TrajectoryKey> trajectory;  ///< none: nothing is taken from the store, nor put there
  int threads = 1;
  bool trace = false;
  double seconds_between_states = 0;
};

/// A task for each run of a study in this folder. The runs must outlive them.
std::vector<RunTask> plan_tasks(const std::vector<PlannedRun>& runs, const std::filesystem::path& folder,
                                const StudyOptions& options);

/// What an earlier command has left of a run.
struct EarlierRun {
  OrderedJson run;     ///< its run.json; null if it has to be run, or run again
  std::string damage;  ///< which of its files made it so, and why; empty: none
};

/// A run need not be run again if it ended, in whatever way, with the same configuration, build, platform and
/// data, and its files are as they were written; unless its process was killed from outside, or the user
/// wants failed ones again.
EarlierRun earlier_run(const RunTask& task, const StudyOptions& options);

/// Of the platform file, its profiles, and those of devices.
std::string platform_hash(const PlannedRun& run);
/// Of the profiles of its devices, by name.
std::map<std::string, std::string> device_hashes(const PlannedRun& run);

}  // namespace isthmus
