#include "analysis/export/export.hpp"

#include <iostream>

#include "analysis/format.hpp"
#include "models/error.hpp"
#include "sim/commands/options.hpp"
#include "sim/commands/study_source.hpp"

namespace isthmus {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;

/// A table without a run that is there would be taken for all of them.
void require_all_runs(const analysis::Study& study) {
  if (study.broken_runs.empty()) return;
  const std::size_t others = study.broken_runs.size() - 1;
  throw InputError("cannot export " + study.folder.string() + ": " + study.broken_runs.front().problem +
                   (others > 0 ? " (and " + std::to_string(others) + " more such runs)" : "") +
                   "; remove the folder of the run, or run the study again");
}

}  // namespace

int export_command(const Arguments& arguments) {
  CommandLine line(
      "export DIR --to FILE", "DIR",
      "Writes the runs of a study and their histories as tidy tables, from the files in its folder:\n"
      "  FILE.csv     a row a run; and FILE-history.csv, a row an evaluation, with what tells its run apart\n"
      "  FILE.sqlite  a database with the tables runs, history, workers and links, joined by run_id\n"
      "Swept quantities are there as written and as numbers in SI units. Files that are there are "
      "replaced.\n\n"
      "Example:\n"
      "  isthmus export results/quickstart --to quickstart.sqlite\n"
      "  sqlite3 quickstart.sqlite 'select protocol, seconds_to_target from runs order by 2'\n");
  line.options().add_options()("to", po::value<std::string>()->value_name("FILE"),
                               "the file to write; its extension, .csv or .sqlite, says what");
  if (!line.parse(arguments)) return 0;
  if (line.values().count("to") == 0) {
    throw InputError("--to", "is missing; give a file, such as --to study.csv or --to study.sqlite");
  }
  const fs::path file = line.values()["to"].as<std::string>();
  const bool is_csv = file.extension() == ".csv", is_sqlite = file.extension() == ".sqlite";
  if (!is_csv && !is_sqlite) {
    throw InputError("--to", "found \"" + file.string() + "\"; the name must end in .csv or .sqlite");
  }
  const analysis::Study study = read_study_argument(line);
  require_all_runs(study);
  std::vector<fs::path> written = {file};
  if (is_csv) {
    written = analysis::export_csv(study, file);
  } else {
    analysis::export_sqlite(study, file);
  }
  for (const std::string& warning : study.warnings) std::cerr << "isthmus: " << warning << '\n';
  std::cout << counted(study.runs.size(), "run") << " of " << study.name << ":";
  for (const fs::path& each : written) std::cout << ' ' << each.string();
  std::cout << '\n';
  return 0;
}

}  // namespace isthmus
