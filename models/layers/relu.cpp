#include "models/layers/relu.hpp"

namespace isthmus {

void Relu::add_costs(CostProfile& costs, Index batch) const {
  add(costs.forward, kernel(relu_forward(static_cast<double>(batch * features_))));
  costs.activation_bytes += static_cast<std::size_t>(batch * outputs()) * sizeof(float);
}

void Relu::add_backward(std::vector<BackwardStep>& steps, Extent own, Index batch, bool) const {
  steps.push_back({own, {{kernel(relu_backward(static_cast<double>(batch * features_)))}}});
}

void Relu::forward(Values, ConstMatrixMap input, MatrixMap output, Mode) { output = input.cwiseMax(0.0f); }

void Relu::backward(ConstValues, ConstMatrixMap, ConstMatrixMap output, MatrixMap output_gradient,
                    MatrixMap* input_gradient, Values) {
  if (input_gradient) *input_gradient = output.binaryExpr(output_gradient, ReluGradient());
}

}  // namespace isthmus
