#include "sim/core/replica.hpp"

#include <algorithm>
#include <atomic>

#include "models/optimizer/optimizer.hpp"
#include "models/step_work.hpp"

namespace isthmus {
namespace {

/// What has been computed before each entry of the work, and at its end.
std::vector<Computation> computed_until(const Work& work, const DeviceModel* device) {
  const std::vector<BoundSeconds> takes = device ? device->seconds(work).until : std::vector<BoundSeconds>();
  std::vector<Computation> until(1);
  for (std::size_t i = 0; i < work.size(); ++i) {
    const Computation own = Computation::of({work[i]}, nullptr);
    until.push_back({until.back().flops + own.flops, device ? takes[i] : (until.back() + own).takes});
  }
  return until;
}

/// The job, and its model, outlive its workers.
std::shared_ptr<const Model> whole_model(const Worker& worker) {
  return {std::shared_ptr<void>(), &worker.job().model()};
}

}  // namespace

Replica::Replica(Worker& worker) : Replica(worker, whole_model(worker)) {}

Replica::Replica(Worker& worker, std::shared_ptr<const Model> model)
    : Replica(worker, std::move(model), true) {}

Replica Replica::for_gradients(Worker& worker) { return {worker, whole_model(worker), false}; }

Replica::Replica(Worker& worker, std::shared_ptr<const Model> model, bool optimises)
    : worker_(worker),
      entry_(worker, *this),
      optimises_(optimises),
      optimizer_(make_optimizer(worker.job().training().optimizer)) {
  if (worker_.live()) {
    make_trainer();
    trainer_->skip(worker_.steps_made());
  }
  if (model) reshape(std::move(model));
}

void Replica::make_trainer() {
  const Job& job = worker_.job();
  trainer_ = std::make_unique<Trainer>(job.dataset(), job.batches(worker_.rank()), job.training(),
                                       job.total_steps(), job.augmenter(worker_.rank()));
}

void Replica::save(std::vector<std::vector<float>>& values) const {
  const ConstValues parameters = trainer_->parameters();
  values.emplace_back(parameters.data(), parameters.data() + parameters.size());
  trainer_->optimizer().save(values);
}

void Replica::resume(const Round& round, const std::vector<std::vector<float>>& values, std::size_t& next) {
  make_trainer();
  trainer_->set_model(*model_);
  trainer_->skip(round.steps_so_far);
  copy(values.at(next++), trainer_->parameters());
  trainer_->optimizer().restore(values, next);
}

void Replica::reshape(std::shared_ptr<const Model> model) {
  const bool same = model_ && model->layout() == layout_;
  model_ = std::move(model);
  if (same) return reset_optimizer();
  const Job& job = worker_.job();
  layout_ = model_->layout();
  const CostProfile costs = model_->costs(job.training().batch);
  Work work = gradient_work(job.training(), costs);
  const std::size_t gradient_size = work.size();
  append(work, update_work(job.training(), costs));
  const std::vector<Computation> until = computed_until(work, worker_.device_model());
  gradient_ = until[gradient_size];
  update_ = until.back() - gradient_;
  reservations_.clear();
  const MemoryUse need = replica_memory(job, *model_, optimises_);
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

std::vector<Values> Replica::optimizer_states() {
  const std::size_t size = layout_.trainable_size();
  std::vector<Values> states;
  for (int which = 0; which < optimizer_->states(); ++which)
    states.push_back(trainer_ ? trainer_->optimizer().state(which, size) : Values::phantom(size));
  return states;
}

void Replica::initialise() {
  if (trainer_) copy(worker_.job().initial_parameters(), parameters());
}

void Replica::train(long steps) {
  if (steps == 0) return;
  BatchResult result;
  worker_.compute((gradient_ + update_) * static_cast<double>(steps),
                  [&] { result = trainer_->train(steps); }, worker_.next_slowdown(steps));
  worker_.count(steps, result);
}

/// How much of a local step a device has computed.
class Replica::Progress {
 public:
  Progress(Host& host, double slowdown) : host_(host), slowdown_(slowdown) {}
  void to(const Computation& then) {
    if (then > done_) host_.execute(then - done_, slowdown_);
    done_ = then;
  }

 private:
  Host& host_;
  double slowdown_;
  Computation done_;
};

void Replica::train_step(const std::vector<GradientPart>& parts,
                         const std::function<void(std::size_t part)>& known) {
  PendingWork<BatchResult> result =
      trainer_ ? worker_.pool_.submit([this] { return trainer_->train(1); }) : PendingWork<BatchResult>();
  const double slowdown = worker_.next_slowdown(1);
  const bool clipped = worker_.job().training().clip_gradient_norm.has_value();
  Progress progress(worker_.host_, slowdown);
  double updated = 0;  // share of the parameters
  for (std::size_t i = 0; i < parts.size(); ++i) {
    updated += static_cast<double>(parts[i].extent.size) / static_cast<double>(layout_.trainable_size());
    progress.to((clipped ? gradient_ : parts[i].known_after) + update_ * updated);
    if (i == 0) worker_.count(1, trainer_ ? result.get() : BatchResult());
    known(i);
  }
  progress.to(gradient_ + update_);
  if (parts.empty()) worker_.count(1, trainer_ ? result.get() : BatchResult());
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
  slowdown_ = worker_.next_slowdown(1);
  Progress progress(worker_.host_, slowdown_);
  for (const GradientPart& part : parts) {
    progress.to(part.known_after);
    if (trainer_) {
      for (std::size_t from; (from = known_from) > part.extent.offset;) known_from.wait(from);
    }
    known(part.extent);
  }
  progress.to(gradient_);
  worker_.count(1, trainer_ ? result.get() : BatchResult());
}

void Replica::apply_gradient() {
  worker_.compute(
      update_, [this] { trainer_->apply_gradient(); }, slowdown_);
}

void Replica::become_whole() { reshape(whole_model(worker_)); }

void Replica::release() {
  if (trainer_) trainer_->release();
  model_ = nullptr;
  layout_ = {};
  reservations_.clear();
}

void Replica::set_progress(double part) {
  if (trainer_) trainer_->set_progress(part);
}

void Replica::adjust_gradients(Trainer::Adjust adjust, const Work& work) {
  const Job& job = worker_.job();
  Work update = update_work(job.training(), model_->costs(job.training().batch));
  append(update, work);
  update_ = Computation::of(update, worker_.device_model());
  if (trainer_) trainer_->adjust_gradients(std::move(adjust));
}

void Replica::reset_optimizer() {
  if (trainer_) trainer_->optimizer().reset();
}

std::vector<GradientPart> gradient_parts(const Job& job, const Model& model,
                                         const std::vector<Extent>& extents, const DeviceModel* device) {
  std::vector<GradientPart> parts;
  for (const Extent& extent : extents) parts.push_back({extent, {}});
  const CostProfile costs = model.costs(job.training().batch);
  Work work = before_last_backward(job.training(), costs);
  std::vector<std::size_t> known_after(parts.size());  // so many entries of the work
  for (const BackwardStep& step : costs.backward) {
    append(work, step.work);
    const std::size_t begin = step.parameters.offset, end = begin + step.parameters.size;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const Extent& extent = parts[i].extent;
      if (begin < end && begin < extent.offset + extent.size && extent.offset < end)
        known_after[i] = work.size();
    }
  }
  const std::vector<Computation> until = computed_until(work, device);
  std::size_t known = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    known = std::max(known, known_after[i]);
    parts[i].known_after = until[known];
  }
  return parts;
}

Work step_work(const Job& job, const Model& model) {
  return step_work(job.training(), model.costs(job.training().batch));
}

MemoryUse replica_memory(const Job& job, const Model& model, bool optimises) {
  const CostProfile costs = model.costs(job.training().batch);
  MemoryUse use;
  use[MemoryPart::parameters] = model.layout().size() * sizeof(float);
  use[MemoryPart::gradients] = costs.parameters * sizeof(float);
  const int states = optimises ? make_optimizer(job.training().optimizer)->states() : 0;
  use[MemoryPart::optimizer] = costs.parameters * static_cast<std::size_t>(states) * sizeof(float);
  use[MemoryPart::activations] = costs.activation_bytes + costs.workspace_bytes;
  if (job.training().framework_memory.loss_copies)
    use[MemoryPart::activations] += 2 * sizeof(float) * static_cast<std::size_t>(job.training().batch) *
                                    static_cast<std::size_t>(job.data().classes);
  return use;
}

}  // namespace isthmus
