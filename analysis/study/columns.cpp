#include "analysis/study/columns.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "analysis/csv.hpp"

namespace isthmus::analysis {

std::string read_text(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) throw std::runtime_error(file.string() + " is missing");
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (in.peek() != std::ifstream::traits_type::eof()) text << in.rdbuf();
  if (!in.is_open() || in.bad() || errno != 0) {
    throw std::runtime_error("cannot read " + file.string() + ": " + std::generic_category().message(errno));
  }
  return text.str();
}

ColumnFile::ColumnFile(std::filesystem::path file, const std::vector<std::string>& required_columns)
    : file_(std::move(file)) {
  std::vector<std::vector<std::string>> all = read_csv(read_text(file_));
  if (all.empty()) throw std::runtime_error(file_.string() + " is empty");
  head_ = std::move(all.front());
  for (const std::string& column : required_columns) {
    if (!index(column)) throw std::runtime_error(file_.string() + " has no column " + column);
  }
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (all[i].size() == head_.size()) {
      rows_.push_back(std::move(all[i]));
    } else if (warning_.empty()) {
      warning_ = file_.string() + ": row " + std::to_string(i) + " has " + std::to_string(all[i].size()) +
                 " cells instead of " + std::to_string(head_.size()) + "; such rows are left out";
    }
  }
}

std::optional<std::size_t> ColumnFile::index(const std::string& column) const {
  const auto found = std::ranges::find(head_, column);
  if (found == head_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - head_.begin());
}

const std::string& ColumnFile::text(std::size_t row, const std::string& column) const {
  return rows_.at(row).at(index(column).value());
}

double ColumnFile::number(std::size_t row, const std::string& column) const {
  const std::string& cell = text(row, column);
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc() || end != cell.data() + cell.size()) {
    throw std::runtime_error(file_.string() + ": row " + std::to_string(row + 1) + ", column " + column +
                             ": expected a number, found \"" + cell + "\"");
  }
  return value;
}

std::string ColumnFile::optional_text(std::size_t row, const std::string& column) const {
  return index(column) ? text(row, column) : "";
}

std::optional<double> ColumnFile::optional_number(std::size_t row, const std::string& column) const {
  if (!index(column) || text(row, column).empty()) return std::nullopt;
  return number(row, column);
}

}  // namespace isthmus::analysis
