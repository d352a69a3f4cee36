#include "models/mlp.hpp"

#include "models/layers/linear.hpp"
#include "models/layers/relu.hpp"
#include "models/partition/selection.hpp"

namespace isthmus {
namespace {

std::unique_ptr<Model> make_mlp(const nlohmann::json& json, const DataDescription& data) {
  MlpOptions options;
  options.inputs = data.shape.size();
  options.hidden = json.at("hidden").get<std::vector<Index>>();
  options.classes = data.classes;
  options.batch_norm = json.at("batch_norm").get<bool>();
  options.output_batch_norm = json.value("output_batch_norm", options.batch_norm);
  options.bias = json.value("bias", !options.batch_norm);
  options.statistics = json.at("statistics") == "running" ? BatchStatistics::running : BatchStatistics::batch;
  options.nonzeros = data.nonzeros_per_sample;
  return std::make_unique<Mlp>(std::move(options), data.sample_bytes());
}

}  // namespace

Mlp::Mlp(MlpOptions options, std::size_t input_bytes_per_sample)
    : Model(input_bytes_per_sample), options_(std::move(options)) {
  declare_layout();
}

ModelKind Mlp::kind() {
  return {
      .kind = {.name = "mlp",
               .summary = "multi-layer perceptron: Linear, BN, ReLU per hidden layer; Linear, BN (as in IST)",
               .options = nlohmann::json::parse(R"({
    "hidden": {"description": "Widths of the hidden layers, first to last.", "type": "array", "maxItems": 100,
               "items": {"type": "integer", "minimum": 1, "maximum": 10000000}, "examples": [[512, 512]]},
    "batch_norm": {"description": "Batch norm between each hidden linear layer and its ReLU.", "type": "boolean",
                   "default": true},
    "output_batch_norm": {"description": "Batch norm without scale and shift after the last linear layer. Default: as batch_norm.",
                          "type": "boolean"},
    "bias": {"description": "Biases in the linear layers. Default: the opposite of batch_norm.", "type": "boolean"},
    "statistics": {"description": "What evaluation normalises by: the evaluation batch (as the IST authors' code), or a running average of training's.",
                   "enum": ["batch", "running"], "default": "batch"}
  })"),
               .required = {"hidden"}},
      .make = make_mlp};
}

Layers Mlp::make_layers(ParameterLayout& layout) const {
  Layers layers;
  int input = layout.add_axis("inputs", options_.inputs, false);
  for (std::size_t i = 0; i < options_.hidden.size(); ++i) {
    const std::string name = "hidden" + std::to_string(i + 1);
    const int neurons = layout.add_axis(name, options_.hidden[i], true);
    layers.push_back(std::make_unique<Linear>(name, layout, input, neurons, options_.bias,
                                              i == 0 ? options_.nonzeros : std::nullopt));
    if (options_.batch_norm) {
      layers.push_back(std::make_unique<BatchNorm>(
          name + ".norm", layout, neurons,
          BatchNorm::Options{.affine = true, .relu = true, .statistics = options_.statistics}));
    } else {
      layers.push_back(std::make_unique<Relu>(options_.hidden[i]));
    }
    input = neurons;
  }
  const int classes = layout.add_axis("classes", options_.classes, false);
  layers.push_back(std::make_unique<Linear>("output", layout, input, classes, options_.bias,
                                            options_.hidden.empty() ? options_.nonzeros : std::nullopt));
  if (options_.output_batch_norm) {
    layers.push_back(std::make_unique<BatchNorm>(
        "output.norm", layout, classes,
        BatchNorm::Options{.affine = false, .relu = false, .statistics = options_.statistics}));
  }
  return layers;
}

std::unique_ptr<Model> Mlp::subnet(const Selection& selection) const {
  MlpOptions part = options_;
  for (std::size_t i = 0; i < part.hidden.size(); ++i) {
    const BlockSelection* weight =
        selection.find(layout().index_of("hidden" + std::to_string(i + 1) + ".weight"));
    part.hidden[i] = weight ? weight->rows.size() : 0;
  }
  return std::make_unique<Mlp>(std::move(part), input_bytes_per_sample());
}

}  // namespace isthmus
