#include "sim/core/rounds.hpp"

#include <algorithm>
#include <cmath>

namespace isthmus {
namespace {

/// The smallest whole number that is not less; a hair more than a whole number is taken for that.
long ceiling(double number) { return static_cast<long>(std::ceil(number - 1e-9)); }
long ceiling_of(long dividend, long divisor) { return (dividend + divisor - 1) / divisor; }

}  // namespace

Rounds::Rounds(const RoundPlan& plan, long warm_up, long steps)
    : plan_(plan), warm_up_(warm_up), steps_(steps) {
  const long after = std::max(0L, steps - warm_up * plan.warm_up.local_steps);
  size_ = warm_up + ceiling_of(after, plan.local_steps);
}

Rounds Rounds::of_steps(const RoundPlan& plan, long steps) {
  const long length = plan.warm_up.local_steps;
  const long early = ceiling(plan.warm_up.until * static_cast<double>(steps) / static_cast<double>(length));
  return {plan, std::clamp(plan.warm_up.rounds + early, 0L, ceiling_of(steps, length)), steps};
}

Rounds Rounds::of_rounds(const RoundPlan& plan, long rounds) {
  // Of warm-up rounds by a fraction: the largest w whose last one begins early enough, that is
  // (w - 1) length < until (w length + (rounds - w) local_steps).
  const double until = plan.warm_up.until;
  const double ratio = static_cast<double>(plan.local_steps) / static_cast<double>(plan.warm_up.local_steps);
  const double bound = (until * ratio * static_cast<double>(rounds) + 1) / (1 + until * (ratio - 1));
  const long warm_up = std::clamp(plan.warm_up.rounds + ceiling(bound) - 1, 0L, rounds);
  return {plan, warm_up, warm_up * plan.warm_up.local_steps + (rounds - warm_up) * plan.local_steps};
}

/// Local steps of each worker before the round after that one.
long Rounds::steps_until(long index) const {
  const long early = std::min(index, warm_up_);
  return std::min(steps_, early * plan_.warm_up.local_steps + (index - early) * plan_.local_steps);
}

/// Tests that are due up to then; a hair less is close enough.
long Rounds::tests_until(long steps) const {
  return static_cast<long>(std::floor(static_cast<double>(steps) / evaluate_every_steps_ + 1e-9));
}

bool Rounds::reaches_test(long index) const {
  if (evaluate_every_rounds_) return index % *evaluate_every_rounds_ == 0;
  return tests_until(steps_until(index)) > tests_until(steps_until(index - 1));
}

Round Rounds::at(long index) const {
  const long begin = steps_until(index - 1), end = steps_until(index);
  const bool last = index == size_;
  return {.index = index,
          .local_steps = end - begin,
          .steps_so_far = end,
          .warm_up = index <= warm_up_,
          .evaluated = last || reaches_test(index),
          .last = last};
}

long Rounds::evaluations() const {
  if (evaluate_every_rounds_) return ceiling_of(size_, *evaluate_every_rounds_);
  long count = 0;
  const auto add = [&](long first, long last, long length) {
    if (first > last) return;
    if (static_cast<double>(length) < evaluate_every_steps_) {  // no round reaches two tests
      count += tests_until(steps_until(last)) - tests_until(steps_until(first - 1));
    } else {  // each reaches one, but for a shorter last one
      count += last - first + (reaches_test(last) ? 1 : 0);
    }
  };
  add(1, std::min(warm_up_, size_), plan_.warm_up.local_steps);
  add(warm_up_ + 1, size_, plan_.local_steps);
  return count + (reaches_test(size_) ? 0 : 1);
}

}  // namespace isthmus
