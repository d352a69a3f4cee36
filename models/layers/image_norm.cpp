#include "models/layers/image_norm.hpp"

#include <optional>

#include "models/layers/onednn_compat.hpp"

namespace isthmus {
namespace {

using dnnl::memory;
using dnnl::normalization_flags;
using dnnl::prop_kind;

}  // namespace

/// Primitives for one number of samples.
struct ImageNorm::Plan {
  using Forward = dnnl::batch_normalization_forward;
  using Backward = dnnl::batch_normalization_backward;

  Plan(const SampleShape& shape, onednn::ImageLayout layout, bool relu, Index samples)
      : images(onednn::images(samples, shape, layout)),
        features({shape.channels}, memory::data_type::f32, memory::format_tag::a),
        flags(normalization_flags::use_scale | normalization_flags::use_shift) {
    if (relu) flags = flags | normalization_flags::fuse_norm_relu;
    forward_description = describe(prop_kind::forward_training, flags);
    forward = Forward(forward_description);
    workspace = memory(forward_description.workspace_desc(), onednn::engine());
  }

  Forward::primitive_desc describe(prop_kind kind, normalization_flags with) const {
    return onednn::compat::describe_norm(kind, images, normalisation_epsilon, with);
  }

  /// By given statistics, for evaluation.
  void prepare_inference() {
    if (inference_description) return;
    inference_description =
        describe(prop_kind::forward_inference, flags | normalization_flags::use_global_stats);
    inference = Forward(*inference_description);
  }

  void prepare_backward() {
    if (backward_description) return;
    backward_description =
        onednn::compat::describe_norm_backward(forward_description, images, normalisation_epsilon, flags);
    backward = Backward(*backward_description);
  }

