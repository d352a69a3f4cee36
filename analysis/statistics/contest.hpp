#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/study/dataset.hpp"

namespace isthmus::analysis {

/// What series are compared by.
enum class Measure { seconds_to_target, final_test_accuracy, simulated_seconds };

/// The first of these that the runs have: the time to a target where one is set, the accuracy of others that
/// were trained, the time of runs that only count costs.
Measure usual_measure(const Dataset& data);

/// How a series did under one condition, over its seeds.
struct Standing {
  std::string series;
  std::map<std::string, double> by_seed;  ///< the measure
  std::optional<double> value;            ///< its mean; none unless every run has it
  bool at_most = false;                   ///< the value is an upper bound: a target met at the first test
  std::size_t runs = 0, with_value = 0;
};

/// Series that ran under the same condition: the same values of all axes.
struct Contest {
  std::vector<Json> coordinates;    ///< as Dataset::axes()
  std::vector<Standing> standings;  ///< the best first; those without a value last
  std::size_t valued = 0;           ///< standings with a value
  /// How many of the first are not told apart: 1 where there is a winner. 0 where fewer than two have a
  /// value, or where it is open, because values that are upper bounds could come before the first.
  std::size_t leaders = 0;
  bool by_chance = false;  ///< of several leaders: their means differ, but seeds do not tell them apart

  bool decided() const { return leaders > 0; }
  bool open() const { return valued > 1 && leaders == 0; }
  /// Of several the only one that gets there, or does so with every seed; null where there is none.
  const Standing* only() const;
  /// How many get there with any seed.
  std::ptrdiff_t arrived() const;
};

struct Contests {
  Measure measure;
  std::optional<double> target_accuracy;  ///< where all runs have the same
  std::vector<Contest> contests;
  std::vector<std::string> ranking;  ///< series by how often they lead, then by how they stand on the whole
};

Contests hold_contests(const Dataset& data, Measure measure);

/// How far `a` is ahead of `b`: the logarithm of the ratio of times, or the difference of accuracies.
double lead(Measure measure, double a, double b);

}  // namespace isthmus::analysis
