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

  Plan(const SampleShape& shape, ImageLayout layout, bool relu, Index samples)
      : images(onednn::images(samples, shape, layout)),
        channels(static_cast<std::size_t>(shape.channels)),
        filled(static_cast<std::size_t>(onednn::filled_channels(shape, layout))),
        features({static_cast<Index>(filled)}, memory::data_type::f32, memory::format_tag::a),
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

  /// A value for each channel, and zeros for those that fill up a block.
  class Features {
   public:
    Features(const Plan& plan, const float* values) : plan_(plan), values_(values) {
      if (plan.channels == plan.filled) return;
      copy_ = AlignedFloats(plan.filled);
      std::copy_n(values, plan.channels, copy_.begin());
    }
    memory view() const { return onednn::view(plan_.features, copy_.empty() ? values_ : copy_.data()); }
    /// What was written to view() is wanted at `to`, the values given.
    void store(float* to) const {
      if (!copy_.empty()) std::copy_n(copy_.begin(), plan_.channels, to);
    }

   private:
    const Plan& plan_;
    const float* values_;
    AlignedFloats copy_;
  };

  memory::desc images;
  std::size_t channels, filled;
  memory::desc features;
  normalization_flags flags;
  Forward::primitive_desc forward_description;
  std::optional<Forward::primitive_desc> inference_description;
  std::optional<Backward::primitive_desc> backward_description;
  Forward forward, inference;
  Backward backward;
  memory workspace;  // which elements ReLU let pass
};

ImageNorm::ImageNorm(std::string name, SampleShape shape, bool relu, BatchStatistics statistics, int axis)
    : name_(std::move(name)), shape_(shape), relu_(relu), statistics_(statistics), axis_(axis) {}

ImageNorm::~ImageNorm() = default;

Index ImageNorm::outputs() const { return onednn::image_size(shape_, layout_); }

void ImageNorm::declare_parameters(ParameterLayout& layout) {
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
  add(costs.forward, of_images(norm_forward(elements), shape_.channels));
  if (relu_) add(costs.forward, of_images(relu_forward(elements), shape_.channels));
  // The output; mean and variance; for each element a bit that says whether ReLU let it pass.
  const auto outputs = static_cast<std::size_t>(batch * this->outputs());
  costs.activation_bytes += outputs * sizeof(float) +
                            static_cast<std::size_t>(2 * shape_.channels) * sizeof(float) +
                            (relu_ ? outputs / 8 : 0);
}

void ImageNorm::add_backward(std::vector<BackwardStep>& steps, Extent own, Index batch, bool) const {
  const double elements = static_cast<double>(batch) * static_cast<double>(shape_.size());
  BackwardStep step{own, {}};
  if (relu_) add(step.work, of_images(relu_backward(elements), shape_.channels));
  add(step.work, of_images(norm_backward(elements), shape_.channels));
  steps.push_back(std::move(step));
}

ImageNorm::Plan& ImageNorm::plan(Index samples) {
  std::unique_ptr<Plan>& known = plans_[samples];
  if (!known) known = std::make_unique<Plan>(shape_, layout_, relu_, samples);
  return *known;
}

/// oneDNN has only general code for a pixel's channels together unless they fill vectors: ten times slower.
bool ImageNorm::by_columns() const {
  constexpr int vector = 8;
  return layout_ == ImageLayout::channels_last && shape_.channels % vector != 0;
}

void ImageNorm::allocate(Index) {
  if (by_columns()) columns_.resize(shape_.channels, shape_.height * shape_.width);
}

