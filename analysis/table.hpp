#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace isthmus::analysis {

using Json = nlohmann::ordered_json;

/// Tidy data: a row an observation, a column a variable. Cells are JSON scalars; null is a value that does
/// not exist.
class Table {
 public:
  explicit Table(std::vector<std::string> columns) : columns_(std::move(columns)) {}

  /// Throws std::logic_error unless there is a cell for each column.
  void add(std::vector<Json> row);

  const std::vector<std::string>& columns() const { return columns_; }
  const std::vector<std::vector<Json>>& rows() const { return rows_; }
  bool empty() const { return rows_.empty(); }
  /// Throws std::logic_error where there is no such column.
  const Json& cell(std::size_t row, const std::string& column) const;

  /// One object a row, as Vega-Lite takes inline data. Columns that are null in a row are left out.
  Json records() const;
  std::string csv() const;

 private:
  std::vector<std::string> columns_;
  std::vector<std::vector<Json>> rows_;
};

}  // namespace isthmus::analysis
