#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace isthmus {

/// What is asked of the cluster for each job; what is empty is the cluster's own default.
struct SlurmRequest {
  std::string partition;
  std::string time;                  ///< limit, as sbatch takes it
  std::string memory;                ///< of each task on its node, as sbatch takes it
  std::vector<std::string> options;  ///< of sbatch, such as `--account=optics`
  std::optional<int> threads;        ///< CPUs of each task
};

/// Reads a scenario's `slurm`, which the schema has checked. Throws InputError for options of sbatch that
/// belong to Isthmus.
SlurmRequest read_slurm_request(const nlohmann::json& slurm);

/// A study to be carried out by jobs. All paths are absolute, on a file system that the nodes share.
struct SlurmWork {
  std::string study_name;
  std::filesystem::path program;                    ///< isthmus itself
  std::filesystem::path folder;                     ///< of the study
  std::filesystem::path base_folder;                ///< where relative paths in the scenario start
  std::filesystem::path trajectories;               ///< the store; empty: the nodes' default
  std::vector<std::string> run_options;             ///< further ones of `isthmus run`, for every job
  std::vector<std::string> task_options;            ///< and for tasks of arrays alone
  std::vector<std::vector<std::string>> trainings;  ///< ids of runs, by task
  std::vector<std::vector<std::string>> replays;    ///< likewise; they begin when no training is left
  SlurmRequest request;
  std::size_t largest_array = 1001;  ///< tasks in one array job
};

/// One job: a script for sbatch, and the ids of the runs of each of its tasks.
struct SlurmScript {
  enum class Stage { train, replay, finish };
  Stage stage;
  std::string name;      ///< of its files, without extension: "train", "replay-2", "finish"
  std::string job_name;  ///< in the queue
  std::string text;
  std::string tasks;  ///< one line of ids, separated by commas, for each task of an array; else empty
};

/// A text as one word of a shell command.
std::string shell_word(const std::string& text);

/// Where the scripts, their lists of runs, the scenario and the logs are.
std::filesystem::path slurm_folder(const std::filesystem::path& study);

/// The jobs of a study in the order of submission: trainings, replays, and one that runs the plain
/// `isthmus run`, which does whatever is still missing and writes runs.csv and the end of study.json. Throws
/// InputError for a folder that Slurm cannot write logs into.
std::vector<SlurmScript> slurm_scripts(const SlurmWork& work);

/// The names that a study's jobs have in the queue. They tell studies of one name in two folders apart.
std::vector<std::string> slurm_job_names(const std::string& study_name, const std::filesystem::path& folder);

/// Deals ids to tasks of about equal size: enough for each to be worth its start, and few enough tasks.
std::vector<std::vector<std::string>> deal_to_tasks(const std::vector<std::string>& ids);

}  // namespace isthmus
