#include "sim/core/worker.hpp"

#include <algorithm>

namespace isthmus {

Worker::Worker(const Job& job, Host& host, TaskPool& pool, Recorder& recorder)
    : job_(job), host_(host), pool_(pool), recorder_(recorder) {
  if (const VariabilityOptions options = host.variability(); options.any())
    variability_ = std::make_unique<Variability>(options, job.training().seed, rank());
  shard_ = host_.memory().reserve(MemoryPart::data, job_.shard_bytes(rank()));
  if (recorder_.computes(1)) {
    live_ = true;
    host_.carry_values();
  }
}

void Worker::end_round(const Round& round, Values parameters) {
  std::vector<Selection> homes(static_cast<std::size_t>(size()));
  homes.front() = Selection::everything(job_.model().layout());
  end_round(round, homes, parameters);
}

void Worker::end_round(const Round& round, const std::vector<Selection>& homes, Values values) {
  report(round, homes[static_cast<std::size_t>(rank())], values);
  finish(round, homes, values);
}

void Worker::end_round_apart(const Round& round, Values parameters) {
  recorder_.publish_replica(round, rank(), parameters, true);
  report(round, {}, {});
  const std::vector<Selection> replicas(static_cast<std::size_t>(size()),
                                        Selection::everything(job_.model().layout()));
  finish(round, replicas, parameters);
}

void Worker::report(const Round& round, const Selection& part, ConstValues values) {
  recorder_.end_round(round,
                      {.rank = rank(),
                       .simulated_seconds = host_.now_seconds(),
                       .ledger = host_.ledger(),
                       .training = training_},
                      part, values);
}

void Worker::finish(const Round& round, const std::vector<Selection>& homes, Values values) {
  if (round.evaluated) training_ = {};
  if (round.evaluated && job_.training().charge_evaluation) charge_evaluation(homes, values);
  host_.timeline().add_round(rank(), round.index, round_start_seconds_, host_.now_seconds());
  round_start_seconds_ = host_.now_seconds();
  if (!live_ && recorder_.computes(round.index + 1) && !round.last) resume(round);
  if (live_ && recorder_.wants_state(round)) recorder_.keep(round, rank(), state());
}

/// Values were phantoms up to this round; from here on they are real.
void Worker::resume(const Round& round) {
  live_ = true;
  host_.carry_values();
  const Trajectory::WorkerState& recorded = recorder_.recorded().workers.at(static_cast<std::size_t>(rank()));
  training_ = recorded.training;
  std::size_t next = 0;
  for (RoundState* state : states_) state->resume(round, recorded.values, next);
}

Trajectory::WorkerState Worker::state() const {
  Trajectory::WorkerState state{training_, {}};
  for (const RoundState* each : states_) each->save(state.values);
  return state;
}

void Worker::compute(const Computation& computation, const std::function<void()>& work, double slowdown) {
  if (!live_) return host_.execute(computation, slowdown);
  PendingWork<void> done = pool_.submit(work);
  host_.execute(computation, slowdown);
  done.get();
}

/// Worker 0 gets together what rests elsewhere and runs the model forward over the test set.
void Worker::charge_evaluation(const std::vector<Selection>& homes, Values values) {
  const auto home_size = [&](int worker) { return homes[static_cast<std::size_t>(worker)].size(); };
  if (rank() != 0) {
    if (home_size(rank()) > 0) communicator().send(0, values);
    return;
  }
  std::size_t elsewhere = 0;
  for (int worker = 1; worker < size(); ++worker) elsewhere += home_size(worker);
  Buffer buffer = communicator().buffer(elsewhere);
  std::vector<Message> incoming;
  for (int worker = 1; worker < size(); ++worker) {
    if (home_size(worker) == 0) continue;
    elsewhere -= home_size(worker);
    incoming.push_back({worker, buffer.values().slice(elsewhere, home_size(worker))});
  }
  communicator().send_receive_all({}, incoming);
  const long samples = job_.data().test_samples;
  const long batch = std::min<long>(job_.training().evaluation_batch, samples), rest = samples % batch;
  const auto pass = [&](long size) {
    return Computation::of(job_.model().costs(static_cast<int>(size)).forward, device_model());
  };
  const Computation whole = pass(batch) * static_cast<double>(samples / batch);
  host_.execute(rest > 0 ? whole + pass(rest) : whole);
}

}  // namespace isthmus
