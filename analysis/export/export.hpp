#pragma once

#include <filesystem>
#include <vector>

#include "analysis/study/study.hpp"

namespace isthmus::analysis {

/// Writes `file` (a row a run) and `<stem>-history.csv` beside it (a row an evaluation, with what tells its
/// run from others). Returns both names. Files that are there are replaced, each whole or not at all. Throws
/// std::runtime_error with the system's reason.
std::vector<std::filesystem::path> export_csv(const Study& study, const std::filesystem::path& file);

/// Writes an SQLite database of the tables runs, history, workers and links; the last three name the run by
/// `run_id`. What is there is replaced when the new one is complete. Throws std::runtime_error with SQLite's
/// reason.
void export_sqlite(const Study& study, const std::filesystem::path& file);

}  // namespace isthmus::analysis
