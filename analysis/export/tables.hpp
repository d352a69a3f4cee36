#pragma once

#include <string>
#include <vector>

#include "analysis/study/run_files.hpp"
#include "analysis/study/study.hpp"
#include "analysis/table.hpp"

namespace isthmus::analysis {

/// A table whose columns have types.
struct TypedTable {
  Table table;
  std::vector<ColumnType> types;  ///< of each column
};

/// A row a run: study, id, outcome, message, protocol, workers, seed; what was swept, by JSON pointer, as
/// runs.csv has it (labels where there are some, the leaves of objects), and each quantity once more as a
/// number in SI, under the pointer and its unit (`/platform/bandwidth_bits_per_second`); then the summary.
TypedTable runs_table(const Study& study);

/// A row an evaluation: id of the run, and history.csv. `with_run`: its outcome, protocol, workers, seed and
/// swept values, too, so that the table stands alone.
TypedTable history_table(const Study& study, bool with_run);

/// A row a worker of a run: id of the run, and workers.csv.
TypedTable workers_table(const Study& study);

/// A row a link of a run: id of the run, and links.csv.
TypedTable links_table(const Study& study);

}  // namespace isthmus::analysis
