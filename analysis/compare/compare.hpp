#pragma once

#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "analysis/study/study.hpp"

namespace isthmus::analysis {

/// A place where two documents differ; null where one has nothing.
struct Change {
  std::string pointer;
  Json before, after;
};

/// The leaves in which two JSON documents differ, in the order of the first. Arrays are compared as a whole.
std::vector<Change> changes(const Json& before, const Json& after);

/// A number of the summary that differs between two runs.
struct ResultChange {
  std::string column;  ///< of runs.csv
  Json before, after;  ///< null: does not exist
};

struct RunPair {
  std::string label;  ///< what tells this run from the others of its study
  const Run* before;
  const Run* after;
  std::vector<ResultChange> changes;  ///< outcome and summary
};

/// What differs between two studies. The time the computer took (wall_seconds) and when and where it ran are
/// not compared.
struct Comparison {
  std::vector<Change> scenario, build;
  std::vector<RunPair> runs;  ///< matched by the values of what either study sweeps
  std::vector<std::string> only_before, only_after;
  std::vector<std::string> ambiguous;  ///< runs that more than one run of the other study matches

  /// Whether scenario and results are the same; the build may differ.
  bool same() const;
};

/// `tolerance`: relative difference of numbers that counts as none.
Comparison compare_studies(const Study& before, const Study& after, double tolerance);

/// `most_runs`: of each column, so many runs are shown, those with the greatest differences.
void print_comparison(const Comparison& comparison, std::size_t most_runs, std::ostream& out);

}  // namespace isthmus::analysis
