#include "models/mlp.hpp"

#include "models/layer_options.hpp"

namespace isthmus {
namespace {

std::unique_ptr<Model> make_mlp(const nlohmann::json& json, const DataDescription& data) {
  DenseOptions options;
  options.hidden = json.at("hidden").get<std::vector<Index>>();
  options.classes = data.classes;
  options.batch_norm = json.at("batch_norm").get<bool>();
  options.output_batch_norm = json.value("output_batch_norm", options.batch_norm);
  options.bias = json.value("bias", !options.batch_norm);
  options.statistics = statistics_of(json);
  options.nonzeros = data.nonzeros_per_sample;
  return std::make_unique<Mlp>(data.shape.size(), std::move(options), data.sample_bytes());
}

}  // namespace

Mlp::Mlp(Index inputs, DenseOptions options, std::size_t input_bytes_per_sample)
    : Model(input_bytes_per_sample), inputs_(inputs), options_(std::move(options)) {
  declare_layout();
}

ModelKind Mlp::kind() {
  nlohmann::json schema = nlohmann::json::parse(R"({
    "batch_norm": {"description": "Batch norm between each hidden linear layer and its ReLU.", "type": "boolean",
                   "default": true},
    "output_batch_norm": {"description": "Batch norm without scale and shift after the last linear layer. Default: as batch_norm.",
                          "type": "boolean"},
    "bias": {"description": "Biases in the linear layers. Default: the opposite of batch_norm.", "type": "boolean"}
  })");
  schema["hidden"] = hidden_schema();
  schema["statistics"] = statistics_schema();
  return {
      .kind = {.name = "mlp",
               .summary = "multi-layer perceptron: Linear, BN, ReLU per hidden layer; Linear, BN (as in IST)",
               .options = std::move(schema),
               .required = {"hidden"}},
      .make = make_mlp};
}

Layers Mlp::make_layers(ParameterLayout& layout) const {
  Layers layers;
  add_dense_layers(layers, layout, layout.add_axis("inputs", inputs_), 1, options_);
  return layers;
}

std::unique_ptr<Model> Mlp::subnet(const Selection& selection) const {
  DenseOptions part = options_;
  part.hidden = selected_widths(layout(), selection, part.hidden.size());
  return std::make_unique<Mlp>(inputs_, std::move(part), input_bytes_per_sample());
}

}  // namespace isthmus
