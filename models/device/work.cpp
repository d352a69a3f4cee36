#include "models/device/work.hpp"

namespace isthmus {
namespace {

Kernel kernel_of(const ConvolutionWork& shape, Pass pass) {
  const ProductShape product = implicit_product(shape, pass);
  return {KernelKind::convolution,
          product.flops(),
          shape.input_elements() + shape.output_elements() + shape.weights(),
          0,
          product,
          shape,
          pass};
}

}  // namespace

double flops_of(const Work& work) {
  double flops = 0;
  for (const KernelCount& each : work) flops += static_cast<double>(each.count) * each.kernel.flops;
  return flops;
}

double bytes_of(const Work& work, DevicePrecision precision) {
  double bytes = 0;
  for (const KernelCount& each : work)
    bytes += static_cast<double>(each.count) * each.kernel.bytes_in(precision);
  return bytes;
}

double seconds_of(const Work& work) {
  double seconds = 0;
  for (const KernelCount& each : work) seconds += static_cast<double>(each.count) * each.kernel.seconds;
  return seconds;
}

void add(Work& work, const Kernel& kernel, std::int64_t count) {
  if (!work.empty() && work.back().kernel == kernel) {
    work.back().count += count;
  } else {
    work.push_back({kernel, count});
  }
}

void add(Work& work, const Work& more) {
  for (const KernelCount& each : more) add(work, each.kernel, each.count);
}

void append(Work& work, const Work& more) { work.insert(work.end(), more.begin(), more.end()); }

Kernel matrix_product(std::int64_t rows, std::int64_t columns, std::int64_t depth) {
  const ProductShape shape = {rows, columns, depth};
  const auto area = [](std::int64_t a, std::int64_t b) {
    return static_cast<double>(a) * static_cast<double>(b);
  };
  return {KernelKind::product, shape.flops(), area(rows, depth) + area(depth, columns) + area(rows, columns),
          0, shape};
}

Kernel plain_kernel(KernelKind kind, double flops, double elements, double bytes) {
  return {kind, flops, elements, bytes};
}

Kernel of_images(Kernel kernel, std::int64_t channels) {
  kernel.channels = channels;
  return kernel;
}

Kernel relu_forward(double elements) { return plain_kernel(KernelKind::elementwise, elements, 2 * elements); }

Kernel relu_backward(double elements) {
  return plain_kernel(KernelKind::elementwise, elements, 3 * elements);
}

Kernel norm_forward(double elements) {
  return plain_kernel(KernelKind::normalisation, 6 * elements, 3 * elements);
}

Kernel norm_backward(double elements) {
  return plain_kernel(KernelKind::normalisation, 9 * elements, 5 * elements);
}

Kernel sum_of_two(double elements) { return plain_kernel(KernelKind::elementwise, elements, 3 * elements); }

std::int64_t ConvolutionWork::output_pixels() const {
  const auto side = [&](std::int64_t input) {
    return ((padded ? input : input - window + 1) + stride - 1) / stride;
  };
  return batch * side(height) * side(width);
}

double ConvolutionWork::input_elements() const {
  return static_cast<double>(batch * height * width) * static_cast<double>(input_channels);
}

double ConvolutionWork::output_elements() const {
  return static_cast<double>(output_pixels()) * static_cast<double>(output_channels);
}

double ConvolutionWork::weights() const {
  return static_cast<double>(input_channels * window * window) * static_cast<double>(output_channels);
}

ProductShape implicit_product(const ConvolutionWork& shape, Pass pass) {
  const std::int64_t pixels = shape.output_pixels(), patch = shape.window * shape.window;
  const std::int64_t inputs = shape.input_channels, outputs = shape.output_channels;
  switch (pass) {
    case Pass::input_gradient:
      return {pixels, inputs, outputs * patch};
    case Pass::weight_gradient:
      return {inputs * patch, outputs, pixels};
    default:
      return {pixels, outputs, inputs * patch};
  }
}

Kernel convolution_forward(const ConvolutionWork& shape) { return kernel_of(shape, Pass::forward); }

Kernel convolution_input_gradient(const ConvolutionWork& shape) {
  return kernel_of(shape, Pass::input_gradient);
}

Kernel convolution_weight_gradient(const ConvolutionWork& shape) {
  return kernel_of(shape, Pass::weight_gradient);
}

}  // namespace isthmus
