#pragma once

#include <functional>
#include <vector>

#include "models/trainer.hpp"
#include "sim/core/host.hpp"
#include "sim/core/job.hpp"
#include "sim/core/recorder.hpp"
#include "sim/core/task_pool.hpp"

namespace isthmus {

/// One rank of a protocol: what a protocol's text works with.
class Worker {
 public:
  /// Charges the worker's samples to its device. Throws OutOfMemory.
  Worker(const Job& job, Host& host, TaskPool& pool, Recorder& recorder);

  int rank() const { return host_.communicator().rank(); }
  int size() const { return host_.communicator().size(); }
  const Job& job() const { return job_; }
  Communicator& communicator() { return host_.communicator(); }
  std::unique_ptr<CommunicationStream> communication_stream() { return host_.communication_stream(); }
  /// Memory of this worker's device. Throws OutOfMemory.
  [[nodiscard]] Reservation reserve(MemoryPart part, std::uint64_t bytes) {
    return host_.memory().reserve(part, bytes);
  }

  /// Ends a round after which every worker has the same parameters. `exchanged`: how many values each had to
  /// give up and to get for that.
  void end_round(const Round& round, Values parameters, std::size_t exchanged);
  /// Ends a round after which homes[i] of the model rests with worker i, `values` being this worker's home.
  /// `exchanged`: how many parameters this worker was given for the round.
  void end_round(const Round& round, const std::vector<Selection>& homes, Values values,
                 std::size_t exchanged);
  /// Whether values are computed here and now: not in rounds that a trajectory holds, nor where only costs
  /// are counted; they are phantoms then.
  bool live() const { return live_; }

  /// Spends the simulated time of so many FLOPs and meanwhile, if the worker is live, does `work` beside the
  /// simulation.
  void compute(double flops, const std::function<void()>& work);

  /// Before the end of a round: these parameters are what a test of the model is to use.
  void publish(const Round& round, const Selection& what, ConstValues values) {
    recorder_.publish(round, what, values);
  }

 private:
  friend class Replica;
  friend class StateEntry;
  void resume(const Round& round);
  Trajectory::WorkerState state() const;
  void charge_evaluation(const std::vector<Selection>& homes, Values values);

  const Job& job_;
  Host& host_;
  TaskPool& pool_;
  Recorder& recorder_;
  Reservation shard_;
  bool live_ = false;
  std::vector<RoundState*> states_;  // in the order in which they were made
  BatchResult training_;             // since the last evaluated round
  double round_start_seconds_ = 0;
};

/// Makes a worker know of something that holds values from round to round, while this lives.
class StateEntry {
 public:
  StateEntry(Worker& worker, RoundState& state) : worker_(worker) { worker_.states_.push_back(&state); }
  StateEntry(const StateEntry&) = delete;
  StateEntry& operator=(const StateEntry&) = delete;
  ~StateEntry() { worker_.states_.pop_back(); }

 private:
  Worker& worker_;
};

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
  /// A subnet. Throws OutOfMemory.
  Replica(Worker& worker, std::shared_ptr<const Model> model);

  /// Becomes a network of another shape, with parameters yet to be written and a fresh optimizer.
  void reshape(std::shared_ptr<const Model> model);

  Values parameters();
  Values gradients();
  /// The momentum of each trainable parameter, where training has momentum.
  Values momentum();

  /// Writes the initial parameters of the whole model, the same on every worker.
  void initialise();
  /// So many local steps of SGD.
  void train(long steps);
  /// The gradient of one local step.
  void compute_gradient() { compute_gradient({}, {}); }
  /// The same, calling `known` for each part of it as soon as it is known, before the backward pass goes on.
  using GradientKnown = std::function<void(const Extent&)>;
  void compute_gradient(const std::vector<GradientPart>& parts, const GradientKnown& known);
  /// One optimizer step with gradients().
  void apply_gradient();
  /// Forgets the momentum.
  void reset_optimizer();

 private:
  template <typename Work>
  void compute(double flops, Work&& work);
  void make_trainer();
  void save(std::vector<std::vector<float>>& values) const override;
  void resume(const Round& round, const std::vector<std::vector<float>>& values, std::size_t& next) override;

  Worker& worker_;
  StateEntry entry_;
  std::shared_ptr<const Model> model_;
  ParameterLayout layout_;
  double gradient_flops_ = 0, update_flops_ = 0;
  std::vector<Reservation> reservations_;
  std::unique_ptr<Trainer> trainer_;  // null unless the worker is live
};

/// When the backward pass knows each of these parts of a gradient. They are taken in this order: a part
/// counts as known only when those before it are.
std::vector<GradientPart> gradient_parts(const Job& job, const Model& model,
                                         const std::vector<Extent>& extents);

/// FLOPs of one local step of `model`: forward, backward and the optimizer's.
double step_flops(const Job& job, const Model& model);

/// What a replica of `model` takes of a device's memory, for forecasts.
MemoryUse replica_memory(const Job& job, const Model& model);

}  // namespace isthmus
