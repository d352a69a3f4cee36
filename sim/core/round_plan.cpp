#include "sim/core/round_plan.hpp"

#include <algorithm>
#include <cmath>

namespace isthmus {
namespace {

/// The smallest whole number that is not less; a hair more than a whole number is taken for that.
long ceiling(double number) { return static_cast<long>(std::ceil(number - 1e-9)); }

}  // namespace

long RoundPlan::single_steps_of_steps(long total_steps) const {
  return std::clamp(ceiling(switch_at * static_cast<double>(total_steps)), 0L, total_steps);
}

long RoundPlan::single_steps_of_rounds(long total_rounds) const {
  // The largest s whose last single step begins early enough: s - 1 < switch_at (s + (rounds - s) steps).
  const auto steps = static_cast<double>(local_steps);
  const double bound =
      (switch_at * steps * static_cast<double>(total_rounds) + 1) / (1 + switch_at * (steps - 1));
  return std::clamp(ceiling(bound) - 1, 0L, total_rounds);
}

}  // namespace isthmus
