#pragma once

#include <nlohmann/json.hpp>

#include "sim/study/progress.hpp"
#include "sim/study/run_task.hpp"
#include "sim/study/trajectory_store.hpp"

namespace isthmus {

/// In a process of its own: everything a run does, up to its files. Its numbers come from the store as far as
/// it has them; the rest is computed, and stored on the way. Returns {"run": what is in run.json,
/// "complete": whether the store has the whole trajectory}. Throws InputError, StorageError.
nlohmann::json carry_out(const RunTask& task, const TrajectoryStore& store, RunProgress& progress);

/// What is written of a run whose process ended without a result.
OrderedJson write_failure(const RunTask& task, const std::exception& error, double wall_seconds);

}  // namespace isthmus
