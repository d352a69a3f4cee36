#include "analysis/statistics/difference.hpp"

#include <cmath>
#include <cstdio>
#include <vector>

namespace isthmus::analysis {

bool tells_apart(std::span<const double> differences, double margin) {
  const Interval interval = mean_interval(differences);
  if (std::abs(interval.mean) <= margin) return false;
  if (interval.n > 2) return interval.low > 0 || interval.high < 0;
  return differences.front() * differences.back() > 0;
}

Verdict verdict(const Speedups& speedups) {
  if (speedups.by_seed.empty()) return speedups.open ? Verdict::open : Verdict::none;
  std::vector<double> logs;
  for (const auto& entry : speedups.by_seed) logs.push_back(std::log(entry.second));
  const Verdict found = !tells_apart(logs, time_margin) ? Verdict::level
                        : mean_interval(logs).mean > 0  ? Verdict::faster
                                                        : Verdict::slower;
  if (speedups.bound == Bound::at_least && found != Verdict::faster) return Verdict::open;
  if (speedups.bound == Bound::at_most && found != Verdict::slower) return Verdict::open;
  return found;
}

std::string format_factor(double ratio) {
  char text[32];
  if (std::abs(ratio - 1) < 0.0945) {
    std::snprintf(text, sizeof text, "%.2f", ratio);
  } else {
    const double magnitude = std::pow(10, std::floor(std::log10(ratio)) - 1);
    std::snprintf(text, sizeof text,
                  ratio < 0.0995 ? "%.2g"
                  : ratio < 9.95 ? "%.1f"
                                 : "%.0f",
                  std::round(ratio / magnitude) * magnitude);
  }
  return text;
}

}  // namespace isthmus::analysis
