#include "sim/core/worker.hpp"

#include <algorithm>

#include "models/slices.hpp"
#include "models/step_work.hpp"

namespace isthmus {

Worker::Worker(const Job& job, Host& host, TaskPool& pool, Recorder& recorder)
    : job_(job), host_(host), pool_(pool), recorder_(recorder) {
  context_ = host_.memory().reserve(MemoryPart::buffers, job.training().framework_memory.context_bytes);
  if (!is_server()) {
    if (const VariabilityOptions options = host.variability(); options.any())
      variability_ = std::make_unique<Variability>(options, job.training().seed, rank());
    shard_ = host_.memory().reserve(MemoryPart::data, job_.shard_bytes(rank()));
  }
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
  recorder_.end_round(round, report(), homes[static_cast<std::size_t>(rank())], values);
  HomeSizes sizes;
  for (const Selection& home : homes) sizes.push_back(home.size());
  finish(round, sizes, values);
}

void Worker::end_round_apart(const Round& round, Values parameters) {
  recorder_.publish_replica(round, rank(), parameters, true);
  recorder_.end_round(round, report(), Selection(), {});
  finish(round, HomeSizes(static_cast<std::size_t>(size()), parameters.size()), parameters);
}

void Worker::end_round_of_server(const Round& round, Values home, std::optional<long> steps) {
  RoundReport own = report();
  own.steps = steps;
  recorder_.end_round(round, own, home_of_server(rank() - size()), home);
  HomeSizes sizes;
  for (int server = 0; server < servers(); ++server) sizes.push_back(home_of_server(server).size);
  finish(round, sizes, home);
}

Extent Worker::home_of_server(int server) const {
  const auto [offset, size] = slice_of(job_.model().layout().size(), static_cast<std::size_t>(servers()),
                                       static_cast<std::size_t>(server));
  return {offset, size};
}

RoundReport Worker::report() const {
  return {.rank = rank(),
          .simulated_seconds = host_.now_seconds(),
          .ledger = host_.ledger(),
          .training = training_};
}

/// What has been trained: to be reported at the end of the round, if it is this worker that ends it.
void Worker::count(long steps, const BatchResult& training) {
  host_.count_steps(steps);
  training_ += training;
  if (servers() == 0) return;
  recorder_.add_training(report());
  training_ = {};
}

void Worker::finish(const Round& round, const HomeSizes& home_sizes, Values values) {
  if (round.evaluated) training_ = {};
  if (round.evaluated && job_.training().charge_evaluation) charge_evaluation(home_sizes, values);
  host_.timeline().add_round(rank(), round.index, round_start_seconds_, host_.now_seconds());
  round_start_seconds_ = host_.now_seconds();
  if (is_server() && round.last) recorder_.server_is_done();
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

double Worker::step_seconds(const Model& model) const {
  const Work work = step_work(job_.training(), model.costs(job_.training().batch));
  return host_.seconds_for(Computation::of(work, device_model()));
}

void Worker::compute(const Computation& computation, const std::function<void()>& work, double slowdown) {
  if (!live_) return host_.execute(computation, slowdown);
  PendingWork<void> done = pool_.submit(work);
  host_.execute(computation, slowdown);
  done.get();
}

/// The first of those who end rounds gets together what rests elsewhere and runs the model forward over the
/// test set.
void Worker::charge_evaluation(const HomeSizes& home_sizes, Values values) {
  const int first = is_server() ? size() : 0, own = rank() - first;
  const auto home_size = [&](int index) { return home_sizes[static_cast<std::size_t>(index)]; };
  if (own != 0) {
    if (home_size(own) > 0) communicator().send(first, values);
    return;
  }
  const int homes = static_cast<int>(home_sizes.size());
  std::size_t elsewhere = 0;
  for (int index = 1; index < homes; ++index) elsewhere += home_size(index);
  Buffer buffer = communicator().buffer(elsewhere);
  std::vector<Message> incoming;
  for (int index = 1; index < homes; ++index) {
    if (home_size(index) == 0) continue;
    elsewhere -= home_size(index);
    incoming.push_back({first + index, buffer.values().slice(elsewhere, home_size(index))});
  }
  communicator().send_receive_all({}, incoming);
  const long samples = job_.data().test_samples;
  const long batch = std::min<long>(job_.training().evaluation_batch, samples), rest = samples % batch;
  const auto pass = [&](long size) {
    return Computation::of(job_.model().costs(static_cast<int>(size)).forward, device_model());
  };
  const Computation whole = pass(batch) * static_cast<double>(samples / batch);
  const Computation before =
      pass(job_.training().batch) * static_cast<double>(job_.training().reestimation_batches);
  host_.execute(before + (rest > 0 ? whole + pass(rest) : whole));
}

}  // namespace isthmus
