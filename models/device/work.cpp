#include "models/device/work.hpp"

namespace isthmus {
namespace {

Kernel kernel_of(const ConvolutionWork& shape, const ProductShape& product) {
  return {.kind = KernelKind::convolution,
          .flops = product.flops(),
          .elements = shape.input_elements() + shape.output_elements() + shape.weights(),
          .bytes = 0,
          .product = product,
          .winograd = false};
}

bool suits_winograd(const ConvolutionWork& shape) { return shape.window == 3 && shape.stride == 1; }

}  // namespace

bool Kernel::operator==(const Kernel& other) const {
  return kind == other.kind && flops == other.flops && elements == other.elements && bytes == other.bytes &&
         product.rows == other.product.rows && product.columns == other.product.columns &&
         product.depth == other.product.depth && winograd == other.winograd;
}

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

Kernel matrix_product(std::int64_t rows, std::int64_t columns, std::int64_t depth) {
  const ProductShape shape = {rows, columns, depth};
  const auto area = [](std::int64_t a, std::int64_t b) {
    return static_cast<double>(a) * static_cast<double>(b);
  };
  return {.kind = KernelKind::product,
          .flops = shape.flops(),
          .elements = area(rows, depth) + area(depth, columns) + area(rows, columns),
          .bytes = 0,
          .product = shape,
          .winograd = false};
}

Kernel plain_kernel(KernelKind kind, double flops, double elements, double bytes) {
  return {
      .kind = kind, .flops = flops, .elements = elements, .bytes = bytes, .product = {}, .winograd = false};
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
  return batch * ((height + stride - 1) / stride) * ((width + stride - 1) / stride);
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

Kernel convolution_forward(const ConvolutionWork& shape) {
  Kernel kernel = kernel_of(shape, {shape.output_pixels(), shape.output_channels,
                                    shape.input_channels * shape.window * shape.window});
  kernel.winograd = suits_winograd(shape);
  return kernel;
}

Kernel convolution_input_gradient(const ConvolutionWork& shape) {
  Kernel kernel = kernel_of(shape, {shape.output_pixels(), shape.input_channels,
                                    shape.output_channels * shape.window * shape.window});
  kernel.winograd = suits_winograd(shape);
  return kernel;
}

Kernel convolution_weight_gradient(const ConvolutionWork& shape) {
  return kernel_of(shape, {shape.input_channels * shape.window * shape.window, shape.output_channels,
                           shape.output_pixels()});
}

}  // namespace isthmus
