#pragma once

#include <functional>
#include <vector>

#include "sim/core/host.hpp"
#include "sim/core/job.hpp"
#include "sim/core/recorder.hpp"
#include "sim/core/task_pool.hpp"

namespace isthmus {

/// One rank of a protocol: what a protocol's text works with. Ranks from size() on are servers: they hold
/// parameters, and have no samples.
class Worker {
 public:
  /// Charges the worker's samples to its device. Throws OutOfMemory.
  Worker(const Job& job, Host& host, TaskPool& pool, Recorder& recorder);

  int rank() const { return host_.communicator().rank(); }
  /// Workers, without servers.
  int size() const { return job_.workers(); }
  int servers() const { return host_.communicator().size() - size(); }
  bool is_server() const { return rank() >= size(); }
  const Job& job() const { return job_; }
  Communicator& communicator() { return host_.communicator(); }
  std::unique_ptr<CommunicationStream> communication_stream() { return host_.communication_stream(); }
  /// Memory of this worker's device. Throws OutOfMemory.
  [[nodiscard]] Reservation reserve(MemoryPart part, std::uint64_t bytes) {
    return host_.memory().reserve(part, bytes);
  }

  // Each worker ends each round by one of the next three, whichever says where the parameters are then. It
  // reports time, bytes and training since the last report to the recorder. If the round is evaluated, the
  // recorder tests the model beside the simulation, off the clock; only `charge_evaluation` makes workers
  // spend time on it. A worker that is to be resumed, or whose state is to be kept, does that here, too: what
  // is carried from one round to the next must be a RoundState.

  /// After this round every worker has the same parameters, of which worker 0's are tested.
  void end_round(const Round& round, Values parameters);
  /// After this round homes[i] of the model rests with worker i, `values` being this worker's home. All homes
  /// together, and what has been published, are tested.
  void end_round(const Round& round, const std::vector<Selection>& homes, Values values);
  /// After this round every worker has parameters of its own (gossip, or local SGD between two averages). The
  /// mean of all replicas is tested; nobody in the simulation has it.
  void end_round_apart(const Round& round, Values parameters);
  /// Of a server, the i-th of which has slice i of the model's parameters, cut into as many as there are
  /// servers: it ends the round for all. `steps`: local steps that went into it, if not those planned.
  void end_round_of_server(const Round& round, Values home, std::optional<long> steps = {});
  /// A worker sends something to servers; something of a worker's has come to this server.
  void note_departure() { recorder_.add_departure(report()); }
  void note_arrival(int worker) { recorder_.add_arrival(worker); }
  /// What a server does with what a worker had begun so many updates before.
  void note_update(long staleness) { recorder_.add_update(staleness); }
  /// The part of training that is done, as far as servers have ended rounds. Known to all without a message;
  /// real programs would put these few bytes into one that is sent anyway.
  double progress() const { return recorder_.progress(); }
  /// Which of the model's parameters a server holds.
  Extent home_of_server(int server) const;

  /// Whether values are computed here and now: not in rounds that a trajectory holds, nor where only costs
  /// are counted; they are phantoms then.
  bool live() const { return live_; }

  /// For which this worker's device has computed so far.
  double compute_seconds() const { return host_.ledger().compute_seconds; }

  /// Local steps that this worker has made so far, before it was lost, too.
  long steps_made() const { return static_cast<long>(host_.ledger().local_steps); }
  /// How long this worker's device takes for a local step of `model`, when nothing slows it down.
  double step_seconds(const Model& model) const;

  /// Does nothing for so long.
  void pause(double seconds) { host_.pause(seconds); }

  /// Null where no more than the device's speed is known.
  const DeviceModel* device_model() const { return host_.device_model(); }
  /// Spends the simulated time that this worker's device takes, times `slowdown`, and meanwhile, if the
  /// worker is live, does `work` beside the simulation.
  void compute(const Computation& computation, const std::function<void()>& work, double slowdown = 1);
  void compute(const Work& kernels, const std::function<void()>& work) {
    compute(Computation::of(kernels, device_model()), work);
  }

  /// Before the end of a round in which all workers come together again: how far their versions are from the
  /// mean is noted, off the clock, if the round is evaluated.
  void note_divergence(const Round& round, ConstValues parameters) {
    recorder_.publish_replica(round, rank(), parameters, false);
  }

  /// Before the end of a round: these parameters are what a test of the model is to use.
  void publish(const Round& round, const Selection& what, ConstValues values) {
    recorder_.publish(round, what, values);
  }

 private:
  friend class Replica;
  friend class StateEntry;
  void resume(const Round& round);
  Trajectory::WorkerState state() const;
  RoundReport report() const;
  void count(long steps, const BatchResult& training);
  /// `home_sizes`: how many of the model's parameters rest with each of those who end rounds.
  using HomeSizes = std::vector<std::size_t>;
  void finish(const Round& round, const HomeSizes& home_sizes, Values values);
  void charge_evaluation(const HomeSizes& home_sizes, Values values);

  const Job& job_;
  Host& host_;
  TaskPool& pool_;
  Recorder& recorder_;
  /// How many times as long as usual its next local steps take.
  double next_slowdown(long steps) { return variability_ ? variability_->slowdown(steps) : 1; }

  std::unique_ptr<Variability> variability_;  // null: steps are alike
  Reservation shard_, context_;
  bool live_ = false;
  std::vector<RoundState*> states_;  // in the order in which they were made
  BatchResult training_;             // since the last evaluated round
  double round_start_seconds_ = 0;
};

/// Makes a worker know of something that holds values from round to round, while this lives.
class StateEntry {
 public:
  StateEntry(Worker& worker, RoundState& state) : worker_(worker), state_(state) {
    worker_.states_.push_back(&state);
  }
  StateEntry(const StateEntry&) = delete;
  StateEntry& operator=(const StateEntry&) = delete;
  ~StateEntry() { std::erase(worker_.states_, &state_); }

 private:
  Worker& worker_;
  RoundState& state_;
};

}  // namespace isthmus
