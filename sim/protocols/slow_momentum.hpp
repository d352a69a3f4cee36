#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "sim/core/worker.hpp"

namespace isthmus {

/// Slow momentum (SlowMo; Wang, Tantia, Ballas, Rabbat, ICLR 2020). What local steps and their mean made of
/// the parameters x in a round is taken as the step of an optimizer with momentum:
///   u = beta u + (x_begin - x_mean) / gamma;  x = x_begin - alpha gamma u,
/// gamma being the learning rate of the round's first step. With beta 0 it is a step of another length; with
/// alpha 1, too, it is the mean itself, and nothing is done or kept. Running statistics take the mean.
struct SlowMomentumOptions {
  double momentum = 0;       ///< beta
  double learning_rate = 1;  ///< alpha

  static SlowMomentumOptions parse(const nlohmann::json& protocol);
  /// JSON Schema of the options, which parse() takes.
  static nlohmann::json schema();

  bool on() const { return momentum > 0 || learning_rate != 1; }
  /// Numbers kept per trainable parameter, and FLOPs per trainable parameter of a round.
  int state_per_parameter() const;
  int flops_per_parameter() const;
};

/// A worker's slow momentum; all workers' are alike. Charged to its device as optimizer state.
class SlowMomentum final : private RoundState {
 public:
  /// Throws OutOfMemory.
  SlowMomentum(Worker& worker, const SlowMomentumOptions& options);

  /// Before the local steps: keeps the parameters with which the round begins.
  void begin_round(ConstValues parameters);
  /// After the mean: makes the slow step.
  void step(const Round& round, Values parameters);

 private:
  void save(std::vector<std::vector<float>>& values) const override;
  void resume(const Round& round, const std::vector<std::vector<float>>& values, std::size_t& next) override;

  Worker& worker_;
  StateEntry entry_;
  SlowMomentumOptions options_;
  std::size_t count_;  // trainable parameters, which come first
  Reservation reservation_;
  std::vector<float> start_;     // of the round
  std::vector<float> momentum_;  // u; empty before the first step and without momentum
};

}  // namespace isthmus
