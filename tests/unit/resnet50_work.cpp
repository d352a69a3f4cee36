#include "tests/unit/resnet50_work.hpp"

#include <utility>
#include <vector>

namespace isthmus::test {
namespace {

using enum KernelKind;

/// Appends a network's forward pass, and remembers its backward pass, last kernel first.
class Network {
 public:
  explicit Network(const Resnet50Run& run) : run_(run) {}

  struct Images {
    std::int64_t channels, size;
  };

  Images convolve(Images input, std::int64_t channels, std::int64_t window, std::int64_t stride) {
    const ConvolutionWork shape = {.batch = run_.batch,
                                   .input_channels = input.channels,
                                   .output_channels = channels,
                                   .height = input.size,
                                   .width = input.size,
                                   .window = window,
                                   .stride = stride};
    const bool is_first = input.channels == 3;
    forward(convolution_forward(shape));
    backward(convolution_weight_gradient(shape));
    if (!is_first) backward(convolution_input_gradient(shape));
    if (run_.converts_layout) {
      const Kernel conversion = plain_kernel(copy, 0, 2 * (shape.input_elements() + shape.output_elements()));
      forward(conversion);
      backward(conversion);
      if (!is_first) backward(conversion);
    }
    parameters_ += shape.weights();
    return {channels, (input.size + stride - 1) / stride};
  }

  /// Statistics take a pass of their own; so do the sums of the backward pass, over input and gradient.
  void normalise(Images images) {
    forward(plain_kernel(normalisation, 0, (run_.training ? 3 : 2) * elements(images)));
    backward(plain_kernel(normalisation, 0, 5 * elements(images)));
    parameters_ += 2 * static_cast<double>(images.channels);
  }

  void relu(Images images) {
    forward(plain_kernel(elementwise, elements(images), 2 * elements(images)));
    backward(plain_kernel(elementwise, elements(images), 3 * elements(images)));
  }

  /// The sum of a block's two ways; backward, that of their gradients where they part.
  void add_ways(Images images) {
    forward(plain_kernel(elementwise, elements(images), 3 * elements(images)));
    backward(plain_kernel(elementwise, elements(images), 3 * elements(images)));
  }

  Images max_pool(Images images) {
    forward(plain_kernel(pooling, 0, 1.25 * elements(images)));
    backward(plain_kernel(pooling, 0, 2.25 * elements(images)));
    return {images.channels, images.size / 2};
  }

  void classify(Images images, std::int64_t classes) {
    forward(plain_kernel(pooling, 0, elements(images)));
    forward(matrix_product(run_.batch, classes, images.channels));
    backward(plain_kernel(pooling, 0, elements(images)));
    backward(matrix_product(run_.batch, images.channels, classes));
    backward(matrix_product(images.channels, classes, run_.batch));
    parameters_ += static_cast<double>((images.channels + 1) * classes);
  }

  /// Parameters and momenta are read and written, gradients read.
  Work finish() {
    if (!run_.training) return work_;
    for (auto kernel = backward_.rbegin(); kernel != backward_.rend(); ++kernel) add(work_, *kernel);
    constexpr double bytes_per_parameter = 5 * 4;
    add(work_, plain_kernel(optimizer, 4 * parameters_, 0, bytes_per_parameter * parameters_));
    return work_;
  }

 private:
  double elements(Images images) const {
    return static_cast<double>(run_.batch * images.channels * images.size * images.size);
  }
  void forward(const Kernel& kernel) { add(work_, kernel); }
  void backward(const Kernel& kernel) { backward_.push_back(kernel); }

  Resnet50Run run_;
  Work work_;
  std::vector<Kernel> backward_;
  double parameters_ = 0;
};

}  // namespace

Work resnet50_work(const Resnet50Run& run) {
  Network network(run);
  Network::Images images = network.convolve({3, 224}, 64, 7, 2);
  network.normalise(images);
  network.relu(images);
  images = network.max_pool(images);
  for (const auto& [width, blocks] : {std::pair{64, 3}, {128, 4}, {256, 6}, {512, 3}}) {
    for (int block = 0; block < blocks; ++block) {
      const Network::Images input = images;
      const int stride = block == 0 && width > 64 ? 2 : 1;
      images = network.convolve(images, width, 1, 1);
      network.normalise(images);
      network.relu(images);
      images = network.convolve(images, width, 3, stride);
      network.normalise(images);
      network.relu(images);
      images = network.convolve(images, 4 * width, 1, 1);
      network.normalise(images);
      if (block == 0) network.normalise(network.convolve(input, 4 * width, 1, stride));
      network.add_ways(images);
      network.relu(images);
    }
  }
  network.classify(images, 1000);
  return network.finish();
}

}  // namespace isthmus::test
