#include "models/layers/max_pool.hpp"

#include "models/layers/onednn_compat.hpp"

namespace isthmus {
namespace {

using dnnl::algorithm;
using dnnl::memory;

constexpr int pool_stride = 2;

int padding_of_pool(int window) { return (window - 1) / 2; }

int pooled_side(int input, int window) {
  return (input + 2 * padding_of_pool(window) - window) / pool_stride + 1;
}

}  // namespace

/// Primitives for one number of samples.
struct MaxPool::Plan {
  using Forward = onednn::compat::PoolingForward;
  using Backward = onednn::compat::PoolingBackward;

  Plan(const memory::desc& from, const memory::desc& to, int window)
      : kernel{window, window},
        padding{padding_of_pool(window), padding_of_pool(window)},
        source(from),
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

  memory::dims strides{pool_stride, pool_stride}, kernel, dilation{0, 0}, padding;
  memory::desc source, destination;
  Forward::primitive_desc forward_description;
  Backward::primitive_desc backward_description;
  Forward forward;
  Backward backward;
  onednn::Storage chosen;  // which of a window's pixels was the largest
};

MaxPool::MaxPool(SampleShape input, int window)
    : input_(input),
      output_{input.channels, pooled_side(input.height, window), pooled_side(input.width, window)},
      window_(window) {}

MaxPool::~MaxPool() = default;

void MaxPool::add_costs(CostProfile& costs, Index batch) const {
  const auto inputs = static_cast<double>(batch) * static_cast<double>(input_.size()),
             results = static_cast<double>(batch) * static_cast<double>(output_.size());
  add(costs.forward,
      of_images(plain_kernel(KernelKind::pooling, (window_ * window_ - 1) * results, inputs + 2 * results),
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
                                   onednn::images(samples, output_, layout_), window_);
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
