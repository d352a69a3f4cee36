#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "models/device/precision.hpp"

namespace isthmus {

/// Products and convolutions are timed by their dimensions, all others by their FLOPs and bytes; of those the
/// kind only says what the time was for.
enum class KernelKind {
  product,
  convolution,
  elementwise,
  normalisation,
  pooling,
  reduction,
  copy,
  loss,
  optimizer
};

inline constexpr std::array<std::string_view, 9> kernel_kind_names = {
    "product",   "convolution", "elementwise", "normalisation", "pooling",
    "reduction", "copy",        "loss",        "optimizer"};

/// (rows x depth) times (depth x columns).
struct ProductShape {
  std::int64_t rows = 0, columns = 0, depth = 0;

  double flops() const {
    return 2 * static_cast<double>(rows) * static_cast<double>(columns) * static_cast<double>(depth);
  }

  bool operator==(const ProductShape&) const = default;
};

/// A square convolution.
struct ConvolutionWork {
  std::int64_t batch = 1, input_channels = 1, output_channels = 1;
  std::int64_t height = 1, width = 1;  ///< of the input
  std::int64_t window = 1, stride = 1;
  bool padded = true;        ///< so that only the stride changes the size of images
  bool plain_input = false;  ///< as data sets hold images: of a network's first layer

  std::int64_t output_pixels() const;  ///< of the whole batch
  double input_elements() const;
  double output_elements() const;
  double weights() const;

  bool operator==(const ConvolutionWork&) const = default;
};

/// Which of a convolution's three.
enum class Pass { forward, input_gradient, weight_gradient };

/// The product that a pass of a convolution amounts to:
///
///     forward           (batch x output pixels) x output channels, depth input channels x window^2
///     input gradient    (batch x output pixels) x input channels, depth output channels x window^2
///     weight gradient   (input channels x window^2) x output channels, depth batch x output pixels
ProductShape implicit_product(const ConvolutionWork& shape, Pass pass);

/// One call of a library: what a device is to do, of whatever device and precision.
struct Kernel {
  KernelKind kind = KernelKind::elementwise;
  double flops = 0;           ///< as CostProfile counts them
  double elements = 0;        ///< read and written, each as large as the precision has it
  double bytes = 0;           ///< read and written besides, whatever the precision
  ProductShape product = {};  ///< of products; of convolutions the implicit product
  ConvolutionWork convolution = {};
  Pass pass = Pass::forward;  ///< of convolutions
  std::int64_t channels = 0;  ///< of images, where it is neither
  double seconds = 0;         ///< that it takes besides, whatever the device

  double bytes_in(DevicePrecision precision) const { return elements * bytes_per_element(precision) + bytes; }

  bool operator==(const Kernel&) const = default;
};

/// The same kernel so many times in a row.
struct KernelCount {
  Kernel kernel;
  std::int64_t count = 1;

  bool operator==(const KernelCount&) const = default;
};

/// A step, or a part of one: kernels in the order in which a framework issues them.
using Work = std::vector<KernelCount>;

double flops_of(const Work& work);
double bytes_of(const Work& work, DevicePrecision precision);  ///< read and written
double seconds_of(const Work& work);                           ///< whatever the device

/// Appends; what equals the last kernel is only counted.
void add(Work& work, const Kernel& kernel, std::int64_t count = 1);

/// Appends all of another.
void add(Work& work, const Work& more);

/// The same, entry by entry, with nothing counted together.
void append(Work& work, const Work& more);

/// Each operand is read once, the result written once.
Kernel matrix_product(std::int64_t rows, std::int64_t columns, std::int64_t depth);

/// Neither product nor convolution. `elements`: read and written.
Kernel plain_kernel(KernelKind kind, double flops, double elements, double bytes = 0);

/// The same, of images with so many channels: libraries may fill these up to blocks.
Kernel of_images(Kernel kernel, std::int64_t channels);

// What layers have in common, of so many elements each.

/// Reads and writes each once, and compares.
Kernel relu_forward(double elements);
/// Reads result and gradient, writes a gradient.
Kernel relu_backward(double elements);
/// Reads twice (for mean and variance, then to normalise), writes once.
Kernel norm_forward(double elements);
/// Reads input and gradient twice (for two sums, then for the result), writes once.
Kernel norm_backward(double elements);
/// One array added to another.
Kernel sum_of_two(double elements);

/// Input, output and weights are read or written once each: the matrix of patches is never stored.
Kernel convolution_forward(const ConvolutionWork& shape);
Kernel convolution_input_gradient(const ConvolutionWork& shape);
Kernel convolution_weight_gradient(const ConvolutionWork& shape);

}  // namespace isthmus
