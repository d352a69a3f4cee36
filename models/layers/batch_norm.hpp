#pragma once

#include <string>

#include "models/layers/column_norm.hpp"
#include "models/layers/layer.hpp"
#include "models/layers/running_statistics.hpp"

namespace isthmus {

/// y = scale * (x - mean) / sqrt(variance + 1e-5) + shift, feature by feature, with mean and variance over
/// the samples of the batch; then, on request, ReLU. Ioffe and Szegedy 2015. FLOPs per element: forward 6
/// (sums 1 + 3, scaling 2), backward 9 (sums 3, result 6); ReLU 1 each.
class BatchNorm final : public Layer {
 public:
  struct Options {
    bool affine = true;
    bool relu = false;
    BatchStatistics statistics = BatchStatistics::batch;
  };

  BatchNorm(std::string name, const ParameterLayout& layout, int axis, Options options);

  Index outputs() const override { return features_; }
  void declare_parameters(ParameterLayout& layout) override;
  void declare_statistics(ParameterLayout& layout) override;
  void initialise(Values parameters, Random& random) const override;
  void add_costs(CostProfile& costs, Index batch) const override;
  void add_backward(std::vector<BackwardStep>& steps, Extent own, Index batch, bool first) const override;
  void allocate(Index batch) override;
  void forward(Values parameters, ConstMatrixMap input, MatrixMap output, Mode mode) override;
  bool backward_in_place() const override { return true; }
  void backward(ConstValues parameters, ConstMatrixMap input, ConstMatrixMap output,
                MatrixMap output_gradient, MatrixMap* input_gradient, Values gradients) override;

 private:
  std::string name_;
  int axis_;
  Index features_;
  Options options_;
  std::size_t scale_offset_ = 0, shift_offset_ = 0;
  RunningStatistics running_;
  ColumnNorm norm_;
};

}  // namespace isthmus
