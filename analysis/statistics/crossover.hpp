#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analysis/statistics/times.hpp"

namespace isthmus::analysis {

/// Two times at one swept value.
struct TimePair {
  double x;     ///< positive, e.g. bits per second
  double a, b;  ///< seconds
};

/// A stretch of swept values.
struct Stretch {
  double from, to;
};

/// Where a(x) and b(x) are equal to within time_margin at neighbouring swept values, or at an end of the
/// range. (A single value between others is where they cross, or touch.)
std::vector<Stretch> equal_stretches(std::span<const TimePair> pairs);

/// Where the faster of a(x) and b(x) changes, but for where they are equal: the zeros of log(a/b) over
/// log(x), one in each gap between neighbours where it changes sign. Between the points it is interpolated by
/// Floater and Hormann's rational function of order 3 (or less, of fewer points), which is exact where both
/// times are power laws of x. `pairs` ascend in x.
std::vector<double> crossings(std::span<const TimePair> pairs);

/// Where two protocols tie along one axis, all else equal. Seeds with a time that is only a bound are left
/// out.
struct Crossover {
  std::string baseline, other;  ///< series
  const Group* group;           ///< one of `other`'s, for the values of the other axes
  std::vector<double> by_seed;  ///< of the seeds that have exactly one tie (or the middle one of several)
  std::optional<Interval> interval;  ///< over seeds, of the logarithms
  std::vector<Stretch> equal;        ///< by equal_stretches, of all seeds
  std::size_t seeds = 0;             ///< that both have times of at two values at least
  std::size_t several_ties = 0;      ///< seeds whose times cross more than once
  /// At the lowest and the highest value where both have times; empty where they are equal.
  std::string faster_below, faster_above;
  double lowest, highest;  ///< those values

  bool equal_throughout() const {
    return equal.size() == 1 && equal[0].from == lowest && equal[0].to == highest;
  }
};

/// For every series other than the baseline, and every combination of values of the other axes. Seeds are
/// interpolated one by one.
std::vector<Crossover> find_crossovers(const Dataset& dataset, std::size_t axis, const TimeMeasure& measure,
                                       const std::string& baseline);

}  // namespace isthmus::analysis
