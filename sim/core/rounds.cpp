#include "sim/core/rounds.hpp"

#include <algorithm>
#include <cmath>

namespace isthmus {

void Rounds::Iterator::advance() {
  ended_ = round_.last || plan_->steps == 0;
  if (ended_) return;
  const long done = round_.steps_so_far;
  ++round_.index;
  round_.local_steps = done < plan_->single_steps ? 1 : std::min(plan_->local_steps, plan_->steps - done);
  round_.steps_so_far = done + round_.local_steps;
  round_.last = round_.steps_so_far == plan_->steps;
  if (plan_->evaluate_every_rounds) {
    round_.evaluated = round_.index % *plan_->evaluate_every_rounds == 0;
  } else {
    // At the first round that reaches each multiple of so many epochs; a hair less is close enough.
    const double epochs = static_cast<double>(round_.steps_so_far) / plan_->steps_per_epoch + 1e-9;
    round_.evaluated = epochs >= next_evaluation_epochs_;
    if (round_.evaluated) {
      const double every = plan_->evaluate_every_epochs;
      next_evaluation_epochs_ = every * (std::floor(epochs / every) + 1);
    }
  }
  round_.evaluated = round_.evaluated || round_.last;
}

long Rounds::size() const {
  const long single = std::min(plan_.single_steps, plan_.steps), others = plan_.steps - single;
  return single + (others + plan_.local_steps - 1) / plan_.local_steps;
}

long Rounds::last_steps() const {
  const long others = plan_.steps - std::min(plan_.single_steps, plan_.steps);
  return others == 0 ? 1 : (others - 1) % plan_.local_steps + 1;
}

long Rounds::evaluations() const {
  if (plan_.evaluate_every_rounds) {
    const long every = *plan_.evaluate_every_rounds;
    return (size() + every - 1) / every;
  }
  long count = 0;
  for (const Round& round : *this) count += round.evaluated ? 1 : 0;
  return count;
}

}  // namespace isthmus
