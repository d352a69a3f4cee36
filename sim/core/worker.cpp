#include "sim/core/worker.hpp"

#include <algorithm>
#include <atomic>

#include "models/sgd.hpp"
#include "sim/collectives/collectives.hpp"

namespace isthmus {
namespace {

/// Of a local step. Where mini-batches are accumulated, each of their gradients is added and the sum divided.
double gradient_flops(const TrainingOptions& training, const CostProfile& costs) {
  if (training.accumulation_steps == 1) return costs.gradient_flops();
  return training.accumulation_steps * (costs.gradient_flops() + static_cast<double>(costs.parameters));
}

}  // namespace

Worker::Worker(const Job& job, Host& host, TaskPool& pool, Recorder& recorder)
    : job_(job), host_(host), pool_(pool), recorder_(recorder) {
  shard_ = host_.memory().reserve(MemoryPart::data, job_.shard_bytes(rank()));
  if (recorder_.computes(1)) {
    live_ = true;
    host_.carry_values();
  }
}

void Worker::end_round(const Round& round, Values parameters, std::size_t exchanged) {
  std::vector<Selection> homes(static_cast<std::size_t>(size()));
  homes.front() = Selection::everything(job_.model().layout());
  end_round(round, homes, parameters, exchanged);
}

void Worker::end_round(const Round& round, const std::vector<Selection>& homes, Values values,
                       std::size_t exchanged) {
  constexpr double up_and_down = 2;
  recorder_.end_round(
      round,
      {.rank = rank(),
       .simulated_seconds = host_.now_seconds(),
       .bytes_sent = host_.ledger().bytes_sent,
       .training = training_,
       .paper_bytes =
           up_and_down * static_cast<double>(exchanged * bytes_per_value(communicator().wire_format()))},
      homes[static_cast<std::size_t>(rank())], values);
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

void Worker::compute(double flops, const std::function<void()>& work) {
  if (!live_) return host_.execute(flops);
  PendingWork<void> done = pool_.submit(work);
  host_.execute(flops);
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
  exchange(communicator(), {}, incoming);
  host_.execute(job_.model().costs(1).forward_flops * static_cast<double>(job_.data().test_samples));
}

// The job, and its model, outlive its workers.
Replica::Replica(Worker& worker)
    : Replica(worker, std::shared_ptr<const Model>(std::shared_ptr<void>(), &worker.job().model())) {}

Replica::Replica(Worker& worker, std::shared_ptr<const Model> model)
    : worker_(worker), entry_(worker, *this) {
  if (worker_.live()) make_trainer();
  reshape(std::move(model));
}

void Replica::make_trainer() {
  const Job& job = worker_.job();
  trainer_ = std::make_unique<Trainer>(job.dataset(), job.batches(worker_.rank()), job.training(),
                                       job.total_steps(), job.augmenter(worker_.rank()));
}

void Replica::save(std::vector<std::vector<float>>& values) const {
  const ConstValues parameters = trainer_->parameters();
  values.emplace_back(parameters.data(), parameters.data() + parameters.size());
  values.push_back(trainer_->momentum());
}

void Replica::resume(const Round& round, const std::vector<std::vector<float>>& values, std::size_t& next) {
  make_trainer();
  trainer_->set_model(*model_);
  trainer_->skip(round.steps_so_far);
  copy(values.at(next++), trainer_->parameters());
  trainer_->set_momentum(values.at(next++));
}

void Replica::reshape(std::shared_ptr<const Model> model) {
  const bool same = model_ && model->layout() == layout_;
  model_ = std::move(model);
  if (same) return reset_optimizer();
  const Job& job = worker_.job();
  layout_ = model_->layout();
  const CostProfile costs = model_->costs(job.training().batch);
  gradient_flops_ = gradient_flops(job.training(), costs);
  update_flops_ = static_cast<double>(costs.parameters) * Sgd::flops_per_parameter(job.training());
  reservations_.clear();
  const MemoryUse need = replica_memory(job, *model_);
  for (const MemoryPart part :
       {MemoryPart::parameters, MemoryPart::gradients, MemoryPart::optimizer, MemoryPart::activations}) {
    reservations_.push_back(worker_.host_.memory().reserve(part, need[part]));
  }
  if (trainer_) trainer_->set_model(*model_);
}

Values Replica::parameters() { return trainer_ ? trainer_->parameters() : Values::phantom(layout_.size()); }

Values Replica::gradients() {
  return trainer_ ? trainer_->gradients() : Values::phantom(layout_.trainable_size());
}

Values Replica::momentum() {
  return trainer_ ? trainer_->momentum_values() : Values::phantom(layout_.trainable_size());
}

void Replica::initialise() {
  if (trainer_) copy(worker_.job().initial_parameters(), parameters());
}

template <typename Work>
void Replica::compute(double flops, Work&& work) {
  if (!trainer_) return worker_.host_.execute(flops);
  PendingWork<BatchResult> result = worker_.pool_.submit(std::forward<Work>(work));
  worker_.host_.execute(flops);
  worker_.training_ += result.get();
}

void Replica::train(long steps) {
  compute(static_cast<double>(steps) * (gradient_flops_ + update_flops_),
          [this, steps] { return trainer_->train(steps); });
}

void Replica::compute_gradient(const std::vector<GradientPart>& parts, const GradientKnown& known) {
  std::atomic<std::size_t> known_from = layout_.trainable_size();
  const auto tell = [&known_from](std::size_t from) {
    known_from = from;
    known_from.notify_one();
  };
  const auto train = [this, tell] {
    const std::shared_ptr<void> however_it_ends(nullptr, [&](void*) { tell(0); });
    return trainer_->compute_gradient(tell);
  };
  PendingWork<BatchResult> result = trainer_ ? worker_.pool_.submit(train) : PendingWork<BatchResult>();
  double done_flops = 0;
  const auto compute_until = [&](double flops) {
    if (flops > done_flops) worker_.host_.execute(flops - done_flops);
    done_flops = flops;
  };
  for (const GradientPart& part : parts) {
    compute_until(part.known_after_flops);
    if (trainer_) {
      for (std::size_t from; (from = known_from) > part.extent.offset;) known_from.wait(from);
    }
    known(part.extent);
  }
  compute_until(gradient_flops_);
  if (trainer_) worker_.training_ += result.get();
}

void Replica::apply_gradient() {
  compute(update_flops_, [this] {
    trainer_->apply_gradient();
    return BatchResult{};
  });
}

void Replica::reset_optimizer() {
  if (trainer_) trainer_->reset_optimizer();
}

std::vector<GradientPart> gradient_parts(const Job& job, const Model& model,
                                         const std::vector<Extent>& extents) {
  std::vector<GradientPart> parts;
  for (const Extent& extent : extents) parts.push_back({extent, 0});
  const CostProfile costs = model.costs(job.training().batch);
  double flops = gradient_flops(job.training(), costs) - costs.backward_flops;
  for (const BackwardStep& step : model.backward_steps(job.training().batch)) {
    flops += step.flops;
    if (step.parameters.size == 0) continue;
    const std::size_t begin = step.parameters.offset, end = begin + step.parameters.size;
    for (GradientPart& part : parts) {
      if (begin < part.extent.offset + part.extent.size && part.extent.offset < end)
        part.known_after_flops = flops;
    }
  }
  double known = 0;
  for (GradientPart& part : parts) known = part.known_after_flops = std::max(known, part.known_after_flops);
  return parts;
}

double step_flops(const Job& job, const Model& model) {
  const CostProfile costs = model.costs(job.training().batch);
  return gradient_flops(job.training(), costs) +
         static_cast<double>(costs.parameters) * Sgd::flops_per_parameter(job.training());
}

MemoryUse replica_memory(const Job& job, const Model& model) {
  const CostProfile costs = model.costs(job.training().batch);
  MemoryUse use;
  use[MemoryPart::parameters] = model.layout().size() * sizeof(float);
  use[MemoryPart::gradients] = costs.parameters * sizeof(float);
  use[MemoryPart::optimizer] =
      costs.parameters * static_cast<std::size_t>(Sgd::state_per_parameter(job.training())) * sizeof(float);
  use[MemoryPart::activations] = costs.activation_bytes + costs.workspace_bytes;
  return use;
}

}  // namespace isthmus
