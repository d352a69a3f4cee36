#include "models/trainer.hpp"

#include <algorithm>
#include <cmath>

#include "models/optimizer/schedule.hpp"
#include "models/slices.hpp"

namespace isthmus {

Trainer::Trainer(const Dataset& dataset, BatchStream batches, const TrainingOptions& options,
                 long total_steps, std::optional<Augmenter> augmenter)
    : dataset_(dataset),
      batches_(std::move(batches)),
      augmenter_(std::move(augmenter)),
      options_(options),
      total_steps_(total_steps),
      optimizer_(make_optimizer(options.optimizer)),
      indices_(static_cast<std::size_t>(options.batch)),
      labels_(static_cast<std::size_t>(options.batch)),
      inputs_(options.batch, dataset.train_inputs.cols()) {}

void Trainer::set_model(const Model& model) {
  network_ = model.network(options_.batch, options_.precision);
  parameters_.resize(model.layout().size());
  gradients_.resize(model.layout().trainable_size());
  optimizer_->reset();
}

void Trainer::release() {
  network_ = nullptr;
  adjust_ = nullptr;
  for (AlignedFloats* values : {&parameters_, &gradients_, &accumulated_}) *values = AlignedFloats();
  optimizer_ = make_optimizer(options_.optimizer);
}

void Trainer::set_progress(double part) { step_ = std::lround(part * static_cast<double>(total_steps_)); }

void Trainer::skip(long steps) {
  for (long i = 0; i < steps * options_.accumulation_steps; ++i) {
    batches_.next(indices_);
    if (augmenter_) augmenter_->skip(indices_.size());
  }
  step_ += steps;
}

Batch Trainer::load_batch() {
  batches_.next(indices_);
  for (std::size_t i = 0; i < indices_.size(); ++i) {
    const auto sample = dataset_.train_inputs.row(indices_[i]);
    auto input = inputs_.row(static_cast<Index>(i));
    if (augmenter_) {
      augmenter_->copy(sample.data(), input.data());
    } else {
      input = sample;
    }
    labels_[i] = dataset_.train_labels[static_cast<std::size_t>(indices_[i])];
  }
  return {ConstMatrixMap(inputs_.data(), inputs_.rows(), inputs_.cols()), labels_};
}

BatchResult Trainer::compute_gradient(const Network::GradientProgress& progress) {
  const int batches = options_.accumulation_steps;
  if (batches == 1) return network_->gradient(parameters_, load_batch(), gradients_, progress);
  accumulated_.assign(gradients_.size(), 0);
  BatchResult result;
  for (int i = 1; i < batches; ++i) {
    result += network_->gradient(parameters_, load_batch(), gradients_);
    add(gradients_, accumulated_);
  }
  std::size_t known_from = gradients_.size();
  result += network_->gradient(parameters_, load_batch(), gradients_, [&](std::size_t from) {
    const Values known = Values(gradients_).slice(from, known_from - from);
    add(Values(accumulated_).slice(from, known_from - from), known);
    scale(known, 1 / static_cast<float>(batches));
    known_from = from;
    if (progress) progress(from);
  });
  return result;
}

void Trainer::apply_gradient() {
  if (adjust_) adjust_(ConstValues(parameters_).first(gradients_.size()), gradients_);
  if (options_.clip_gradient_norm) clip_norm(gradients_, *options_.clip_gradient_norm);
  optimizer_->step(parameters_, gradients_, learning_rate_at(options_, step_++, total_steps_));
}

BatchResult Trainer::train(long steps) {
  BatchResult sum;
  for (long i = 0; i < steps; ++i) {
    sum += compute_gradient();
    apply_gradient();
  }
  return sum;
}

BatchResult evaluate(const Model& model, std::vector<float> parameters, const Dataset& dataset, int batch) {
  const auto samples = static_cast<std::size_t>(dataset.test_inputs.rows());
  const std::size_t batches = std::max<std::size_t>(1, samples / static_cast<std::size_t>(batch));
  const auto network = model.network(static_cast<int>(slice_of(samples, batches, 0).second));
  BatchResult sum;
  for (std::size_t i = 0; i < batches; ++i) {
    const auto [begin, count] = slice_of(samples, batches, i);
    const ConstMatrixMap inputs(dataset.test_inputs.row(static_cast<Index>(begin)).data(),
                                static_cast<Index>(count), dataset.test_inputs.cols());
    sum += network->evaluate(parameters, {inputs, std::span(dataset.test_labels).subspan(begin, count)});
  }
  return sum;
}

}  // namespace isthmus
