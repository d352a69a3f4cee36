#pragma once

#include <cstddef>
#include <span>

namespace isthmus::analysis {

/// How sure confidence intervals are.
constexpr double confidence_level = 0.95;

/// A mean and its two-sided confidence interval.
struct Interval {
  double mean, low, high;
  std::size_t n;  ///< how many values; of a single one the interval is that value
};

/// mean +- t(n-1) s / sqrt(n), with s the sample's standard deviation (Student's t).
/// Throws std::logic_error for no values.
Interval mean_interval(std::span<const double> values);

/// The same of the logarithms, and back: geometric mean, and an interval that is symmetric as a factor. For
/// ratios, and for quantities that are swept over orders of magnitude. Values must be positive.
Interval geometric_interval(std::span<const double> values);

}  // namespace isthmus::analysis
