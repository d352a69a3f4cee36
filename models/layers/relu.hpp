#pragma once

#include <optional>

#include "models/layers/layer.hpp"
#include "models/layers/onednn.hpp"
#include "models/sample_shape.hpp"

namespace isthmus {

/// d loss/dx of y = max(x, 0), from y and d loss/dy; for Eigen's binaryExpr(). A select() would not be
/// vectorised, and its branches hang on random signs: 40 times as long.
struct ReluGradient {
  float operator()(float output, float gradient) const { return output > 0 ? gradient : 0.0f; }
};

/// y = max(x, 0), of plain vectors or of images. FLOPs per element: 1 forward, 1 backward.
class Relu final : public Layer {
 public:
  explicit Relu(Index features) : features_(features) {}
  explicit Relu(SampleShape images) : features_(images.size()), images_(images) {}

  Index outputs() const override { return images_ ? onednn::image_size(*images_, layout_) : features_; }
  void add_costs(CostProfile& costs, Index batch) const override;
  void add_backward(std::vector<BackwardStep>& steps, Extent own, Index batch, bool first) const override;
  void set_arithmetic(const Arithmetic& arithmetic) override { layout_ = arithmetic.images; }
  void forward(Values parameters, ConstMatrixMap input, MatrixMap output, Mode mode) override;
  bool backward_in_place() const override { return true; }
  void backward(ConstValues parameters, ConstMatrixMap input, ConstMatrixMap output,
                MatrixMap output_gradient, MatrixMap* input_gradient, Values gradients) override;

 private:
  Kernel kernel(Kernel plain) const { return images_ ? of_images(plain, images_->channels) : plain; }

  Index features_;
  std::optional<SampleShape> images_;
  ImageLayout layout_ = Arithmetic().images;
};

}  // namespace isthmus
