#pragma once

#include "sim/core/job.hpp"
#include "sim/core/recorder.hpp"
#include "sim/core/run_result.hpp"
#include "sim/protocols/protocol.hpp"
#include "sim/scenario/scenario.hpp"

namespace isthmus {

struct SimulationOptions {
  int threads = 1;     ///< for numerics
  bool trace = false;  ///< keep what each worker did when
  Recorder::Progress progress = {};
  Recorder::Observer observer = {};
  bool enforce_memory = true;  ///< else devices have as much as it takes
};

/// Runs a protocol on the scenario's platform, one actor a worker. Rounds that `recorded` holds take their numbers from there; if these are all, the job need not be live. While rounds
/// are computed `keeper` may keep the trajectory. To be called at most once in a process (SimGrid's rule).
/// What happens to the workers is an outcome; thrown are InputError for a platform that cannot be used, and
/// StorageError of the keeper.
RunResult simulate(const Scenario& scenario, const Job& job, const Protocol& protocol,
                   const SimulationOptions& options, const Trajectory& recorded = {},
                   TrajectoryKeeper* keeper = nullptr);

}  // namespace isthmus
