#include "models/optimizer/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace isthmus {

double learning_rate_at(const TrainingOptions& options, long step, long total_steps) {
  const Schedule& schedule = options.schedule;
  step = std::min(step, total_steps);
  const double progress = static_cast<double>(step) / static_cast<double>(total_steps);
  // Less a hair: 0.07 * 100 is a little more than 7.
  const double warm_up_steps = std::ceil(schedule.warm_up * static_cast<double>(total_steps) - 1e-9);
  if (static_cast<double>(step) < warm_up_steps) {
    return options.learning_rate * static_cast<double>(step + 1) / warm_up_steps;
  }
  double factor = 1;
  switch (schedule.kind) {
    case Schedule::Kind::constant:
      break;
    case Schedule::Kind::step:
      for (const double milestone : schedule.milestones)
        factor *= progress >= milestone ? schedule.factor : 1;
      break;
    case Schedule::Kind::cosine: {
      const double done = (progress - schedule.warm_up) / (1 - schedule.warm_up);
      factor =
          schedule.final_factor + (1 - schedule.final_factor) * (1 + std::cos(std::numbers::pi * done)) / 2;
      break;
    }
  }
  return options.learning_rate * factor;
}

}  // namespace isthmus
