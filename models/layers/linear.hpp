#pragma once

#include <optional>
#include <string>

#include "models/layers/layer.hpp"

namespace isthmus {

/// y = x W' + b. W: outputs x inputs, b: outputs. Weights and bias start as U(+-1/sqrt(inputs)), as in the
/// IST authors' code and in PyTorch.
class Linear final : public Layer {
 public:
  /// Axes are indices into the layout given to declare_parameters(). With `nonzeros`, the input has only so
  /// many non-zero entries a sample: costs count those alone (an index and a value each); such a layer cannot
  /// run.
  /// `per_input`: features that each index of the input axis has, as flattened images have pixels.
  Linear(std::string name, const ParameterLayout& layout, int input_axis, int output_axis, bool bias,
         std::optional<Index> nonzeros = {}, Index per_input = 1);

  Index outputs() const override { return outputs_; }
  void declare_parameters(ParameterLayout& layout) override;
  void initialise(Values parameters, Random& random) const override;
  void add_costs(CostProfile& costs, Index batch) const override;
  void add_backward(std::vector<BackwardStep>& steps, Extent own, Index batch, bool first) const override;
  void forward(Values parameters, ConstMatrixMap input, MatrixMap output, Mode mode) override;
  void backward(ConstValues parameters, ConstMatrixMap input, ConstMatrixMap output,
                MatrixMap output_gradient, MatrixMap* input_gradient, Values gradients) override;

 private:
  std::size_t weight_size() const { return static_cast<std::size_t>(outputs_ * inputs_); }

  std::string name_;
  int input_axis_, output_axis_;
  Index per_input_;
  Index inputs_, outputs_;
  bool bias_;
  std::optional<Index> nonzeros_;
  std::size_t weight_offset_ = 0, bias_offset_ = 0;
};

}  // namespace isthmus
