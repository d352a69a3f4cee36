#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sim/study/slurm.hpp"

namespace isthmus {

/// A job, or some tasks of an array job, that Slurm has queued or runs.
struct QueuedJob {
  std::string id;     ///< as squeue prints it: "17", "18_[4-7]", "18_3"
  std::string name;   ///< of the job
  std::string state;  ///< "PENDING", "RUNNING", ...
};

/// Whether this machine has Slurm's commands.
bool has_slurm();

/// The jobs of these names that are in the queue. Throws std::runtime_error with what squeue says if it
/// cannot be asked.
std::vector<QueuedJob> queued_jobs(const std::vector<std::string>& names);

/// How many tasks an array job may have here; Slurm's default where it cannot be asked.
std::size_t largest_slurm_array();

/// A shell command for each submission, for people. Ids of jobs, not known yet, are JOB_1, JOB_2 ... in the
/// order of submission.
std::vector<std::string> submission_lines(const std::vector<SlurmScript>& scripts,
                                          const std::filesystem::path& study);

/// Submits scripts that are in the study's Slurm folder: replays wait for all trainings to end, the last job
/// for everything, whether it ends well or not. Returns the job ids. If Slurm refuses one, those submitted
/// before are cancelled again, and std::runtime_error says why.
std::vector<std::string> submit(const std::vector<SlurmScript>& scripts, const std::filesystem::path& study);

}  // namespace isthmus
