#include "models/layers/column_norm.hpp"

#include <algorithm>

#include "models/layers/relu.hpp"

namespace isthmus {

void ColumnNorm::resize(Index features, Index repeats) {
  features_ = features;
  repeats_ = repeats;
  for (Eigen::ArrayXf* array :
       {&mean_, &variance_, &inverse_deviation_, &factor_, &offset_, &shift_gradient_, &scale_gradient_}) {
    array->resize(features * repeats);
  }
}

void ColumnNorm::join(Eigen::ArrayXf& sums) const {
  for (Index i = 1; i < repeats_; ++i) sums.head(features_) += sums.segment(i * features_, features_);
  repeat(sums);
}

void ColumnNorm::repeat(Eigen::ArrayXf& values) const {
  for (Index i = 1; i < repeats_; ++i) values.segment(i * features_, features_) = values.head(features_);
}

Eigen::ArrayXf ColumnNorm::repeated(const float* values) const {
  Eigen::ArrayXf all(features_ * repeats_);
  all.head(features_) = Eigen::Map<const Eigen::ArrayXf>(values, features_);
  repeat(all);
  return all;
}

void ColumnNorm::measure(ConstMatrixMap input) {
  const auto samples = static_cast<float>(input.rows() * repeats_);
  mean_.setZero();
  for (Index i = 0; i < input.rows(); ++i) mean_ += input.row(i).array().transpose();
  join(mean_);
  mean_ /= samples;
  variance_.setZero();
  for (Index i = 0; i < input.rows(); ++i) variance_ += (input.row(i).array().transpose() - mean_).square();
  join(variance_);
  variance_ /= samples;
}

void ColumnNorm::choose_statistics(ConstMatrixMap input, Mode mode, const RunningStatistics* running,
                                   Values parameters) {
  if (running && mode == Mode::evaluation) {
    mean_ = repeated(running->mean(parameters).data());
    variance_ = repeated(running->variance(parameters).data());
    return;
  }
  measure(input);
  if (running)
    running->update(parameters, {mean_.data(), features_}, {variance_.data(), features_},
                    input.rows() * repeats_);
}

void ColumnNorm::forward(ConstMatrixMap input, MatrixMap output, Affine affine, bool relu) {
  inverse_deviation_ = (variance_ + normalisation_epsilon).rsqrt();
  if (affine.scale != nullptr) {
    factor_ = inverse_deviation_ * repeated(affine.scale);
    offset_ = repeated(affine.shift) - mean_ * factor_;
  } else {
    factor_ = inverse_deviation_;
    offset_ = -mean_ * factor_;
  }
  for (Index i = 0; i < input.rows(); ++i) {
    const auto normalised = input.row(i).array().transpose() * factor_ + offset_;
    if (relu) {
      output.row(i).array() = normalised.max(0.0f).transpose();
    } else {
      output.row(i).array() = normalised.transpose();
    }
  }
}

void ColumnNorm::backward(ConstMatrixMap input, ConstMatrixMap output, MatrixMap output_gradient,
                          MatrixMap* input_gradient, const float* scale, bool relu) {
  const auto samples = static_cast<float>(input.rows() * repeats_);
  shift_gradient_.setZero();
  scale_gradient_.setZero();
  for (Index i = 0; i < input.rows(); ++i) {
    auto gradient = output_gradient.row(i).array().transpose();
    if (relu) gradient = output.row(i).array().transpose().binaryExpr(gradient, ReluGradient());
    shift_gradient_ += gradient;
    scale_gradient_ += gradient * (input.row(i).array().transpose() - mean_);
  }
  join(shift_gradient_);
  join(scale_gradient_);
  scale_gradient_ *= inverse_deviation_;
  if (!input_gradient) return;
  // dx = factor (dy - sum(dy)/n - xhat sum(dy xhat)/n), written as factor dy - offset - x slope.
  factor_ = inverse_deviation_;
  if (scale != nullptr) factor_ *= repeated(scale);
  // mean_ is no longer needed: from here on variance_ holds the slope and offset_ the constant part.
  variance_ = factor_ * inverse_deviation_ * scale_gradient_ / samples;
  offset_ = factor_ * shift_gradient_ / samples - mean_ * variance_;
  for (Index i = 0; i < input.rows(); ++i) {
    input_gradient->row(i).array() = (output_gradient.row(i).array().transpose() * factor_ -
                                      input.row(i).array().transpose() * variance_ - offset_)
                                         .transpose();
  }
}

void ColumnNorm::store_gradients(float* scale, float* shift) const {
  std::copy_n(scale_gradient_.data(), features_, scale);
  std::copy_n(shift_gradient_.data(), features_, shift);
}

}  // namespace isthmus
