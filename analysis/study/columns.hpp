#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace isthmus::analysis {

/// A CSV file whose columns are found by name, in any order, beside others. Every complaint names the file.
class ColumnFile {
 public:
  /// Throws std::runtime_error where there is no such file, it is empty, or lacks one of the columns.
  ColumnFile(std::filesystem::path file, const std::vector<std::string>& required_columns);

  /// Rows with as many cells as there are columns; a last line cut short is left out.
  std::size_t rows() const { return rows_.size(); }
  /// What was left out, or empty.
  const std::string& warning() const { return warning_; }

  const std::string& text(std::size_t row, const std::string& column) const;
  /// Empty where there is no such column.
  std::string optional_text(std::size_t row, const std::string& column) const;
  /// Throws std::runtime_error where the cell holds no number.
  double number(std::size_t row, const std::string& column) const;
  /// Nothing for an empty cell, or where there is no such column.
  std::optional<double> optional_number(std::size_t row, const std::string& column) const;

 private:
  std::optional<std::size_t> index(const std::string& column) const;

  std::filesystem::path file_;
  std::vector<std::string> head_;
  std::vector<std::vector<std::string>> rows_;
  std::string warning_;
};

/// The text of a file. Throws std::runtime_error that names it and says why it cannot be read.
std::string read_text(const std::filesystem::path& file);

}  // namespace isthmus::analysis
