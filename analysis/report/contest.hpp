#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/study/dataset.hpp"

namespace isthmus::analysis {

/// What series are compared by: the first of these that the runs have.
enum class Measure {
  seconds_to_target,
  final_test_accuracy,  ///< where no target is set
  simulated_seconds     ///< of runs without accuracy
};

/// How a series did under one condition, over its seeds.
struct Standing {
  std::string series;
  std::optional<double> value;  ///< mean of the measure; none unless every run has it
  std::size_t runs = 0, completed = 0, reached = 0;
};

/// Series that ran under the same condition: the same values of all axes.
struct Contest {
  std::vector<Json> coordinates;    ///< as Dataset::axes()
  std::vector<Standing> standings;  ///< the best first; those without a value last

  /// The best, where at least two series have a value.
  const Standing* winner() const;
};

struct Contests {
  Measure measure;
  std::optional<double> target_accuracy;  ///< where all runs have the same
  std::vector<Contest> contests;
  std::vector<std::string> ranking;  ///< series by how often they win, then by how they stand on the whole
};

Contests hold_contests(const Dataset& data);

/// How far `a` is ahead of `b`: the logarithm of the ratio of times, or the difference of accuracies.
double lead(Measure measure, double a, double b);

}  // namespace isthmus::analysis
