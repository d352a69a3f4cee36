#include "analysis/table.hpp"

#include <algorithm>
#include <stdexcept>

#include "analysis/csv.hpp"

namespace isthmus::analysis {

void Table::add(std::vector<Json> row) {
  if (row.size() != columns_.size()) throw std::logic_error("a row of a table needs a cell for each column");
  rows_.push_back(std::move(row));
}

const Json& Table::cell(std::size_t row, const std::string& column) const {
  const auto found = std::ranges::find(columns_, column);
  if (found == columns_.end()) throw std::logic_error("a table has no column " + column);
  return rows_.at(row).at(static_cast<std::size_t>(found - columns_.begin()));
}

Json Table::records() const {
  Json records = Json::array();
  for (const auto& row : rows_) {
    Json record = Json::object();
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (!row[i].is_null()) record[columns_[i]] = row[i];
    }
    records.push_back(std::move(record));
  }
  return records;
}

std::string Table::csv() const {
  Csv csv(columns_);
  for (const auto& row : rows_) csv.row({row.begin(), row.end()});
  return csv.text();
}

}  // namespace isthmus::analysis
