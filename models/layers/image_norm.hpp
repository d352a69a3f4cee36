#pragma once

#include <map>
#include <memory>
#include <string>

#include "models/aligned.hpp"
#include "models/layers/column_norm.hpp"
#include "models/layers/layer.hpp"
#include "models/layers/onednn.hpp"
#include "models/layers/running_statistics.hpp"
#include "models/sample_shape.hpp"

namespace isthmus {

/// Batch norm of images, channel by channel over samples and pixels; then, on request, ReLU, fused. The
/// formula, constants and FLOPs are those of BatchNorm; it computes in fp32.
class ImageNorm final : public Layer {
 public:
  /// `axis`: that of the layout which the channels lie on.
  ImageNorm(std::string name, SampleShape shape, bool relu, BatchStatistics statistics, int axis);
  ~ImageNorm() override;

  Index outputs() const override;
  void declare_parameters(ParameterLayout& layout) override;
  void declare_statistics(ParameterLayout& layout) override;
  void initialise(Values parameters, Random& random) const override;
  void add_costs(CostProfile& costs, Index batch) const override;
  void add_backward(std::vector<BackwardStep>& steps, Extent own, Index batch, bool first) const override;
  void set_arithmetic(const Arithmetic& arithmetic) override { layout_ = arithmetic.images; }
  void allocate(Index batch) override;
  void forward(Values parameters, ConstMatrixMap input, MatrixMap output, Mode mode) override;
  bool backward_in_place() const override { return true; }
  void backward(ConstValues parameters, ConstMatrixMap input, ConstMatrixMap output,
                MatrixMap output_gradient, MatrixMap* input_gradient, Values gradients) override;

 private:
  struct Plan;
  Plan& plan(Index samples);
  bool by_columns() const;

  std::string name_;
  SampleShape shape_;
  bool relu_;
  BatchStatistics statistics_;
  ImageLayout layout_ = Arithmetic().images;
  int axis_;
  std::size_t scale_offset_ = 0, shift_offset_ = 0;
  RunningStatistics running_;
  ColumnNorm columns_;
  AlignedFloats mean_, variance_;                 // of the last forward()
  std::map<Index, std::unique_ptr<Plan>> plans_;  // by samples
};

}  // namespace isthmus
