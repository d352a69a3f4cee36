#pragma once

#include "models/layers/layer.hpp"
#include "models/layers/onednn.hpp"
#include "models/sample_shape.hpp"

namespace isthmus {

/// The mean over all pixels of each channel: from images to plain vectors of channels. FLOPs: one per input
/// element, forward and backward.
class AveragePool final : public Layer {
 public:
  explicit AveragePool(SampleShape input) : input_(input) {}

  Index outputs() const override { return input_.channels; }
  void add_costs(CostProfile& costs, Index batch) const override;
  void add_backward(std::vector<BackwardStep>& steps, Extent own, Index batch, bool first) const override;
  void set_arithmetic(const Arithmetic& arithmetic) override { layout_ = arithmetic.images; }
  void forward(Values parameters, ConstMatrixMap input, MatrixMap output, Mode mode) override;
  void backward(ConstValues parameters, ConstMatrixMap input, ConstMatrixMap output,
                MatrixMap output_gradient, MatrixMap* input_gradient, Values gradients) override;

 private:
  Kernel pooling(Index batch) const;

  SampleShape input_;
  ImageLayout layout_ = Arithmetic().images;
};

}  // namespace isthmus
