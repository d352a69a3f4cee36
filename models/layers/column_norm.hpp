#pragma once

#include <Eigen/Core>

#include "models/layers/layer.hpp"
#include "models/layers/running_statistics.hpp"
#include "models/matrix.hpp"

namespace isthmus {

/// The arithmetic of batch norm, and of ReLU behind it, on a matrix whose rows have the features one after
/// the other, and that again `repeats` times: of images, pixel by pixel. All repetitions share statistics,
/// scale and shift.
class ColumnNorm {
 public:
  /// Scale and shift; none: those of the identity.
  struct Affine {
    const float* scale = nullptr;
    const float* shift = nullptr;
  };

  void resize(Index features, Index repeats);

  /// What forward() normalises by: in evaluation `running`, if there is any, else mean and (biased) variance
  /// of these samples, by which `running` then moves.
  void choose_statistics(ConstMatrixMap input, Mode mode, const RunningStatistics* running,
                         Values parameters);
  void forward(ConstMatrixMap input, MatrixMap output, Affine affine, bool relu);
  /// After forward(), by statistics of its input. `output_gradient` is overwritten; `input_gradient`, null
  /// or not, may be the same memory.
  void backward(ConstMatrixMap input, ConstMatrixMap output, MatrixMap output_gradient,
                MatrixMap* input_gradient, const float* scale, bool relu);
  /// Writes those of scale and shift.
  void store_gradients(float* scale, float* shift) const;

 private:
  void measure(ConstMatrixMap input);
  /// Makes every repetition of a feature the sum over them.
  void join(Eigen::ArrayXf& sums) const;
  void repeat(Eigen::ArrayXf& values) const;
  /// Of the first repetition, for all.
  Eigen::ArrayXf repeated(const float* values) const;

  Index features_ = 0, repeats_ = 1;
  Eigen::ArrayXf mean_, variance_, inverse_deviation_, factor_, offset_, shift_gradient_, scale_gradient_;
};

}  // namespace isthmus
