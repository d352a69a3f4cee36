#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "sim/study/files.hpp"
#include "sim/study/plan.hpp"
#include "sim/study/progress.hpp"
#include "sim/study/trajectory_store.hpp"

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

/// In a process of its own: everything a run does, up to its files. Its numbers come from the store as far as
/// it has them; the rest is computed, and stored on the way. Returns {"run": what is in run.json,
/// "complete": whether the store has the whole trajectory}. Throws InputError, StorageError.
nlohmann::json carry_out(const RunTask& task, const TrajectoryStore& store, RunProgress& progress);

/// Of the platform file and its profiles.
std::string platform_hash(const PlannedRun& run);

/// What is written of a run whose process ended without a result.
OrderedJson write_failure(const RunTask& task, const std::exception& error, double wall_seconds);

}  // namespace isthmus
