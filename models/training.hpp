#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

namespace isthmus {

/// What happens to what the optimizer remembers (momentum, ...) when a worker's parameters are replaced by
/// synchronised ones.
enum class OptimizerState { protocol_default, keep, reset, average };

/// What convolutions multiply: fp32, or bf16 (8 bits of mantissa) with sums, parameters and all else in fp32.
enum class Precision { fp32, bf16 };

/// The learning rate as a factor over the course of training.
struct Schedule {
  enum class Kind { constant, step, cosine };
  Kind kind = Kind::constant;
  std::vector<double>
      milestones;           ///< step: fractions of training at which the rate is multiplied by `factor`
  double factor = 0.1;      ///< step
  double final_factor = 0;  ///< cosine: where it ends
  double warm_up = 0;       ///< fraction of training with linear warm-up
};

/// What a framework keeps in a device's memory besides what the training needs.
struct FrameworkMemory {
  std::uint64_t context_bytes = 0;
  bool loss_copies = false;       ///< log-probabilities and their gradient, beside logits and theirs
  bool gradient_buckets = false;  ///< in data parallel training: the gradients a second time
};

/// With which optimizer, how long, how often, from which seed.
struct TrainingOptions {
  int batch = 128;               ///< samples of one mini-batch of one worker
  int accumulation_steps = 1;    ///< mini-batches whose mean gradient makes one local step
  std::optional<double> epochs;  ///< passes over the whole data set by all workers together
  std::optional<long> rounds;    ///< instead of epochs
  std::optional<double> end_after_seconds;  ///< of simulated time, if epochs or rounds do not end before
  double learning_rate = 0.01;
  nlohmann::json optimizer = {{"kind", "sgd"}};  ///< for make_optimizer()
  std::optional<double> clip_gradient_norm;
  Schedule schedule;
  OptimizerState optimizer_state = OptimizerState::protocol_default;
  std::uint64_t seed = 1;
  std::optional<long> evaluate_every_rounds;  ///< exactly one of these two is set
  std::optional<double> evaluate_every_epochs;
  int evaluation_batch = 1000;     ///< samples normalised together where batch statistics are used
  long reestimation_batches = 0;   ///< of training samples, whose statistics tests normalise by
  bool charge_evaluation = false;  ///< put evaluations on the simulated clock
  std::optional<double> target_accuracy;
  Precision precision = Precision::fp32;
  FrameworkMemory framework_memory;

  long samples_per_step() const { return static_cast<long>(batch) * accumulation_steps; }
};

}  // namespace isthmus
