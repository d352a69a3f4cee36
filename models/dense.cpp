#include "models/dense.hpp"

#include "models/layers/linear.hpp"
#include "models/layers/relu.hpp"
#include "models/partition/selection.hpp"

namespace isthmus {
namespace {

std::string hidden_name(std::size_t index) { return "hidden" + std::to_string(index + 1); }

}  // namespace

void add_dense_layers(Layers& layers, ParameterLayout& layout, int input_axis, Index per_input,
                      const DenseOptions& options) {
  const auto add_linear = [&](const std::string& name, int outputs, bool bias) {
    const bool first = layers.empty();
    layers.push_back(std::make_unique<Linear>(name, layout, input_axis, outputs, bias,
                                              first ? options.nonzeros : std::nullopt, per_input));
  };
  for (std::size_t i = 0; i < options.hidden.size(); ++i) {
    const std::string name = hidden_name(i);
    const int neurons = layout.add_axis(name, options.hidden[i], AxisKind::neurons);
    add_linear(name, neurons, options.bias);
    if (options.batch_norm) {
      layers.push_back(std::make_unique<BatchNorm>(
          name + ".norm", layout, neurons,
          BatchNorm::Options{.affine = true, .relu = true, .statistics = options.statistics}));
    } else {
      layers.push_back(std::make_unique<Relu>(options.hidden[i]));
    }
    input_axis = neurons;
    per_input = 1;
  }
  const int classes = layout.add_axis("classes", options.classes);
  add_linear("output", classes, options.output_bias.value_or(options.bias));
  if (options.output_batch_norm) {
    layers.push_back(std::make_unique<BatchNorm>(
        "output.norm", layout, classes,
        BatchNorm::Options{.affine = false, .relu = false, .statistics = options.statistics}));
  }
}

Index selected_rows(const ParameterLayout& layout, const Selection& selection, const std::string& block) {
  const BlockSelection* chosen = selection.find(layout.index_of(block));
  return chosen ? chosen->rows.size() : 0;
}

std::vector<Index> selected_widths(const ParameterLayout& layout, const Selection& selection,
                                   std::size_t hidden_layers) {
  std::vector<Index> widths;
  for (std::size_t i = 0; i < hidden_layers; ++i)
    widths.push_back(selected_rows(layout, selection, hidden_name(i) + ".weight"));
  return widths;
}

}  // namespace isthmus
