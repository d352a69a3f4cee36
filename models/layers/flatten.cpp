#include "models/layers/flatten.hpp"

namespace isthmus {

void Flatten::add_costs(CostProfile& costs, Index batch) const {
  add(costs.forward, copy(batch));
  costs.activation_bytes += static_cast<std::size_t>(batch * outputs()) * sizeof(float);
}

void Flatten::add_backward(std::vector<BackwardStep>& steps, Extent own, Index batch, bool) const {
  steps.push_back({own, {{copy(batch)}}});
}

Kernel Flatten::copy(Index batch) const {
  return of_images(plain_kernel(KernelKind::copy, 0, 2 * static_cast<double>(batch * outputs())),
                   input_.channels);
}

// A sample's pixels are rows of one block of channels each, block after block.

void Flatten::forward(Values, ConstMatrixMap input, MatrixMap output, Mode) {
  const Index block = onednn::channel_block(input_, layout_), pixels = Index{input_.height} * input_.width;
  for (Index sample = 0; sample < input.rows(); ++sample) {
    const float* from = input.row(sample).data();
    float* to = output.row(sample).data();
    for (Index channel = 0; channel < input_.channels; channel += block, from += block * pixels) {
      const Index count = std::min(block, input_.channels - channel);
      MatrixMap(to + channel * pixels, count, pixels) =
          ConstMatrixMap(from, pixels, block).leftCols(count).transpose();
    }
  }
}

void Flatten::backward(ConstValues, ConstMatrixMap, ConstMatrixMap, MatrixMap output_gradient,
                       MatrixMap* input_gradient, Values) {
  if (!input_gradient) return;
  const Index block = onednn::channel_block(input_, layout_), pixels = Index{input_.height} * input_.width;
  input_gradient->setZero();  // filled-up channels too
  for (Index sample = 0; sample < output_gradient.rows(); ++sample) {
    const float* from = output_gradient.row(sample).data();
    float* to = input_gradient->row(sample).data();
    for (Index channel = 0; channel < input_.channels; channel += block, to += block * pixels) {
      const Index count = std::min(block, input_.channels - channel);
      MatrixMap(to, pixels, block).leftCols(count) =
          ConstMatrixMap(from + channel * pixels, count, pixels).transpose();
    }
  }
}

}  // namespace isthmus
