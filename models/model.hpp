#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "models/costs.hpp"
#include "models/data/dataset.hpp"
#include "models/kind.hpp"
#include "models/network.hpp"
#include "models/parameters.hpp"

namespace isthmus {

class Selection;

/// A network's description: its parameters, costs and layers follow from it. Nothing is allocated before
/// network() is called.
class Model {
 public:
  virtual ~Model() = default;

  const ParameterLayout& layout() const { return layout_; }

  /// Whether there is more to it than costs: whether network() makes one.
  virtual bool can_train() const { return true; }

  /// What a step of `batch` samples costs.
  CostProfile costs(int batch) const;

  /// Fresh parameters, drawn from the stream given.
  std::vector<float> initial_parameters(Random random) const;

  /// A network with memory for batches of up to `capacity` samples.
  std::unique_ptr<Network> network(int capacity, Precision precision = Precision::fp32) const;

  /// The model whose parameters are the selected ones of this, in the same order.
  virtual std::unique_ptr<Model> subnet(const Selection& selection) const = 0;

  /// This model with the outputs of these units multiplied by `scale` (in evaluation, where each was trained
  /// with others missing). Only for models that have units.
  virtual std::unique_ptr<Model> with_scaled_units(const std::vector<int>& units, float scale) const;

 protected:
  explicit Model(std::size_t input_bytes_per_sample) : input_bytes_per_sample_(input_bytes_per_sample) {}

  std::size_t input_bytes_per_sample() const { return input_bytes_per_sample_; }

  /// New layers, over axes that it adds to the (empty) layout.
  virtual Layers make_layers(ParameterLayout& layout) const = 0;

  /// To be called at the end of each derived constructor: sets layout().
  void declare_layout() { layout_ = declared_layers().layout; }

 private:
  struct DeclaredLayers {
    ParameterLayout layout;
    Layers layers;
    std::vector<Extent> trainable;  ///< of each layer
  };
  DeclaredLayers declared_layers() const;

  std::size_t input_bytes_per_sample_;
  ParameterLayout layout_;
};

/// A kind of model a scenario can name. A new one is one new file and one line in model.cpp.
struct ModelKind {
  Kind kind;
  std::unique_ptr<Model> (*make)(const nlohmann::json& options, const DataDescription& data);
};

const std::vector<ModelKind>& model_kinds();
/// Adds one from outside; see Registry::add().
void register_model(ModelKind model);

/// The model that a scenario's `model` describes, for that data. Throws InputError.
std::unique_ptr<Model> make_model(const nlohmann::json& options, const DataDescription& data);

}  // namespace isthmus
