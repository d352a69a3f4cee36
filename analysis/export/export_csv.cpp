#include "analysis/export/export.hpp"
#include "analysis/export/tables.hpp"
#include "analysis/output_file.hpp"

namespace isthmus::analysis {

namespace fs = std::filesystem;

std::vector<fs::path> export_csv(const Study& study, const fs::path& file) {
  const fs::path history_file = file.parent_path() / (file.stem().string() + "-history.csv");
  OutputFile runs(file), history(history_file);
  runs.write(runs_table(study).table.csv());
  history.write(history_table(study, true).table.csv());
  history.commit();
  runs.commit();
  return {file, history_file};
}

}  // namespace isthmus::analysis
