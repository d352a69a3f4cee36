#pragma once

#include <Eigen/Core>

#include "models/matrix.hpp"

namespace isthmus {

/// The arithmetic of batch norm, and of ReLU behind it, on a matrix whose rows have the features one after
/// the other, and that again `repeats` times: of images, pixel by pixel. All repetitions share statistics,
/// scale and shift.
class ColumnNorm {
 public:
  using Features = Eigen::Map<const Eigen::ArrayXf>;
  /// Scale and shift; none: those of the identity.
  struct Affine {
    const float* scale = nullptr;
    const float* shift = nullptr;
  };

  void resize(Index features, Index repeats);

  /// Mean and (biased) variance of these samples.
  void measure(ConstMatrixMap input);
  Features mean() const { return {mean_.data(), features_}; }
  Features variance() const { return {variance_.data(), features_}; }
  /// By these from now on.
  void use(Features mean, Features variance);

  void forward(ConstMatrixMap input, MatrixMap output, Affine affine, bool relu);
  /// After forward(), by statistics measured there. `output_gradient` is overwritten; `input_gradient`, null
  /// or not, may be the same memory.
  void backward(ConstMatrixMap input, ConstMatrixMap output, MatrixMap output_gradient,
                MatrixMap* input_gradient, const float* scale, bool relu);
  Features scale_gradient() const { return {scale_gradient_.data(), features_}; }
  Features shift_gradient() const { return {shift_gradient_.data(), features_}; }

 private:
  /// Makes every repetition of a feature the sum over them.
  void join(Eigen::ArrayXf& sums) const;
  void repeat(Eigen::ArrayXf& values) const;
  /// Of the first repetition, for all.
  Eigen::ArrayXf repeated(const float* values) const;

  Index features_ = 0, repeats_ = 1;
  Eigen::ArrayXf mean_, variance_, inverse_deviation_, factor_, offset_, shift_gradient_, scale_gradient_;
};

}  // namespace isthmus
