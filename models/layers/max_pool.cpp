#include "models/layers/max_pool.hpp"

#include "models/layers/onednn_compat.hpp"

namespace isthmus {
namespace {

using dnnl::algorithm;
using dnnl::memory;

constexpr int pool_size = 3, pool_stride = 2, pool_padding = 1;

}  // namespace

/// Primitives for one number of samples.
struct MaxPool::Plan {
  using Forward = onednn::compat::PoolingForward;
  using Backward = onednn::compat::PoolingBackward;

  Plan(const memory::desc& from, const memory::desc& to)
      : source(from),
        destination(to),
        forward_description(onednn::compat::describe<Forward>(dnnl::prop_kind::forward_training,
                                                              algorithm::pooling_max, source, destination,
                                                              strides, kernel, dilation, padding, padding)),
        backward_description(onednn::compat::describe_backward<Backward>(
            forward_description, algorithm::pooling_max, source, destination, strides, kernel, dilation,
            padding, padding)),
        forward(forward_description),
        backward(backward_description),
        chosen(forward_description.workspace_desc()) {}

  memory::dims strides{pool_stride, pool_stride}, kernel{pool_size, pool_size}, dilation{0, 0},
      padding{pool_padding, pool_padding};
  memory::desc source, destination;
  Forward::primitive_desc forward_description;
  Backward::primitive_desc backward_description;
  Forward forward;
  Backward backward;
  onednn::Storage chosen;  // which of the nine pixels was the largest
};

MaxPool::MaxPool(SampleShape input)
    : input_(input),
      output_{input.channels, (input.height - 1) / pool_stride + 1, (input.width - 1) / pool_stride + 1} {}

MaxPool::~MaxPool() = default;

void MaxPool::add_costs(CostProfile& costs, Index batch) const {
  const auto inputs = static_cast<double>(batch) * static_cast<double>(input_.size()),
             results = static_cast<double>(batch) * static_cast<double>(output_.size());
  add(costs.forward, of_images(plain_kernel(KernelKind::pooling, (pool_size * pool_size - 1) * results,
                                            inputs + 2 * results),
                               input_.channels));
  // The output, and a byte each that says which pixel it was.
  costs.activation_bytes += static_cast<std::size_t>(batch * outputs()) * (sizeof(float) + 1);
}

void MaxPool::add_backward(std::vector<BackwardStep>& steps, Extent own, Index batch, bool) const {
  const auto inputs = static_cast<double>(batch) * static_cast<double>(input_.size()),
             results = static_cast<double>(batch) * static_cast<double>(output_.size());
  steps.push_back(
      {own,
       {{of_images(plain_kernel(KernelKind::pooling, results, inputs + 2 * results), input_.channels)}}});
}

MaxPool::Plan& MaxPool::plan(Index samples) {
  std::unique_ptr<Plan>& known = plans_[samples];
  if (!known) {
    known = std::make_unique<Plan>(onednn::images(samples, input_, layout_),
                                   onednn::images(samples, output_, layout_));
  }
  return *known;
}

void MaxPool::forward(Values, ConstMatrixMap input, MatrixMap output, Mode) {
  Plan& plan = this->plan(input.rows());
  onednn::run(plan.forward,
              {{DNNL_ARG_SRC, onednn::view(plan.source, input.data())},
               {DNNL_ARG_DST, onednn::view(plan.destination, output.data())},
               {DNNL_ARG_WORKSPACE, plan.chosen.memory()}},
              plan.forward_description.scratchpad_desc());
}

void MaxPool::backward(ConstValues, ConstMatrixMap input, ConstMatrixMap, MatrixMap output_gradient,
                       MatrixMap* input_gradient, Values) {
  if (!input_gradient) return;
  Plan& plan = this->plan(input.rows());
  onednn::run(plan.backward,
              {{DNNL_ARG_DIFF_DST, onednn::view(plan.destination, output_gradient.data())},
               {DNNL_ARG_DIFF_SRC, onednn::view(plan.source, input_gradient->data())},
               {DNNL_ARG_WORKSPACE, plan.chosen.memory()}},
              plan.backward_description.scratchpad_desc());
}

}  // namespace isthmus
