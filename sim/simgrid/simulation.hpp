#pragma once

#include "sim/core/job.hpp"
#include "sim/core/recorder.hpp"
#include "sim/core/run_result.hpp"
#include "sim/protocols/protocol.hpp"
#include "sim/scenario/scenario.hpp"

namespace isthmus {

/// Runs a protocol on the scenario's platform, one actor a worker, numerics on `threads` threads. Rounds that
/// `recorded` holds take their numbers from there; if these are all, the job need not be live. While rounds
/// are computed `keeper` may keep the trajectory. To be called at most once in a process (SimGrid's rule).
/// What happens to the workers is an outcome; thrown are InputError for a platform that cannot be used, and
/// StorageError of the keeper.
RunResult simulate(const Scenario& scenario, const Job& job, const Protocol& protocol, int threads,
                   bool trace, Recorder::Progress progress, const Trajectory& recorded = {},
                   TrajectoryKeeper* keeper = nullptr);

}  // namespace isthmus
