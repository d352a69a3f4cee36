#pragma once

#include "models/layers/layer.hpp"
#include "models/layers/onednn.hpp"
#include "models/sample_shape.hpp"

namespace isthmus {

/// From images to plain vectors: channel by channel, row by row. No FLOPs; each element is read and written.
class Flatten final : public Layer {
 public:
  explicit Flatten(SampleShape input) : input_(input) {}

  Index outputs() const override { return input_.size(); }
  void add_costs(CostProfile& costs, Index batch) const override;
  void add_backward(std::vector<BackwardStep>& steps, Extent own, Index batch, bool first) const override;
  void set_arithmetic(const Arithmetic& arithmetic) override { layout_ = arithmetic.images; }
  void forward(Values parameters, ConstMatrixMap input, MatrixMap output, Mode mode) override;
  void backward(ConstValues parameters, ConstMatrixMap input, ConstMatrixMap output,
                MatrixMap output_gradient, MatrixMap* input_gradient, Values gradients) override;

 private:
  Kernel copy(Index batch) const;

  SampleShape input_;
  ImageLayout layout_ = Arithmetic().images;
};

}  // namespace isthmus
