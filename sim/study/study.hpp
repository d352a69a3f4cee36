#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sim/scenario/read.hpp"

namespace isthmus {

/// What to run, and how.
struct StudyOptions {
  ScenarioDocument scenario;
  std::filesystem::path base_folder;  ///< of the scenario file
  std::filesystem::path out;          ///< empty: results/<name of the scenario>
  int jobs = 1;                       ///< runs at a time
  int threads = 1;                    ///< for numerics, of all runs together
  bool trace = false;
  bool again = false;                  ///< run finished runs again
  bool retry_failed = false;           ///< and those that failed
  bool replay = true;                  ///< take numbers from trajectories, and store them
  std::filesystem::path trajectories;  ///< the store
  double seconds_between_states = 10;  ///< at least, between two states of a training that are stored
  /// Ids: carry out these runs alone, beside other processes at work on the same study. What tells of the
  /// study as a whole is not written. Empty: all.
  std::vector<std::string> only;
  std::vector<std::string> command_line;
};

/// What became of a study.
struct StudyReport {
  std::filesystem::path folder;
  std::size_t runs = 0;
  std::size_t reused = 0;            ///< finished before
  std::vector<std::string> damaged;  ///< finished before, run again: which run, which of its files, and why
  std::vector<nlohmann::ordered_json> finished;  ///< run.json of each run that is finished
  std::size_t trained = 0, replayed = 0;
  bool interrupted = false;  ///< by Ctrl-C
  bool all_well = true;      ///< no run failed or deadlocked
};

/// Carries out all runs of a scenario, each in a process of its own, some at a time, and writes their files;
/// runs that are finished already are not run again. Of runs whose numbers are the same one trains and the
/// others replay. Throws InputError before anything is written where the scenario, a platform or the folder
/// is wrong, StorageError where files cannot be written.
StudyReport run_study(const StudyOptions& options);

}  // namespace isthmus
