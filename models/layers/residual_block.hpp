#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/aligned.hpp"
#include "models/layers/convolution.hpp"
#include "models/layers/image_norm.hpp"

namespace isthmus {

/// What the blocks of a residual network have in common.
struct BlockStyle {
  bool bottleneck =
      false;  ///< 1x1, 3x3, 1x1 convolutions, the last with four times the channels; else two 3x3
  bool pre_activation =
      true;  ///< BN, ReLU, convolution; else convolution, BN, ReLU, with the last ReLU after the sum
  ConvolutionMethod method = ConvolutionMethod::fastest;
  BatchStatistics statistics = BatchStatistics::batch;
};

/// One block among others.
struct BlockShape {
  std::vector<int> channels;  ///< that each convolution makes
  int stride = 1;
  bool changes_shape = false;           ///< then its shortcut is a convolution, else the identity
  int input_axis = 0, output_axis = 0;  ///< of the layout, which the channels of its input and output lie on
};

/// y = shortcut(x) + scale * branch(x) (He et al. 2016, "Identity mappings in deep residual networks"). The
/// shortcut is the identity, or where the shape changes a 1x1 convolution, of the activated input with
/// pre-activation (as in the ResIST authors' code) and followed by BN without. FLOPs: those of its layers,
/// and one per element of the sum.
class ResidualBlock final : public Layer {
 public:
  /// Channels between two convolutions are axes that it adds to the layout, `NAME.channels1`, ... `unit`: its
  /// index among the layout's units, to which its parameters belong.
  ResidualBlock(std::string name, SampleShape input, const BlockShape& shape, BlockStyle style,
                ParameterLayout& layout, int unit, float scale = 1);

  /// Channels that each convolution of a block of that width makes.
  static std::vector<int> channels_of(int width, const BlockStyle& style);

  SampleShape output_shape() const { return output_; }

  Index outputs() const override;
  void declare_parameters(ParameterLayout& layout) override;
  void declare_statistics(ParameterLayout& layout) override;
  void initialise(Values parameters, Random& random) const override;
  void add_costs(CostProfile& costs, Index batch) const override;
  void add_backward(std::vector<BackwardStep>& steps, Extent own, Index batch, bool first) const override;
  std::optional<Index> fewest_channels() const override;
  void set_arithmetic(const Arithmetic& arithmetic) override;
  void allocate(Index batch) override;
  void forward(Values parameters, ConstMatrixMap input, MatrixMap output, Mode mode) override;
  void backward(ConstValues parameters, ConstMatrixMap input, ConstMatrixMap output,
                MatrixMap output_gradient, MatrixMap* input_gradient, Values gradients) override;

 private:
  /// A layer, its parameters, and where in memory_ its output is.
  struct Stage {
    std::unique_ptr<Layer> layer;
    Extent parameters = {};
    float* output = nullptr;
  };
  using Stages = std::vector<Stage>;

  template <typename Do>
  void for_each_layer(Do&& act) const;
  /// What the i-th stage reads; for the index after the last, what that one wrote.
  ConstMatrixMap input_of(const Stages& stages, std::size_t i, ConstMatrixMap first) const;
  void run_forward(Stages& stages, Values parameters, ConstMatrixMap input, Mode mode) const;
  ConstMatrixMap shortcut_input(ConstMatrixMap input) const;

  int unit_;
  float scale_;
  bool pre_activation_;
  SampleShape output_;
  Stages branch_, shortcut_;  // an empty shortcut is the identity
  AlignedFloats memory_;      // in one piece, the better for huge pages
};

}  // namespace isthmus
