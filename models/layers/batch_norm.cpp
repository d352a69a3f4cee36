#include "models/layers/batch_norm.hpp"

namespace isthmus {

BatchNorm::BatchNorm(std::string name, const ParameterLayout& layout, int axis, Options options)
    : name_(std::move(name)),
      axis_(axis),
      features_(layout.axes().at(static_cast<std::size_t>(axis)).size),
      options_(options) {}

void BatchNorm::declare_parameters(ParameterLayout& layout) {
  if (!options_.affine) return;
  scale_offset_ = layout.add(name_ + ".scale", axis_);
  shift_offset_ = layout.add(name_ + ".shift", axis_);
}

void BatchNorm::declare_statistics(ParameterLayout& layout) {
  if (options_.statistics == BatchStatistics::running) running_.declare(layout, name_, axis_);
}

void BatchNorm::initialise(Values parameters, Random&) const {
  const auto fill = [&](std::size_t offset, float value) {
    std::fill_n(parameters.data() + offset, features_, value);
  };
  if (options_.affine) {
    fill(scale_offset_, 1);
    fill(shift_offset_, 0);
  }
  if (options_.statistics == BatchStatistics::running) running_.initialise(parameters);
}

void BatchNorm::add_costs(CostProfile& costs, Index batch) const {
  const double elements = static_cast<double>(batch) * static_cast<double>(features_);
  add(costs.forward, norm_forward(elements));
  if (options_.relu) add(costs.forward, relu_forward(elements));
  // The output, and mean, variance and inverse deviation of each feature; scratch: four numbers a feature.
  costs.activation_bytes += static_cast<std::size_t>((batch + 3) * features_) * sizeof(float);
  costs.workspace_bytes += static_cast<std::size_t>(4 * features_) * sizeof(float);
}

void BatchNorm::add_backward(std::vector<BackwardStep>& steps, Extent own, Index batch, bool) const {
  const double elements = static_cast<double>(batch) * static_cast<double>(features_);
  BackwardStep step{own, {}};
  if (options_.relu) add(step.work, relu_backward(elements));
  add(step.work, norm_backward(elements));
  steps.push_back(std::move(step));
}

void BatchNorm::allocate(Index) { norm_.resize(features_, 1); }

void BatchNorm::forward(Values parameters, ConstMatrixMap input, MatrixMap output, Mode mode) {
  const bool runs = options_.statistics == BatchStatistics::running;
  norm_.choose_statistics(input, mode, runs ? &running_ : nullptr, parameters);
  ColumnNorm::Affine affine;
  if (options_.affine) affine = {parameters.data() + scale_offset_, parameters.data() + shift_offset_};
  norm_.forward(input, output, affine, options_.relu);
}

void BatchNorm::backward(ConstValues parameters, ConstMatrixMap input, ConstMatrixMap output,
                         MatrixMap output_gradient, MatrixMap* input_gradient, Values gradients) {
  norm_.backward(input, output, output_gradient, input_gradient,
                 options_.affine ? parameters.data() + scale_offset_ : nullptr, options_.relu);
  if (options_.affine)
    norm_.store_gradients(gradients.data() + scale_offset_, gradients.data() + shift_offset_);
}

}  // namespace isthmus
