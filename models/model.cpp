#include "models/model.hpp"

#include <stdexcept>

#include "models/error.hpp"
#include "models/mlp.hpp"
#include "models/resnet.hpp"

namespace isthmus {

Layers Model::declared_layers(ParameterLayout& layout) const {
  Layers layers = make_layers(layout);
  for (const auto& layer : layers) layer->declare_parameters(layout);
  for (const auto& layer : layers) layer->declare_statistics(layout);
  return layers;
}

CostProfile Model::costs(int batch) const {
  ParameterLayout layout;
  CostProfile costs = network_costs(declared_layers(layout), batch, input_bytes_per_sample_);
  costs.parameters = layout.trainable_size();
  costs.statistics = layout.size() - layout.trainable_size();
  return costs;
}

std::vector<float> Model::initial_parameters(Random random) const {
  ParameterLayout layout;
  const Layers layers = declared_layers(layout);
  std::vector<float> parameters(layout.size());
  for (const auto& layer : layers) layer->initialise(parameters, random);
  return parameters;
}

std::unique_ptr<Network> Model::network(int capacity, Precision precision) const {
  ParameterLayout layout;
  Layers layers = declared_layers(layout);
  for (const auto& layer : layers) layer->set_precision(precision);
  return std::make_unique<Network>(std::move(layers), capacity);
}

std::unique_ptr<Model> Model::with_scaled_units(const std::vector<int>&, float) const {
  throw std::logic_error("this model has no units");
}

const std::vector<ModelKind>& model_kinds() {
  static const std::vector<ModelKind> kinds = {
      Mlp::kind(),
      Resnet::kind(),
  };
  return kinds;
}

std::unique_ptr<Model> make_model(const nlohmann::json& options, const DataDescription& data) {
  const auto name = options.at("kind").get<std::string>();
  for (const ModelKind& entry : model_kinds()) {
    if (entry.kind.name == name) return entry.make(options, data);
  }
  throw InputError("/model/kind", "unknown model \"" + name + "\"");
}

}  // namespace isthmus
