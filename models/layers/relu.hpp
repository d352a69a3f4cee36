#pragma once

#include "models/layers/layer.hpp"

namespace isthmus {

/// d loss/dx of y = max(x, 0), from y and d loss/dy; for Eigen's binaryExpr(). A select() would not be
/// vectorised, and its branches hang on random signs: 40 times as long.
struct ReluGradient {
  float operator()(float output, float gradient) const { return output > 0 ? gradient : 0.0f; }
};

/// y = max(x, 0). FLOPs per element: 1 forward, 1 backward.
class Relu final : public Layer {
 public:
  explicit Relu(Index features) : features_(features) {}

  Index outputs() const override { return features_; }
  void add_costs(CostProfile& costs, Index batch) const override;
  void add_backward(std::vector<BackwardStep>& steps, Extent own, Index batch, bool first) const override;
  void forward(Values parameters, ConstMatrixMap input, MatrixMap output, Mode mode) override;
  bool backward_in_place() const override { return true; }
  void backward(ConstValues parameters, ConstMatrixMap input, ConstMatrixMap output,
                MatrixMap output_gradient, MatrixMap* input_gradient, Values gradients) override;

 private:
  Index features_;
};

}  // namespace isthmus
