#include "sim/commands/table_file.hpp"

#include <cmath>
#include <cstdlib>
#include <fstream>

#include "analysis/csv.hpp"
#include "models/error.hpp"

namespace isthmus {
namespace {

std::string stripped(const std::string& text) {
  const auto begin = text.find_first_not_of(" \t\r"), end = text.find_last_not_of(" \t\r");
  return begin == std::string::npos ? "" : text.substr(begin, end - begin + 1);
}

}  // namespace

TableFile::TableFile(const std::string& file) : file_(file), place_of_head_(file) {
  std::ifstream in(file);
  if (!in || in.peek() == std::ifstream::traits_type::eof())
    throw InputError(file, "cannot be read, or is empty");
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    if (number == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
    line = stripped(line);
    if (line.starts_with('#')) comments_.push_back(line.substr(1));
    if (line.empty() || line.starts_with('#')) continue;
    const auto cells = read_csv(line);
    if (cells.empty()) continue;  // ""
    Row row{file + ":" + std::to_string(number), {}};
    for (const std::string& each : cells.front()) row.cells.push_back(stripped(each));
    if (columns_.empty()) {
      place_of_head_ = row.place;
      for (std::size_t i = 0; i < row.cells.size(); ++i) columns_[row.cells[i]] = i;
      continue;
    }
    if (row.cells.size() < columns_.size()) {
      throw InputError(row.place, "has " + std::to_string(row.cells.size()) + " cells; allowed: " +
                                      std::to_string(columns_.size()) + ", as in the first line");
    }
    rows_.push_back(std::move(row));
  }
}

void TableFile::require(const std::vector<std::string>& columns, const std::string& head) const {
  for (const std::string& needed : columns) {
    if (!has(needed))
      throw InputError(place_of_head_,
                       "has no column \"" + needed + "\"; the first line names the columns: " + head);
  }
}

double TableFile::positive_number(const Row& row, const std::string& column) const {
  const std::string text = cell(row, column);
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (end != text.c_str() && *end == '\0' && std::isfinite(value) && value > 0) return value;
  throw InputError(row.place, "found \"" + text + "\" in column \"" + column +
                                  "\"; allowed: a number above 0, such as 1048576 or 0.0123");
}

std::string TableFile::cell(const Row& row, const std::string& column) const {
  const auto at = columns_.find(column);
  return at == columns_.end() ? "" : row.cells[at->second];
}

}  // namespace isthmus
