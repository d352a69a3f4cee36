#pragma once

#include <filesystem>

#include "analysis/study/dataset.hpp"

namespace isthmus::analysis {

/// The table of runs as report.js takes it: {"columns": [{key, label, title, format, numeric}], "rows":
/// [{cells, protocol, folder, problem, message}]}. Links are relative to the folder `from`.
Json runs_table(const Dataset& data, const std::filesystem::path& from);

/// A path as a relative URL.
std::string relative_url(const std::filesystem::path& path, const std::filesystem::path& from);

}  // namespace isthmus::analysis
