#pragma once

#include <vector>

#include "models/training.hpp"
#include "models/values.hpp"

namespace isthmus {

/// Stochastic gradient descent as in PyTorch: g += weight_decay w; v = momentum v + g;
/// w -= rate (g + momentum v) with Nesterov, else w -= rate v.
class Sgd {
 public:
  explicit Sgd(const TrainingOptions& options)
      : momentum_(static_cast<float>(options.momentum)),
        weight_decay_(static_cast<float>(options.weight_decay)),
        nesterov_(options.nesterov) {}

  /// One step. `parameters` may be longer than `gradients`: what is not trained comes last.
  void step(Values parameters, ConstValues gradients, double learning_rate);

  /// Forgets the momentum.
  void reset() { velocity_.clear(); }

  /// The momentum of each parameter; empty before the first step and without momentum.
  const std::vector<float>& velocity() const { return velocity_; }
  /// The same, to be changed: so many zeros where there is none yet.
  Values velocity(std::size_t size) {
    velocity_.resize(size);
    return velocity_;
  }
  void set_velocity(std::vector<float> velocity) { velocity_ = std::move(velocity); }

  /// Numbers kept per parameter, and FLOPs per parameter of a step.
  static int state_per_parameter(const TrainingOptions& options) { return options.momentum > 0 ? 1 : 0; }
  static int flops_per_parameter(const TrainingOptions& options);

 private:
  float momentum_, weight_decay_;
  bool nesterov_;
  std::vector<float> velocity_;
};

/// The learning rate of a step (0, 1, ... total_steps - 1).
double learning_rate_at(const TrainingOptions& options, long step, long total_steps);

}  // namespace isthmus
