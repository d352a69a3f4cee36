#include "models/layers/convolution.hpp"

#include <algorithm>
#include <boost/random/uniform_real_distribution.hpp>
#include <cmath>

#include "models/layers/onednn_compat.hpp"

namespace isthmus {
namespace {

using dnnl::algorithm;
using dnnl::memory;
using dnnl::prop_kind;
using onednn::Type;

int padding_of(const Convolution::Options& options) { return options.padded ? (options.kernel - 1) / 2 : 0; }

}  // namespace

/// Primitives for one number of samples; those of the backward pass are made when first needed.
struct Convolution::Plan {
  Plan(const SampleShape& input, const SampleShape& output, const Options& options,
       const Arithmetic& arithmetic, Index samples)
      : strides{options.stride, options.stride}, padding{padding_of(options), padding_of(options)} {
    const ImageLayout layout = arithmetic.images;
    const bool plain = options.plain_input && layout == ImageLayout::blocked;
    rounded = arithmetic.precision == Precision::bf16 && !plain;
    copied = rounded || (options.plain_input && !plain);
    const Index inputs = options.plain_input ? input.channels : onednn::filled_channels(input, layout),
                outputs = onednn::filled_channels(output, layout), kernel = options.kernel;
    const memory::dims weights = {outputs, inputs, kernel, kernel};
    const Type factors = rounded ? Type::bf16 : Type::f32;
    source =
        options.plain_input ? onednn::plain_images(samples, input) : onednn::images(samples, input, layout);
    source_factor = copied ? onednn::images(samples, input, layout, factors) : source;
    destination = onednn::images(samples, output, layout);
    destination_factor = onednn::images(samples, output, layout, factors);
    weights_factor = {weights, factors, memory::format_tag::any};
    any_weights = {weights, Type::f32, memory::format_tag::any};
    plain_weights = {weights, Type::f32, memory::format_tag::oihw};
    if (outputs != output.channels || inputs != input.channels) {
      const memory::dims used = {output.channels, input.channels, kernel, kernel};
      used_weights = {used, Type::f32, {inputs * kernel * kernel, kernel * kernel, kernel, 1}};
      used_alone = {used, Type::f32, memory::format_tag::oihw};
      filled_weights = onednn::Storage(plain_weights);
      filled_gradient = onednn::Storage(plain_weights);
    }
    if (options.bias) {
      bias = {{outputs}, Type::f32, memory::format_tag::a};
      if (outputs != output.channels) {
        filled_bias = AlignedFloats(static_cast<std::size_t>(outputs));
        std::ranges::fill(filled_bias, 0.0f);
        filled_bias_gradient = AlignedFloats(static_cast<std::size_t>(outputs));
      }
    }
    if (copied) copied_source = onednn::Storage(source_factor);
    winograd = options.method == ConvolutionMethod::fastest && !rounded && options.kernel == 3 &&
               options.stride == 1 && input.channels >= WinogradLimits::least_channels;
    const auto tiles_along = [](Index size) {
      return (size + WinogradLimits::tile - 1) / WinogradLimits::tile;
    };
    tiles = samples * tiles_along(output.height) * tiles_along(output.width);
    forward_description =
        best_description<dnnl::convolution_forward>(WinogradLimits::least_tiles, [&](algorithm method) {
          return onednn::compat::describe<dnnl::convolution_forward>(prop_kind::forward_training, method,
                                                                     source_factor, weights_factor, bias,
                                                                     destination, strides, padding, padding);
        });
    forward = dnnl::convolution_forward(*forward_description);
    forward_weights = onednn::Storage(forward_description->weights_desc());
  }

  /// Winograd where it pays: it transforms the weights at each call, so there must be tiles of 4x4 outputs
  /// enough to use them.
  template <typename Primitive, typename Make>
  typename Primitive::primitive_desc best_description(Index least_tiles, const Make& make) const {
    typename Primitive::primitive_desc description;
    if (winograd && tiles >= least_tiles) description = make(algorithm::convolution_winograd);
    if (!description.get(true)) description = make(algorithm::convolution_direct);
    if (!description.get(true)) throw std::runtime_error("oneDNN has no convolution of this shape");
    return description;
  }

  void prepare_weights_gradient() {
    if (weights_gradient_description) return;
    weights_gradient_description = best_description<dnnl::convolution_backward_weights>(
        WinogradLimits::weight_gradient_least_tiles, [&](algorithm method) {
          return onednn::compat::describe_backward<dnnl::convolution_backward_weights>(
              *forward_description, method, source_factor, any_weights, bias, destination_factor, strides,
              padding, padding);
        });
    weights_gradient = dnnl::convolution_backward_weights(*weights_gradient_description);
    gradient_weights = onednn::Storage(weights_gradient_description->diff_weights_desc());
  }

