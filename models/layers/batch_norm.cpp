#include "models/layers/batch_norm.hpp"

#include <cmath>

#include "models/layers/relu.hpp"

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

void BatchNorm::allocate(Index) {
  for (Eigen::ArrayXf* array :
       {&mean_, &variance_, &inverse_deviation_, &factor_, &offset_, &shift_gradient_, &scale_gradient_}) {
    array->resize(features_);
  }
}

void BatchNorm::use_batch_statistics(ConstMatrixMap input) {
  const float samples = static_cast<float>(input.rows());
  mean_.setZero();
  for (Index i = 0; i < input.rows(); ++i) mean_ += input.row(i).array().transpose();
  mean_ /= samples;
  variance_.setZero();
  for (Index i = 0; i < input.rows(); ++i) variance_ += (input.row(i).array().transpose() - mean_).square();
  variance_ /= samples;
}

void BatchNorm::forward(Values parameters, ConstMatrixMap input, MatrixMap output, Mode mode) {
  using ArrayMap = Eigen::Map<Eigen::ArrayXf>;
  const auto at = [&](std::size_t offset) { return ArrayMap(parameters.data() + offset, features_); };
  if (mode == Mode::evaluation && options_.statistics == BatchStatistics::running) {
    mean_ = running_.mean(parameters);
    variance_ = running_.variance(parameters);
  } else {
    use_batch_statistics(input);
    if (options_.statistics == BatchStatistics::running) {
      running_.update(parameters, {mean_.data(), features_}, {variance_.data(), features_}, input.rows());
    }
  }
  inverse_deviation_ = (variance_ + normalisation_epsilon).rsqrt();
  if (options_.affine) {
    factor_ = inverse_deviation_ * at(scale_offset_);
    offset_ = at(shift_offset_) - mean_ * factor_;
  } else {
    factor_ = inverse_deviation_;
    offset_ = -mean_ * factor_;
  }
  for (Index i = 0; i < input.rows(); ++i) {
    const auto normalised = input.row(i).array().transpose() * factor_ + offset_;
    if (options_.relu) {
      output.row(i).array() = normalised.max(0.0f).transpose();
    } else {
      output.row(i).array() = normalised.transpose();
    }
  }
}

void BatchNorm::backward(ConstValues parameters, ConstMatrixMap input, ConstMatrixMap output,
                         MatrixMap output_gradient, MatrixMap* input_gradient, Values gradients) {
  const float samples = static_cast<float>(input.rows());
  shift_gradient_.setZero();
  scale_gradient_.setZero();
  for (Index i = 0; i < input.rows(); ++i) {
    auto gradient = output_gradient.row(i).array().transpose();
    if (options_.relu) gradient = output.row(i).array().transpose().binaryExpr(gradient, ReluGradient());
    shift_gradient_ += gradient;
    scale_gradient_ += gradient * (input.row(i).array().transpose() - mean_);
  }
  scale_gradient_ *= inverse_deviation_;
  if (input_gradient) {
    // dx = factor (dy - sum(dy)/n - xhat sum(dy xhat)/n), written as factor dy - offset - x slope.
    factor_ = inverse_deviation_;
    if (options_.affine) {
      factor_ *= Eigen::Map<const Eigen::ArrayXf>(parameters.data() + scale_offset_, features_);
    }
    // mean_ is no longer needed: from here on variance_ holds the slope and offset_ the constant part.
    variance_ = factor_ * inverse_deviation_ * scale_gradient_ / samples;
    offset_ = factor_ * shift_gradient_ / samples - mean_ * variance_;
    for (Index i = 0; i < input.rows(); ++i) {
      input_gradient->row(i).array() = (output_gradient.row(i).array().transpose() * factor_ -
                                        input.row(i).array().transpose() * variance_ - offset_)
                                           .transpose();
    }
  }
  if (options_.affine) {
    Eigen::Map<Eigen::ArrayXf>(gradients.data() + scale_offset_, features_) = scale_gradient_;
    Eigen::Map<Eigen::ArrayXf>(gradients.data() + shift_offset_, features_) = shift_gradient_;
  }
}

}  // namespace isthmus
