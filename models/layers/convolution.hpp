#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "models/layers/layer.hpp"
#include "models/layers/onednn.hpp"
#include "models/sample_shape.hpp"

namespace isthmus {

/// `fastest` is Winograd where it pays (3x3, stride 1, 32 channels or more, enough pixels, AVX-512; rms error
/// about 1e-6), else and always with `direct` the plain sum.
enum class ConvolutionMethod { fastest, direct };

/// Where `fastest` takes Winograd's way, by tiles of outputs.
struct WinogradLimits {
  static constexpr Index least_channels = 32;
  static constexpr Index tile = 4;  ///< outputs on a side
  static constexpr Index least_tiles = 64, weight_gradient_least_tiles = 32;
};

/// A square convolution of images. Output channels x input channels x kernel x kernel weights, and biases,
/// start as U(+-1/sqrt(fan_in)), as in PyTorch. Activations lie as arithmetic says, but for the input of a
/// network's first layer, which is plain.
class Convolution final : public Layer {
 public:
  struct Options {
    int output_channels = 0;
    int kernel = 3;
    int stride = 1;
    bool padded = true;  ///< so that only the stride changes the size of images; of odd kernels
    bool bias = false;
    bool plain_input = false;  ///< first layer: gradients of its input are not to be had
    ConvolutionMethod method = ConvolutionMethod::fastest;
  };

  /// Of a layout's axes those that the channels lie on; none: of this layer alone.
  struct Axes {
    std::optional<int> inputs, outputs;
  };

  Convolution(std::string name, SampleShape input, Options options, Axes axes = {});
  ~Convolution() override;

  SampleShape output_shape() const { return output_; }
  /// Its side, of images with this one.
  static int output_side(int input, const Options& options);
  Index outputs() const override;
  void declare_parameters(ParameterLayout& layout) override;
  void initialise(Values parameters, Random& random) const override;
  void add_costs(CostProfile& costs, Index batch) const override;
  void add_backward(std::vector<BackwardStep>& steps, Extent own, Index batch, bool first) const override;
  std::optional<Index> fewest_channels() const override {
    return options_.plain_input ? output_.channels : std::min(input_.channels, output_.channels);
  }
  void set_arithmetic(const Arithmetic& arithmetic) override { arithmetic_ = arithmetic; }
  void forward(Values parameters, ConstMatrixMap input, MatrixMap output, Mode mode) override;
  void backward(ConstValues parameters, ConstMatrixMap input, ConstMatrixMap output,
                MatrixMap output_gradient, MatrixMap* input_gradient, Values gradients) override;

  /// oneDNN's names of the implementations used for that many samples, forward and backward.
  std::string implementations(Index samples);

 private:
  struct Plan;
  Plan& plan(Index samples);
  ConvolutionWork work_shape(Index batch) const;
  Index fan_in() const { return Index{input_.channels} * options_.kernel * options_.kernel; }

  std::string name_;
  SampleShape input_, output_;
  Options options_;
  Axes axes_;
  Arithmetic arithmetic_;
  std::size_t weight_offset_ = 0, bias_offset_ = 0;
  std::map<Index, std::unique_ptr<Plan>> plans_;  // by samples
};

}  // namespace isthmus
