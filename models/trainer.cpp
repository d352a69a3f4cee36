#include "models/trainer.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "models/layers/running_statistics.hpp"
#include "models/optimizer/schedule.hpp"
#include "models/slices.hpp"

namespace isthmus {

namespace {

/// These samples, zeros and all.
template <typename Indices>
Batch load(const SparseSamples& samples, const Indices& indices, Matrix& inputs,
           std::vector<std::span<const int>>& labels) {
  labels.clear();
  Index row = 0;
  for (const auto index : indices) {
    const auto sample = static_cast<std::size_t>(index);
    samples.write(sample, {inputs.row(row++).data(), static_cast<std::size_t>(inputs.cols())});
    labels.push_back(samples.labels(sample));
  }
  return {ConstMatrixMap(inputs.data(), row, inputs.cols()), Labels(std::span(std::as_const(labels)))};
}

}  // namespace

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
  if (dataset_.is_sparse()) return load(dataset_.sparse_train, indices_, inputs_, label_sets_);
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

void reestimate_statistics(const Model& model, std::vector<float>& parameters, const Dataset& dataset,
                           int batch, long batches) {
  const std::size_t trainable = model.layout().trainable_size();
  const Values statistics = Values(parameters).slice(trainable, parameters.size() - trainable);
  const auto network = model.network(batch);
  const std::size_t samples = dataset.train_labels.size();
  const auto wanted = static_cast<std::size_t>(batch) * static_cast<std::size_t>(batches);
  Matrix inputs(batch, dataset.description.shape.size());
  std::vector<double> sums(statistics.size());
  for (std::size_t next = 0; next < wanted;) {
    for (Index row = 0; row < inputs.rows(); ++row, ++next)
      dataset.write_train_input(next * samples / wanted,
                                {inputs.row(row).data(), static_cast<std::size_t>(inputs.cols())});
    // From nothing a batch moves them by a part of its own statistics.
    std::ranges::fill(statistics, 0.0F);
    network->observe(parameters, {inputs.data(), inputs.rows(), inputs.cols()});
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += statistics.data()[i];
  }
  const double part = RunningStatistics::newest_weight * static_cast<double>(batches);
  for (std::size_t i = 0; i < sums.size(); ++i) statistics.data()[i] = static_cast<float>(sums[i] / part);
}

BatchResult evaluate(const Model& model, std::vector<float> parameters, const Dataset& dataset, int batch) {
  const std::size_t samples = dataset.test_labels.size();
  const std::size_t batches = std::max<std::size_t>(1, samples / static_cast<std::size_t>(batch));
  const std::size_t largest = slice_of(samples, batches, 0).second;
  const auto network = model.network(static_cast<int>(largest));
  Matrix filled(dataset.is_sparse() ? static_cast<Index>(largest) : 0, dataset.test_inputs.cols());
  std::vector<std::span<const int>> labels;
  BatchResult sum;
  for (std::size_t i = 0; i < batches; ++i) {
    const auto [begin, count] = slice_of(samples, batches, i);
    if (dataset.is_sparse()) {
      std::vector<std::size_t> indices(count);
      std::iota(indices.begin(), indices.end(), begin);
      sum += network->evaluate(parameters, load(dataset.sparse_test, indices, filled, labels));
      continue;
    }
    const ConstMatrixMap inputs(dataset.test_inputs.row(static_cast<Index>(begin)).data(),
                                static_cast<Index>(count), dataset.test_inputs.cols());
    sum += network->evaluate(parameters, {inputs, std::span(dataset.test_labels).subspan(begin, count)});
  }
  return sum;
}

}  // namespace isthmus