  void prepare_input_gradient() {
    if (input_gradient_description) return;
    input_gradient_description =
        best_description<dnnl::convolution_backward_data>(WinogradLimits::least_tiles, [&](algorithm method) {
          return onednn::compat::describe_backward<dnnl::convolution_backward_data>(
              *forward_description, method, source, weights_factor, destination_factor, strides, padding,
              padding);
        });
    input_gradient = dnnl::convolution_backward_data(*input_gradient_description);
    backward_weights = onednn::Storage(input_gradient_description->weights_desc());
  }

  /// The gradient of the output as a factor of products: rounded into scratch memory, or as it is.
  memory gradient_factor(const float* gradient) const {
    const memory exact = onednn::view(destination, gradient);
    if (!rounded) return exact;
    const std::size_t floats = destination_factor.get_size() / sizeof(float) + 1;
    const memory factor = onednn::view(destination_factor, onednn::scratch(onednn::Scratch::rounded, floats));
    onednn::reorder(exact, factor);
    return factor;
  }

  /// `to`: in a layout that a primitive likes.
  void load_weights(const float* parameters, const memory& to) const {
    if (!used_weights) return onednn::reorder(onednn::view(plain_weights, parameters), to);
    onednn::reorder(onednn::view(used_alone, parameters), corner(filled_weights));
    onednn::reorder(filled_weights.memory(), to);
  }

  void store_gradient(const memory& from, float* gradients) const {
    if (!used_weights) return onednn::reorder(from, onednn::view(plain_weights, gradients));
    onednn::reorder(from, filled_gradient.memory());
    onednn::reorder(corner(filled_gradient), onednn::view(used_alone, gradients));
  }

  memory corner(const onednn::Storage& filled) const {
    return onednn::view(*used_weights, static_cast<const float*>(filled.memory().get_data_handle()));
  }

