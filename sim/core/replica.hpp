#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "models/trainer.hpp"
#include "sim/core/worker.hpp"

namespace isthmus {

/// A part of a gradient, and the FLOPs of a local step after which it is known.
struct GradientPart {
  Extent extent;
  double known_after_flops = 0;
};

/// A network in training on a worker's device: parameters, gradients, optimizer state and activations,
/// charged to its memory. Arithmetic runs beside the simulation, in the task pool, and takes simulated time
/// by its FLOPs; unless the worker is live there is none, and values are phantoms.
class Replica final : private RoundState {
 public:
  /// A network of the shape of the job's model. Throws OutOfMemory.
  explicit Replica(Worker& worker);
  /// A subnet; null: none until reshape(). Throws OutOfMemory.
  Replica(Worker& worker, std::shared_ptr<const Model> model);

  /// Becomes a network of another shape, with parameters yet to be written and a fresh optimizer.
  void reshape(std::shared_ptr<const Model> model);

  Values parameters();
  Values gradients();
  /// What the optimizer keeps of each trainable parameter: of its momentum, or whatever it has.
  std::vector<Values> optimizer_states();

  /// Writes the initial parameters of the whole model, the same on every worker.
  void initialise();
  /// So many local steps.
  void train(long steps);
  /// The gradient of one local step.
  void compute_gradient() { compute_gradient({}, {}); }
  /// The same, calling `known` for each part of it as soon as it is known, before the backward pass goes on.
  using GradientKnown = std::function<void(const Extent&)>;
  void compute_gradient(const std::vector<GradientPart>& parts, const GradientKnown& known);
  /// One optimizer step with gradients().
  void apply_gradient();
  /// Makes the optimizer a fresh one.
  void reset_optimizer();

 private:
  void make_trainer();
  void save(std::vector<std::vector<float>>& values) const override;
  void resume(const Round& round, const std::vector<std::vector<float>>& values, std::size_t& next) override;

  Worker& worker_;
  StateEntry entry_;
  std::shared_ptr<const Model> model_;
  ParameterLayout layout_;
  double gradient_flops_ = 0, update_flops_ = 0;
  std::vector<Reservation> reservations_;
  std::unique_ptr<Optimizer> optimizer_;  // never used: says what any of its kind is
  std::unique_ptr<Trainer> trainer_;  // null unless the worker is live
};

/// When the backward pass knows each of these parts of a gradient. They are taken in this order: a part
/// counts as known only when those before it are.
std::vector<GradientPart> gradient_parts(const Job& job, const Model& model,
                                         const std::vector<Extent>& extents);

/// FLOPs of one local step of `model`: forward, backward and the optimizer's.
double step_flops(const Job& job, const Model& model);

/// What a replica of `model` takes of a device's memory.
MemoryUse replica_memory(const Job& job, const Model& model);

}  // namespace isthmus
