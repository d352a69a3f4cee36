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
  int threads = 1;                    ///< for numerics
  bool trace = false;
  bool again = false;  ///< run finished runs again
  std::vector<std::string> command_line;
};

/// What became of a study.
struct StudyReport {
  std::filesystem::path folder;
  std::size_t runs = 0;
  std::size_t reused = 0;    ///< finished before
  bool interrupted = false;  ///< by Ctrl-C
  bool all_well = true;      ///< no run failed or deadlocked
};

/// Carries out all runs of a scenario, each in a process of its own, and writes their files; runs that are
/// finished already are not run again. Throws InputError before anything is written where the scenario, a
/// platform or the folder is wrong.
StudyReport run_study(const StudyOptions& options);

}  // namespace isthmus
