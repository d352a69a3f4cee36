#include "models/network.hpp"

#include <algorithm>

namespace isthmus {
namespace {

/// Features that each of the two activation-gradient buffers must hold: the buffer changes wherever a layer
/// cannot work in place.
std::array<Index, 2> gradient_widths(const Layers& layers) {
  std::array<Index, 2> widths{};
  std::size_t buffer = 0;
  for (std::size_t i = layers.size(); i-- > 0;) {
    widths[buffer] = std::max(widths[buffer], layers[i]->outputs());
    if (!layers[i]->backward_in_place()) buffer = 1 - buffer;
  }
  return widths;
}

}  // namespace

Network::Network(Layers layers, Index capacity, const std::vector<Extent>& trainable)
    : layers_(std::move(layers)), capacity_(capacity) {
  for (const Extent& extent : trainable) parameter_offsets_.push_back(extent.offset);
  output_offsets_.push_back(0);
  for (const auto& layer : layers_) {
    layer->allocate(capacity);
    output_offsets_.push_back(output_offsets_.back() + layer->outputs());
  }
  outputs_.resize(static_cast<std::size_t>(capacity * output_offsets_.back()));
  const auto widths = gradient_widths(layers_);
  for (std::size_t i : {0, 1})
    activation_gradients_[i].resize(static_cast<std::size_t>(capacity * widths[i]));
}

MatrixMap Network::output_of(std::size_t layer, Index samples) {
  return {outputs_.data() + capacity_ * output_offsets_[layer], samples, layers_[layer]->outputs()};
}

ConstMatrixMap Network::input_of(std::size_t layer, ConstMatrixMap inputs) const {
  if (layer == 0) return inputs;
  return {outputs_.data() + capacity_ * output_offsets_[layer - 1], inputs.rows(),
          layers_[layer - 1]->outputs()};
}

void Network::forward(Values parameters, ConstMatrixMap inputs, Mode mode) {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    layers_[i]->forward(parameters, input_of(i, inputs), output_of(i, inputs.rows()), mode);
  }
}

BatchResult Network::gradient(Values parameters, const Batch& batch, Values gradients,
                              const GradientProgress& progress) {
  forward(parameters, batch.inputs, Mode::training);
  const Index samples = batch.inputs.rows();
  std::size_t buffer = 0;
  const auto gradient_map = [&](Index features) {
    return MatrixMap(activation_gradients_[buffer].data(), samples, features);
  };
  MatrixMap gradient = gradient_map(layers_.back()->outputs());
  gradient = input_of(layers_.size(), batch.inputs);
  const BatchResult result = softmax_cross_entropy_gradient(gradient, batch.labels);
  for (std::size_t i = layers_.size(); i-- > 0;) {
    const ConstMatrixMap input = input_of(i, batch.inputs);
    if (!layers_[i]->backward_in_place()) buffer = 1 - buffer;
    MatrixMap input_gradient = gradient_map(input.cols());
    layers_[i]->backward(parameters, input, input_of(i + 1, batch.inputs), gradient,
                         i == 0 ? nullptr : &input_gradient, gradients);
    if (progress) progress(parameter_offsets_[i]);
    new (&gradient) MatrixMap(input_gradient);  // how Eigen re-seats a map
  }
  return result;
}

BatchResult Network::evaluate(Values parameters, const Batch& batch) {
  forward(parameters, batch.inputs, Mode::evaluation);
  return softmax_cross_entropy(input_of(layers_.size(), batch.inputs), batch.labels);
}

CostProfile network_costs(const Layers& layers, const std::vector<Extent>& trainable, Index batch,
                          std::size_t input_bytes_per_sample) {
  const auto samples = static_cast<std::size_t>(batch);
  CostProfile costs;
  // The mini-batch, onto the device.
  const auto input_bytes = static_cast<double>(samples * input_bytes_per_sample);
  add(costs.forward, plain_kernel(KernelKind::copy, 0, 0, 2 * input_bytes));
  for (const auto& layer : layers) layer->add_costs(costs, batch);
  const auto [loss, loss_gradient] = loss_work(batch, layers.back()->outputs());
  add(costs.forward, loss);
  costs.backward.push_back({{}, loss_gradient});
  for (std::size_t i = layers.size(); i-- > 0;)
    layers[i]->add_backward(costs.backward, trainable[i], batch, i == 0);
  costs.activation_bytes += samples * input_bytes_per_sample;
  for (const Index width : gradient_widths(layers)) {
    costs.workspace_bytes += samples * static_cast<std::size_t>(width) * sizeof(float);
  }
  return costs;
}

}  // namespace isthmus
