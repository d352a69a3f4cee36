#include "models/layers/linear.hpp"

#include <boost/random/uniform_real_distribution.hpp>
#include <cmath>

#include "models/layers/multiply.hpp"

namespace isthmus {
namespace {

template <typename V>
auto matrix_at(V values, std::size_t offset, Index rows, Index columns) {
  using Map = std::conditional_t<std::is_same_v<V, Values>, MatrixMap, ConstMatrixMap>;
  return Map(values.data() + offset, rows, columns);
}

}  // namespace

Linear::Linear(std::string name, const ParameterLayout& layout, int input_axis, int output_axis, bool bias,
               std::optional<Index> nonzeros, Index per_input)
    : name_(std::move(name)),
      input_axis_(input_axis),
      output_axis_(output_axis),
      per_input_(per_input),
      inputs_(layout.axes().at(static_cast<std::size_t>(input_axis)).size * per_input),
      outputs_(layout.axes().at(static_cast<std::size_t>(output_axis)).size),
      bias_(bias),
      nonzeros_(nonzeros) {}

void Linear::declare_parameters(ParameterLayout& layout) {
  weight_offset_ = layout.add(name_ + ".weight", output_axis_, input_axis_, per_input_);
  if (bias_) bias_offset_ = layout.add(name_ + ".bias", output_axis_);
}

void Linear::initialise(Values parameters, Random& random) const {
  const float bound = 1 / std::sqrt(static_cast<float>(inputs_));
  boost::random::uniform_real_distribution<float> uniform(-bound, bound);
  for (float& weight : parameters.slice(weight_offset_, weight_size())) weight = uniform(random);
  if (bias_) {
    for (float& bias : parameters.slice(bias_offset_, static_cast<std::size_t>(outputs_)))
      bias = uniform(random);
  }
}

// Of sparse inputs only what is not zero is multiplied: a product of that depth.

void Linear::add_costs(CostProfile& costs, Index batch) const {
  const auto results = static_cast<double>(batch * outputs_);
  Kernel multiply = matrix_product(batch, outputs_, nonzeros_.value_or(inputs_));
  costs.forward_multiply_adds += multiply.flops / 2;
  if (bias_) {
    multiply.flops += results;
    multiply.elements += static_cast<double>(outputs_);
  }
  add(costs.forward, multiply);
  costs.activation_bytes += static_cast<std::size_t>(batch * outputs_) * sizeof(float);
}

void Linear::add_backward(std::vector<BackwardStep>& steps, Extent own, Index batch, bool first) const {
  const Index inputs = nonzeros_.value_or(inputs_);
  const auto results = static_cast<double>(batch * outputs_);
  BackwardStep step{own, {}};
  if (!first) add(step.work, matrix_product(batch, inputs, outputs_));
  add(step.work, matrix_product(outputs_, inputs, batch));
  if (bias_)
    add(step.work, plain_kernel(KernelKind::reduction, results, results + static_cast<double>(outputs_)));
  steps.push_back(std::move(step));
}

void Linear::forward(Values parameters, ConstMatrixMap input, MatrixMap output, Mode) {
  multiply(input, As::is, matrix_at(ConstValues(parameters), weight_offset_, outputs_, inputs_),
           As::transposed, output, bias_ ? parameters.data() + bias_offset_ : nullptr);
}

void Linear::backward(ConstValues parameters, ConstMatrixMap input, ConstMatrixMap, MatrixMap output_gradient,
                      MatrixMap* input_gradient, Values gradients) {
  const ConstMatrixMap gradient(output_gradient.data(), output_gradient.rows(), output_gradient.cols());
  multiply(gradient, As::transposed, input, As::is, matrix_at(gradients, weight_offset_, outputs_, inputs_));
  if (bias_) matrix_at(gradients, bias_offset_, 1, outputs_) = gradient.colwise().sum();
  if (input_gradient) {
    multiply(gradient, As::is, matrix_at(parameters, weight_offset_, outputs_, inputs_), As::is,
             *input_gradient);
  }
}

}  // namespace isthmus
