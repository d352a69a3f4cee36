#pragma once

#include <string>
#include <vector>

namespace isthmus::analysis {

/// What the cells of a column are, where they are not null.
enum class ColumnType { text, integer, real };

struct Column {
  std::string name;
  ColumnType type;
  bool may_be_missing = false;  ///< from files that others wrote, or older versions
};

std::vector<std::string> names_of(const std::vector<Column>& columns);

// The columns of a run's CSV files, in order, for those who write, read and export them.

/// A row an evaluation.
const std::vector<Column>& history_columns();
/// A row a worker.
const std::vector<Column>& workers_columns();
/// A row a link that carried anything.
const std::vector<Column>& links_columns();

}  // namespace isthmus::analysis
