#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sim/study/slurm_queue.hpp"
#include "sim/study/study.hpp"

namespace isthmus {

/// What was, or would be, submitted of a study.
struct Submission {
  std::filesystem::path folder;  ///< of the study, absolute
  std::size_t runs = 0;
  std::size_t finished = 0;          ///< runs that need no job
  std::size_t trainings = 0;         ///< runs that train
  std::size_t replays = 0;           ///< others
  std::vector<QueuedJob> at_work;    ///< jobs of this study; nothing is submitted beside them
  std::vector<SlurmScript> scripts;  ///< none: there is nothing to do, or jobs are at work
  std::vector<std::string> job_ids;  ///< of the scripts; none after a dry run
};

/// Submits what is not finished of a study to Slurm, as array jobs that share its folder: a task for each
/// training that the store of trajectories does not have, then tasks of replays, then the plain `isthmus
/// run`. Scripts, their lists of runs, a copy of the scenario and logs are in its folder `slurm`. `dry_run`:
/// writes and submits nothing. `threads`: CPUs of a task, if asked for. Throws InputError, StorageError, and
/// std::runtime_error with what Slurm says.
Submission submit_study(const StudyOptions& options, std::optional<int> threads, bool dry_run);

}  // namespace isthmus
