#pragma once

#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <vector>

namespace isthmus {

using Numbers = std::vector<double>;

/// d f/d x_i for all i by central differences. To be given a function that computes in double: with steps of
/// 1e-5, truncation (about step^2) and rounding (about 1e-16/step) are then both below 1e-9 for values of
/// order one, far below fp32's precision, and a kink of ReLU lies within a step only by rare bad luck.
inline Numbers finite_difference(const std::function<double(const Numbers&)>& f, Numbers x,
                                 double step = 1e-5) {
  Numbers slopes;
  for (double& value : x) {
    const double middle = value;
    value = middle + step;
    const double above = f(x);
    value = middle - step;
    const double below = f(x);
    value = middle;
    slopes.push_back((above - below) / (2 * step));
  }
  return slopes;
}

/// Checks fp32 results against numbers in double, to `bound` relative to the largest of them: sums of fp32
/// products are exact to about 1e-7 of their largest terms (of order one here), however small they are
/// themselves.
template <typename Floats>
void check_close(const Floats& actual, const Numbers& expected, double bound) {
  REQUIRE(static_cast<std::size_t>(actual.size()) == expected.size());
  double largest = 0.1;
  for (const double value : expected) largest = std::max(largest, std::abs(value));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CAPTURE(i);
    REQUIRE(static_cast<double>(actual.data()[i]) == Approx(expected[i]).margin(bound * largest).epsilon(0));
  }
}

}  // namespace isthmus
