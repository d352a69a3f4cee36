#include "sim/core/replica.hpp"

#include <algorithm>
#include <atomic>

#include "models/optimizer/optimizer.hpp"

namespace isthmus {
namespace {

/// Of a local step. Where mini-batches are accumulated, each of their gradients is added and the sum divided.
double gradient_flops(const TrainingOptions& training, const CostProfile& costs) {
  if (training.accumulation_steps == 1) return costs.gradient_flops();
  return training.accumulation_steps * (costs.gradient_flops() + static_cast<double>(costs.parameters));
}

/// Of the optimizer's part of it; to clip a norm takes 2 to find it and 1 to scale.
double update_flops(const TrainingOptions& training, const CostProfile& costs) {
  const int of_each = make_optimizer(training.optimizer)->flops_per_parameter() +
                      (training.clip_gradient_norm ? 3 : 0);
  return static_cast<double>(costs.parameters) * of_each;
}

}  // namespace

// The job, and its model, outlive its workers.
Replica::Replica(Worker& worker)
    : Replica(worker, std::shared_ptr<const Model>(std::shared_ptr<void>(), &worker.job().model())) {}

Replica::Replica(Worker& worker, std::shared_ptr<const Model> model)
    : worker_(worker), entry_(worker, *this), optimizer_(make_optimizer(worker.job().training().optimizer)) {
  if (worker_.live()) make_trainer();
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
  gradient_flops_ = gradient_flops(job.training(), costs);
  update_flops_ = update_flops(job.training(), costs);
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
  BatchResult result;
  worker_.compute(static_cast<double>(steps) * (gradient_flops_ + update_flops_),
                  [&] { result = trainer_->train(steps); });
  worker_.training_ += result;
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
  worker_.compute(update_flops_, [this] { trainer_->apply_gradient(); });
}

void Replica::reset_optimizer() {
  if (trainer_) trainer_->optimizer().reset();
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
         update_flops(job.training(), costs);
}

MemoryUse replica_memory(const Job& job, const Model& model) {
  const CostProfile costs = model.costs(job.training().batch);
  MemoryUse use;
  use[MemoryPart::parameters] = model.layout().size() * sizeof(float);
  use[MemoryPart::gradients] = costs.parameters * sizeof(float);
  use[MemoryPart::optimizer] =
      costs.parameters * static_cast<std::size_t>(make_optimizer(job.training().optimizer)->states()) *
      sizeof(float);
  use[MemoryPart::activations] = costs.activation_bytes + costs.workspace_bytes;
  return use;
}

}  // namespace isthmus