void ImageNorm::forward(Values parameters, ConstMatrixMap input, MatrixMap output, Mode mode) {
  if (by_columns()) {
    const bool runs = statistics_ == BatchStatistics::running;
    columns_.choose_statistics(input, mode, runs ? &running_ : nullptr, parameters);
    return columns_.forward(input, output,
                            {parameters.data() + scale_offset_, parameters.data() + shift_offset_}, relu_);
  }
  Plan& plan = this->plan(input.rows());
  const bool by_running = mode == Mode::evaluation && statistics_ == BatchStatistics::running;
  mean_.resize(plan.filled);
  variance_.resize(plan.filled);
  const Plan::Features scale(plan, parameters.data() + scale_offset_),
      shift(plan, parameters.data() + shift_offset_);
  onednn::Arguments arguments = {{DNNL_ARG_SRC, onednn::view(plan.images, input.data())},
                                 {DNNL_ARG_DST, onednn::view(plan.images, output.data())},
                                 {DNNL_ARG_SCALE, scale.view()},
                                 {DNNL_ARG_SHIFT, shift.view()}};
  if (by_running) {
    plan.prepare_inference();
    const Plan::Features mean(plan, running_.mean(parameters).data()),
        variance(plan, running_.variance(parameters).data());
    arguments.emplace(DNNL_ARG_MEAN, mean.view());
    arguments.emplace(DNNL_ARG_VARIANCE, variance.view());
    return onednn::run(plan.inference, arguments, plan.inference_description->scratchpad_desc());
  }
  arguments.emplace(DNNL_ARG_MEAN, onednn::view(plan.features, mean_.data()));
  arguments.emplace(DNNL_ARG_VARIANCE, onednn::view(plan.features, variance_.data()));
  if (relu_) arguments.emplace(DNNL_ARG_WORKSPACE, plan.workspace);
  onednn::run(plan.forward, arguments, plan.forward_description.scratchpad_desc());
  if (statistics_ != BatchStatistics::running) return;
  running_.update(parameters, {mean_.data(), shape_.channels}, {variance_.data(), shape_.channels},
                  input.rows() * shape_.height * shape_.width);
}

void ImageNorm::backward(ConstValues parameters, ConstMatrixMap input, ConstMatrixMap output,
                         MatrixMap output_gradient, MatrixMap* input_gradient, Values gradients) {
  if (by_columns()) {
    columns_.backward(input, output, output_gradient, input_gradient, parameters.data() + scale_offset_,
                      relu_);
    return columns_.store_gradients(gradients.data() + scale_offset_, gradients.data() + shift_offset_);
  }
  Plan& plan = this->plan(input.rows());
  plan.prepare_backward();
  const Plan::Features scale(plan, parameters.data() + scale_offset_),
      shift(plan, parameters.data() + shift_offset_);
  float* const scale_gradient = gradients.data() + scale_offset_;
  float* const shift_gradient = gradients.data() + shift_offset_;
  const Plan::Features of_scale(plan, scale_gradient), of_shift(plan, shift_gradient);
  float* to = input_gradient ? input_gradient->data() : output_gradient.data();
  onednn::Arguments arguments = {{DNNL_ARG_SRC, onednn::view(plan.images, input.data())},
                                 {DNNL_ARG_MEAN, onednn::view(plan.features, mean_.data())},
                                 {DNNL_ARG_VARIANCE, onednn::view(plan.features, variance_.data())},
                                 {DNNL_ARG_DIFF_DST, onednn::view(plan.images, output_gradient.data())},
                                 {DNNL_ARG_SCALE, scale.view()},
                                 {DNNL_ARG_DIFF_SRC, onednn::view(plan.images, to)},
                                 {DNNL_ARG_DIFF_SCALE, of_scale.view()},
                                 {DNNL_ARG_DIFF_SHIFT, of_shift.view()}};
  if (onednn::compat::norm_backward_takes_shift) arguments.emplace(DNNL_ARG_SHIFT, shift.view());
  if (relu_) arguments.emplace(DNNL_ARG_WORKSPACE, plan.workspace);
  onednn::run(plan.backward, arguments, plan.backward_description->scratchpad_desc());
  of_scale.store(scale_gradient);
  of_shift.store(shift_gradient);
}

}  // namespace isthmus
