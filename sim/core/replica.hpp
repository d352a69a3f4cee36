#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "models/trainer.hpp"
#include "sim/core/worker.hpp"

namespace isthmus {

/// A part of a gradient, and what of a local step has been computed when it is known.
struct GradientPart {
  Extent extent;
  Computation known_after;
};

/// A network in training on a worker's device: parameters, gradients, optimizer state and activations,
/// charged to its memory. Arithmetic runs beside the simulation, in the task pool, and takes the simulated
/// time of the device; unless the worker is live there is none, and values are phantoms.
class Replica final : private RoundState {
 public:
  /// A network of the shape of the job's model. Throws OutOfMemory.
  explicit Replica(Worker& worker);
  /// A subnet; null: none until reshape(). Throws OutOfMemory.
  Replica(Worker& worker, std::shared_ptr<const Model> model);
  /// Of the whole model, for gradients only: steps are made elsewhere, and no optimizer is held. Throws
  /// OutOfMemory.
  static Replica for_gradients(Worker& worker);

  /// Becomes a network of the shape of the job's model.
  void become_whole();
  /// Holds no network, and no memory, until it becomes one again; goes on with its samples then.
  void release();
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
  /// One local step, calling `known` for each of these parts of the parameters, by its index, as soon as its
  /// gradient is known and the optimizer has made its step of it; with clipped gradients, when all is known.
  void train_step(const std::vector<GradientPart>& parts, const std::function<void(std::size_t part)>& known);
  /// The gradient of one local step.
  void compute_gradient() { compute_gradient({}, {}); }
  /// The same, calling `known` for each part of it as soon as it is known, before the backward pass goes on.
  using GradientKnown = std::function<void(const Extent&)>;
  void compute_gradient(const std::vector<GradientPart>& parts, const GradientKnown& known);
  /// One optimizer step with gradients().
  void apply_gradient();
  /// Makes the optimizer a fresh one.
  void reset_optimizer();
  /// The schedule goes on from there, as a part of training.
  void set_progress(double part);
  /// From now on every gradient is changed by that before a step is made with it, which is `work` for the
  /// device.
  void adjust_gradients(Trainer::Adjust adjust, const Work& work);

 private:
  Replica(Worker& worker, std::shared_ptr<const Model> model, bool optimises);
  void make_trainer();
  class Progress;
  void save(std::vector<std::vector<float>>& values) const override;
  void resume(const Round& round, const std::vector<std::vector<float>>& values, std::size_t& next) override;

  Worker& worker_;
  StateEntry entry_;
  std::shared_ptr<const Model> model_;
  ParameterLayout layout_;
  Computation gradient_, update_;  // of a local step
  double slowdown_ = 1;            // of the one that is under way
  bool optimises_;
  std::vector<Reservation> reservations_;
  std::unique_ptr<Optimizer> optimizer_;  // never used: says what any of its kind is
  std::unique_ptr<Trainer> trainer_;      // null unless the worker is live
};

/// When the backward pass knows each of these parts of a gradient. They are taken in this order: a part
/// counts as known only when those before it are. `device`: null where no profile is known.
std::vector<GradientPart> gradient_parts(const Job& job, const Model& model,
                                         const std::vector<Extent>& extents,
                                         const DeviceModel* device = nullptr);

/// One local step of `model`: forward, backward and the optimizer's.
Work step_work(const Job& job, const Model& model);
inline double step_flops(const Job& job, const Model& model) { return flops_of(step_work(job, model)); }

/// What a replica of `model` takes of a device's memory; `optimises`: with the optimizer's part.
MemoryUse replica_memory(const Job& job, const Model& model, bool optimises = true);

}  // namespace isthmus