  memory::desc images, features;
  normalization_flags flags;
  Forward::primitive_desc forward_description;
  std::optional<Forward::primitive_desc> inference_description;
  std::optional<Backward::primitive_desc> backward_description;
  Forward forward, inference;
  Backward backward;
  memory workspace;  // which elements ReLU let pass
};

ImageNorm::ImageNorm(std::string name, SampleShape shape, bool relu, BatchStatistics statistics)
    : name_(std::move(name)), shape_(shape), relu_(relu), statistics_(statistics) {}

ImageNorm::~ImageNorm() = default;

Index ImageNorm::outputs() const { return onednn::image_size(shape_, layout_); }

void ImageNorm::declare_parameters(ParameterLayout& layout) {
  axis_ = layout.add_axis(name_, shape_.channels, false);
  scale_offset_ = layout.add(name_ + ".scale", axis_);
  shift_offset_ = layout.add(name_ + ".shift", axis_);
}

void ImageNorm::declare_statistics(ParameterLayout& layout) {
  if (statistics_ == BatchStatistics::running) running_.declare(layout, name_, axis_);
}

void ImageNorm::initialise(Values parameters, Random&) const {
  std::fill_n(parameters.data() + scale_offset_, shape_.channels, 1.0f);
  std::fill_n(parameters.data() + shift_offset_, shape_.channels, 0.0f);
  if (statistics_ == BatchStatistics::running) running_.initialise(parameters);
}

void ImageNorm::add_costs(CostProfile& costs, Index batch) const {
  const double elements = static_cast<double>(batch) * static_cast<double>(shape_.size());
  add(costs.forward, norm_forward(elements));
  if (relu_) add(costs.forward, relu_forward(elements));
  // The output; mean and variance; for each element a bit that says whether ReLU let it pass.
  const auto outputs = static_cast<std::size_t>(batch * this->outputs());
  costs.activation_bytes += outputs * sizeof(float) +
                            static_cast<std::size_t>(2 * shape_.channels) * sizeof(float) +
                            (relu_ ? outputs / 8 : 0);
}

void ImageNorm::add_backward(std::vector<BackwardStep>& steps, Extent own, Index batch, bool) const {
  const double elements = static_cast<double>(batch) * static_cast<double>(shape_.size());
  BackwardStep step{own, {}};
  if (relu_) add(step.work, relu_backward(elements));
  add(step.work, norm_backward(elements));
  steps.push_back(std::move(step));
}

ImageNorm::Plan& ImageNorm::plan(Index samples) {
  std::unique_ptr<Plan>& known = plans_[samples];
  if (!known) known = std::make_unique<Plan>(shape_, layout_, relu_, samples);
  return *known;
}

void ImageNorm::forward(Values parameters, ConstMatrixMap input, MatrixMap output, Mode mode) {
  Plan& plan = this->plan(input.rows());
  const bool by_running = mode == Mode::evaluation && statistics_ == BatchStatistics::running;
  mean_.resize(static_cast<std::size_t>(shape_.channels));
  variance_.resize(mean_.size());
  const auto feature = [&](const float* data) { return onednn::view(plan.features, data); };
  onednn::Arguments arguments = {{DNNL_ARG_SRC, onednn::view(plan.images, input.data())},
                                 {DNNL_ARG_DST, onednn::view(plan.images, output.data())},
                                 {DNNL_ARG_SCALE, feature(parameters.data() + scale_offset_)},
                                 {DNNL_ARG_SHIFT, feature(parameters.data() + shift_offset_)}};
  if (by_running) {
    plan.prepare_inference();
    arguments.emplace(DNNL_ARG_MEAN, feature(running_.mean(parameters).data()));
    arguments.emplace(DNNL_ARG_VARIANCE, feature(running_.variance(parameters).data()));
    return onednn::run(plan.inference, arguments, plan.inference_description->scratchpad_desc());
  }
  arguments.emplace(DNNL_ARG_MEAN, feature(mean_.data()));
  arguments.emplace(DNNL_ARG_VARIANCE, feature(variance_.data()));
  if (relu_) arguments.emplace(DNNL_ARG_WORKSPACE, plan.workspace);
  onednn::run(plan.forward, arguments, plan.forward_description.scratchpad_desc());
  if (statistics_ != BatchStatistics::running) return;
  running_.update(parameters, {mean_.data(), shape_.channels}, {variance_.data(), shape_.channels},
                  input.rows() * shape_.height * shape_.width);
}

void ImageNorm::backward(ConstValues parameters, ConstMatrixMap input, ConstMatrixMap,
                         MatrixMap output_gradient, MatrixMap* input_gradient, Values gradients) {
  Plan& plan = this->plan(input.rows());
  plan.prepare_backward();
  const auto feature = [&](const float* data) { return onednn::view(plan.features, data); };
  float* to = input_gradient ? input_gradient->data() : output_gradient.data();
  onednn::Arguments arguments = {{DNNL_ARG_SRC, onednn::view(plan.images, input.data())},
                                 {DNNL_ARG_MEAN, feature(mean_.data())},
                                 {DNNL_ARG_VARIANCE, feature(variance_.data())},
                                 {DNNL_ARG_DIFF_DST, onednn::view(plan.images, output_gradient.data())},
                                 {DNNL_ARG_SCALE, feature(parameters.data() + scale_offset_)},
                                 {DNNL_ARG_DIFF_SRC, onednn::view(plan.images, to)},
                                 {DNNL_ARG_DIFF_SCALE, feature(gradients.data() + scale_offset_)},
                                 {DNNL_ARG_DIFF_SHIFT, feature(gradients.data() + shift_offset_)}};
  if (onednn::compat::norm_backward_takes_shift)
    arguments.emplace(DNNL_ARG_SHIFT, feature(parameters.data() + shift_offset_));
  if (relu_) arguments.emplace(DNNL_ARG_WORKSPACE, plan.workspace);
  onednn::run(plan.backward, arguments, plan.backward_description->scratchpad_desc());
}

}  // namespace isthmus
