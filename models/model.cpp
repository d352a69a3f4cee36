#include "models/model.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "models/cnn.hpp"
#include "models/error.hpp"
#include "models/layer_list.hpp"
#include "models/layers/onednn.hpp"
#include "models/mlp.hpp"
#include "models/registry.hpp"
#include "models/resnet.hpp"

namespace isthmus {

Model::DeclaredLayers Model::declared_layers() const {
  DeclaredLayers result;
  ParameterLayout& layout = result.layout;
  result.layers = make_layers(layout);
  for (const auto& layer : result.layers) {
    const std::size_t offset = layout.size();
    layer->declare_parameters(layout);
    result.trainable.push_back({offset, layout.size() - offset});
  }
  for (const auto& layer : result.layers) layer->declare_statistics(layout);
  return result;
}

CostProfile Model::costs(int batch) const {
  const DeclaredLayers declared = declared_layers();
  CostProfile costs = network_costs(declared.layers, declared.trainable, batch, input_bytes_per_sample_);
  costs.parameters = declared.layout.trainable_size();
  costs.statistics = declared.layout.size() - declared.layout.trainable_size();
  return costs;
}

std::vector<float> Model::initial_parameters(Random random) const {
  const DeclaredLayers declared = declared_layers();
  std::vector<float> parameters(declared.layout.size());
  for (const auto& layer : declared.layers) layer->initialise(parameters, random);
  return parameters;
}

std::unique_ptr<Network> Model::network(int capacity, Precision precision) const {
  DeclaredLayers declared = declared_layers();
  Index fewest_channels = std::numeric_limits<Index>::max();
  for (const auto& layer : declared.layers)
    fewest_channels = std::min(fewest_channels, layer->fewest_channels().value_or(fewest_channels));
  const Arithmetic arithmetic = {precision, onednn::image_layout(precision, fewest_channels)};
  for (const auto& layer : declared.layers) layer->set_arithmetic(arithmetic);
  return std::make_unique<Network>(std::move(declared.layers), capacity, declared.trainable);
}

std::unique_ptr<Model> Model::with_scaled_units(const std::vector<int>&, float) const {
  throw std::logic_error("this model has no units");
}

namespace {

Registry<ModelKind>& models_known() {
  static Registry<ModelKind> models({
      Mlp::kind(),
      Cnn::kind(),
      Resnet::kind(),
      LayerList::kind(),
  });
  return models;
}

}  // namespace

const std::vector<ModelKind>& model_kinds() { return models_known().entries(); }

void register_model(ModelKind model) { models_known().add(std::move(model)); }

std::unique_ptr<Model> make_model(const nlohmann::json& options, const DataDescription& data) {
  const auto name = options.at("kind").get<std::string>();
  if (const ModelKind* found = models_known().find(name)) return found->make(options, data);
  throw InputError("/model/kind", "unknown model \"" + name + "\"");
}

}  // namespace isthmus
