#include "models/sgd.hpp"

#include <cmath>
#include <numbers>

namespace isthmus {

void Sgd::step(Values parameters, ConstValues gradients, double learning_rate) {
  const auto rate = static_cast<float>(learning_rate);
  float* w = parameters.data();
  const float* g = gradients.data();
  const std::size_t size = gradients.size();
  if (momentum_ == 0) {
    for (std::size_t i = 0; i < size; ++i) w[i] -= rate * (g[i] + weight_decay_ * w[i]);
    return;
  }
  velocity_.resize(size);  // a fresh velocity is zero
  float* v = velocity_.data();
  // Nesterov looks ahead: it steps by g + momentum v, plain momentum by v alone.
  const float gradient_share = nesterov_ ? 1 : 0;
  const float velocity_share = nesterov_ ? momentum_ : 1;
  for (std::size_t i = 0; i < size; ++i) {
    const float gradient = g[i] + weight_decay_ * w[i];
    v[i] = momentum_ * v[i] + gradient;
    w[i] -= rate * (gradient_share * gradient + velocity_share * v[i]);
  }
}

int Sgd::flops_per_parameter(const TrainingOptions& options) {
  return 2 + (options.weight_decay > 0 ? 2 : 0) + (options.momentum > 0 ? 2 : 0) + (options.nesterov ? 2 : 0);
}

double learning_rate_at(const TrainingOptions& options, long step, long total_steps) {
  const Schedule& schedule = options.schedule;
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
