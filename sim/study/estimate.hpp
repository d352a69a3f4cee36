#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sim/study/dry_run.hpp"
#include "sim/study/plan.hpp"
#include "sim/study/trajectory_store.hpp"

namespace isthmus {

/// What carrying out a study will take here, measured by short trials.
struct StudyEstimate {
  std::size_t live_runs = 0;               ///< runs that have a trajectory
  std::size_t trajectories = 0;            ///< distinct ones
  std::size_t stored = 0;                  ///< of these in the store, complete
  std::optional<double> training_seconds;  ///< on all cores; none: a trial took too long to tell
  std::optional<double> replay_seconds;    ///< of all runs' simulations, on all cores; likewise
  double study_bytes = 0;                  ///< files of the study
  double store_bytes = 0;                  ///< most that the states of trainings take while they run
};

/// Trains and simulates a little of each kind of run, in child processes, for some seconds at most. What
/// `dry_runs` knows is not simulated again.
StudyEstimate estimate_study(const std::vector<PlannedRun>& runs, const TrajectoryStore& store, int cores,
                             DryRuns& dry_runs);

}  // namespace isthmus
