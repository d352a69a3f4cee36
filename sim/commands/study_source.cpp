#include "sim/commands/study_source.hpp"

#include "models/error.hpp"

namespace isthmus {

namespace fs = std::filesystem;

analysis::Study read_study_argument(const CommandLine& line, analysis::RunFiles files) {
  const fs::path folder = line.argument();
  if (!fs::exists(folder)) throw InputError(folder.string(), "there is no such folder; expected a study");
  if (!fs::is_directory(folder)) {
    throw InputError(folder.string(), "is a file; expected the folder of a study, as isthmus run writes it");
  }
  if (!fs::exists(folder / "study.json") && !fs::exists(folder / "runs")) {
    throw InputError(folder.string(), "is no study: it has neither study.json nor runs");
  }
  return analysis::read_study(folder, files);
}

}  // namespace isthmus