  memory::dims strides, padding;
  bool rounded;  // factors of products are
  bool copied;   // the source is, to be rounded or to lie otherwise
  memory::desc source, destination, any_weights, plain_weights;
  memory::desc bias;                                               // of no dimensions: there is none
  memory::desc source_factor, destination_factor, weights_factor;  // in the precision of products
  onednn::Storage copied_source;                                   // of the last forward pass, if copied
  // If channels of zeros fill up blocks: the others among plain_weights, and by themselves.
  std::optional<memory::desc> used_weights;
  memory::desc used_alone;
  onednn::Storage filled_weights, filled_gradient;
  AlignedFloats filled_bias, filled_bias_gradient;
  bool winograd = false;
  Index tiles = 0;
  std::optional<dnnl::convolution_forward::primitive_desc> forward_description;
  std::optional<dnnl::convolution_backward_weights::primitive_desc> weights_gradient_description;
  std::optional<dnnl::convolution_backward_data::primitive_desc> input_gradient_description;
  dnnl::convolution_forward forward;
  dnnl::convolution_backward_weights weights_gradient;
  dnnl::convolution_backward_data input_gradient;
  onednn::Storage forward_weights, backward_weights,
      gradient_weights;  // in the layouts these primitives like
};

Convolution::Convolution(std::string name, SampleShape input, Options options, Axes axes)
    : name_(std::move(name)),
      input_(input),
      output_{options.output_channels, output_side(input.height, options), output_side(input.width, options)},
      options_(options),
      axes_(axes) {}

int Convolution::output_side(int input, const Options& options) {
  return (input + 2 * padding_of(options) - options.kernel) / options.stride + 1;
}

Convolution::~Convolution() = default;

Index Convolution::outputs() const { return onednn::image_size(output_, arithmetic_.images); }

void Convolution::declare_parameters(ParameterLayout& layout) {
  const int rows = axes_.outputs ? *axes_.outputs : layout.add_axis(name_ + ".outputs", output_.channels);
  const int columns = axes_.inputs ? *axes_.inputs : layout.add_axis(name_ + ".inputs", input_.channels);
  weight_offset_ = layout.add(name_ + ".weight", rows, columns, Index{options_.kernel} * options_.kernel);
  if (options_.bias) bias_offset_ = layout.add(name_ + ".bias", rows);
}

void Convolution::initialise(Values parameters, Random& random) const {
  const float bound = 1 / std::sqrt(static_cast<float>(fan_in()));
  boost::random::uniform_real_distribution<float> uniform(-bound, bound);
  const auto count = static_cast<std::size_t>(output_.channels * fan_in());
  for (float& weight : parameters.slice(weight_offset_, count)) weight = uniform(random);
  if (!options_.bias) return;
  for (float& bias : parameters.slice(bias_offset_, static_cast<std::size_t>(output_.channels)))
    bias = uniform(random);
}

ConvolutionWork Convolution::work_shape(Index batch) const {
  return {.batch = batch,
          .input_channels = input_.channels,
          .output_channels = output_.channels,
          .height = input_.height,
          .width = input_.width,
          .window = options_.kernel,
          .stride = options_.stride,
          .padded = options_.padded,
          .plain_input = options_.plain_input};
}

void Convolution::add_costs(CostProfile& costs, Index batch) const {
  Kernel kernel = convolution_forward(work_shape(batch));
  costs.forward_multiply_adds += kernel.flops / 2;
  if (options_.bias) {
    kernel.flops += static_cast<double>(batch * output_.size());
    kernel.elements += static_cast<double>(output_.channels);
  }
  add(costs.forward, kernel);
  costs.activation_bytes += static_cast<std::size_t>(batch * outputs()) * sizeof(float);
}

void Convolution::add_backward(std::vector<BackwardStep>& steps, Extent own, Index batch, bool first) const {
  BackwardStep step{own, {}};
  if (!first) add(step.work, convolution_input_gradient(work_shape(batch)));
  add(step.work, convolution_weight_gradient(work_shape(batch)));
  if (options_.bias) {
    const auto results = static_cast<double>(batch * output_.size());
    add(step.work, of_images(plain_kernel(KernelKind::reduction, results,
                                          results + static_cast<double>(output_.channels)),
                             output_.channels));
  }
  steps.push_back(std::move(step));
}

Convolution::Plan& Convolution::plan(Index samples) {
  std::unique_ptr<Plan>& known = plans_[samples];
  if (!known) known = std::make_unique<Plan>(input_, output_, options_, arithmetic_, samples);
  return *known;
}

void Convolution::forward(Values parameters, ConstMatrixMap input, MatrixMap output, Mode) {
  Plan& plan = this->plan(input.rows());
  plan.load_weights(parameters.data() + weight_offset_, plan.forward_weights.memory());
  memory source = onednn::view(plan.source, input.data());
  if (plan.copied) {
    onednn::reorder(source, plan.copied_source.memory());
    source = plan.copied_source.memory();
  }
  onednn::Arguments arguments = {{DNNL_ARG_SRC, source},
                                 {DNNL_ARG_WEIGHTS, plan.forward_weights.memory()},
                                 {DNNL_ARG_DST, onednn::view(plan.destination, output.data())}};
  if (options_.bias) {
    const float* bias = parameters.data() + bias_offset_;
    if (!plan.filled_bias.empty()) std::copy_n(bias, output_.channels, plan.filled_bias.begin());
    arguments.emplace(DNNL_ARG_BIAS,
                      onednn::view(plan.bias, plan.filled_bias.empty() ? bias : plan.filled_bias.data()));
  }
  onednn::run(plan.forward, arguments, plan.forward_description->scratchpad_desc());
}

void Convolution::backward(ConstValues parameters, ConstMatrixMap input, ConstMatrixMap,
                           MatrixMap output_gradient, MatrixMap* input_gradient, Values gradients) {
  Plan& plan = this->plan(input.rows());
  plan.prepare_weights_gradient();
  const memory gradient = plan.gradient_factor(output_gradient.data());
  onednn::Arguments arguments = {
      {DNNL_ARG_SRC, plan.copied ? plan.copied_source.memory() : onednn::view(plan.source, input.data())},
      {DNNL_ARG_DIFF_DST, gradient},
      {DNNL_ARG_DIFF_WEIGHTS, plan.gradient_weights.memory()}};
  float* const bias_gradient = gradients.data() + bias_offset_;
  AlignedFloats& filled = plan.filled_bias_gradient;
  if (options_.bias)
    arguments.emplace(DNNL_ARG_DIFF_BIAS,
                      onednn::view(plan.bias, filled.empty() ? bias_gradient : filled.data()));
  onednn::run(plan.weights_gradient, arguments, plan.weights_gradient_description->scratchpad_desc());
  plan.store_gradient(plan.gradient_weights.memory(), gradients.data() + weight_offset_);
  if (!filled.empty()) std::copy_n(filled.begin(), output_.channels, bias_gradient);
  if (!input_gradient) return;
  plan.prepare_input_gradient();
  plan.load_weights(parameters.data() + weight_offset_, plan.backward_weights.memory());
  onednn::run(plan.input_gradient,
              {{DNNL_ARG_DIFF_DST, gradient},
               {DNNL_ARG_WEIGHTS, plan.backward_weights.memory()},
               {DNNL_ARG_DIFF_SRC, onednn::view(plan.source, input_gradient->data())}},
              plan.input_gradient_description->scratchpad_desc());
}

std::string Convolution::implementations(Index samples) {
  Plan& plan = this->plan(samples);
  plan.prepare_weights_gradient();
  std::string names = std::string(plan.forward_description->impl_info_str()) + ", " +
                      plan.weights_gradient_description->impl_info_str();
  if (options_.plain_input) return names;
  plan.prepare_input_gradient();
  return names + ", " + plan.input_gradient_description->impl_info_str();
}

}  // namespace isthmus
