#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/model.hpp"

namespace isthmus {

/// One of some layers of which no more is known than their parameters.
struct ListedLayer {
  std::string name;
  Index rows = 0, columns = 1;  ///< of its one tensor

  double parameters() const { return static_cast<double>(rows) * static_cast<double>(columns); }
};

/// Layers of which no more is known than their parameters, and what a step takes: to time, and never to
/// train, networks of any size as others describe them.
struct LayerListOptions {
  std::vector<ListedLayer> layers;
  std::optional<double> step_seconds;  ///< of forward and backward pass, on any device; none: FLOPs
  double flops_per_sample = 0;         ///< of both
  double backward_share = 2.0 / 3;     ///< of either; a layer's part is that of its parameters
};

class LayerList final : public Model {
 public:
  LayerList(LayerListOptions options, std::size_t input_bytes_per_sample);

  static ModelKind kind();

  bool can_train() const override { return false; }
  /// Has nothing to deal out: throws std::logic_error.
  std::unique_ptr<Model> subnet(const Selection& selection) const override;

 protected:
  Layers make_layers(ParameterLayout& layout) const override;

 private:
  LayerListOptions options_;
};

}  // namespace isthmus
