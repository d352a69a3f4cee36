#pragma once

#include <span>
#include <string>

#include "analysis/statistics/times.hpp"

namespace isthmus::analysis {

/// Differences below these count as none, even of a single seed.
constexpr double time_margin = 0.02;       ///< of the logarithm of a ratio: about 2 %
constexpr double accuracy_margin = 0.002;  ///< 0.2 percentage points

/// Whether differences, seed by seed, tell anything: their mean exceeds the margin and, of several seeds,
/// their confidence interval does not hold 0.
bool tells_apart(std::span<const double> differences, double margin);

/// What a speed-up says.
enum class Verdict {
  faster,
  slower,
  level,  ///< no difference: see tells_apart
  open,   ///< a target met at the first test, so that a bound is all there is, and it does not decide
  none    ///< a time is missing
};
Verdict verdict(const Speedups& speedups);

/// "1.03", "1.4", "25", "1700": a ratio to two digits, and two behind the point where one would read 1.0.
std::string format_factor(double ratio);

}  // namespace isthmus::analysis
