#include "models/layers/average_pool.hpp"

namespace isthmus {

void AveragePool::add_costs(CostProfile& costs, Index batch) const {
  add(costs.forward, pooling(batch));
  costs.activation_bytes += static_cast<std::size_t>(batch * outputs()) * sizeof(float);
}

void AveragePool::add_backward(std::vector<BackwardStep>& steps, Extent own, Index batch, bool) const {
  steps.push_back({own, {{pooling(batch)}}});
}

/// Either way: one side is small, of the other each element is read or written.
Kernel AveragePool::pooling(Index batch) const {
  const double elements = static_cast<double>(batch) * static_cast<double>(input_.size());
  return of_images(
      plain_kernel(KernelKind::pooling, elements, elements + static_cast<double>(batch * outputs())),
      input_.channels);
}

// A sample's pixels are rows of one block of channels each, block after block.

void AveragePool::forward(Values, ConstMatrixMap input, MatrixMap output, Mode) {
  const Index block = onednn::channel_block(input_, layout_), pixels = Index{input_.height} * input_.width;
  for (Index sample = 0; sample < input.rows(); ++sample) {
    const float* values = input.row(sample).data();
    for (Index channel = 0; channel < input_.channels; channel += block, values += block * pixels) {
      const Index count = std::min(block, input_.channels - channel);
      output.row(sample).segment(channel, count) =
          ConstMatrixMap(values, pixels, block).leftCols(count).colwise().mean();
    }
  }
}

void AveragePool::backward(ConstValues, ConstMatrixMap, ConstMatrixMap, MatrixMap output_gradient,
                           MatrixMap* input_gradient, Values) {
  if (!input_gradient) return;
  const Index block = onednn::channel_block(input_, layout_), pixels = Index{input_.height} * input_.width;
  input_gradient->setZero();  // filled-up channels too
  for (Index sample = 0; sample < output_gradient.rows(); ++sample) {
    float* values = input_gradient->row(sample).data();
    for (Index channel = 0; channel < input_.channels; channel += block, values += block * pixels) {
      const Index count = std::min(block, input_.channels - channel);
      MatrixMap(values, pixels, block).leftCols(count).rowwise() =
          output_gradient.row(sample).segment(channel, count) / static_cast<float>(pixels);
    }
  }
}

}  // namespace isthmus
