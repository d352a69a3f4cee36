#include "analysis/statistics/interval.hpp"

#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <vector>

namespace isthmus::analysis {

Interval mean_interval(std::span<const double> values) {
  if (values.empty()) throw std::logic_error("no mean of no values");
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  if (values.size() == 1) return {mean, mean, mean, 1};
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double standard_error = std::sqrt(squares / (n - 1) / n);
  const boost::math::students_t distribution(n - 1);
  const double half = boost::math::quantile(distribution, (1 + confidence_level) / 2) * standard_error;
  return {mean, mean - half, mean + half, values.size()};
}

Interval geometric_interval(std::span<const double> values) {
  std::vector<double> logarithms;
  for (const double value : values) {
    if (!(value > 0)) throw std::logic_error("a geometric mean needs positive values");
    logarithms.push_back(std::log(value));
  }
  const Interval interval = mean_interval(logarithms);
  return {std::exp(interval.mean), std::exp(interval.low), std::exp(interval.high), interval.n};
}

}  // namespace isthmus::analysis
