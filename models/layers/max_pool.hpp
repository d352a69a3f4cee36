#pragma once

#include <map>
#include <memory>

#include "models/layers/layer.hpp"
#include "models/layers/onednn.hpp"

namespace isthmus {

/// The largest of 3x3 or 2x2 pixels, every second row and column, channel by channel. Windows of three, which
/// stems for large images end with, reach a pixel over the edge; of two, what is left of an odd side is
/// dropped. The gradient goes to that pixel (the first of equals). FLOPs: a comparison counts as one, 8 or 3
/// per output element; backward one.
class MaxPool final : public Layer {
 public:
  /// `window`: 2 or 3 pixels on a side.
  MaxPool(SampleShape input, int window);
  ~MaxPool() override;

  SampleShape output_shape() const { return output_; }
  Index outputs() const override { return onednn::image_size(output_, layout_); }
  void add_costs(CostProfile& costs, Index batch) const override;
  void add_backward(std::vector<BackwardStep>& steps, Extent own, Index batch, bool first) const override;
  void set_arithmetic(const Arithmetic& arithmetic) override { layout_ = arithmetic.images; }
  void forward(Values parameters, ConstMatrixMap input, MatrixMap output, Mode mode) override;
  void backward(ConstValues parameters, ConstMatrixMap input, ConstMatrixMap output,
                MatrixMap output_gradient, MatrixMap* input_gradient, Values gradients) override;

 private:
  struct Plan;
  Plan& plan(Index samples);

  SampleShape input_, output_;
  int window_;
  ImageLayout layout_ = Arithmetic().images;
  std::map<Index, std::unique_ptr<Plan>> plans_;  // by samples
};

}  // namespace isthmus
