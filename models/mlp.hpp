#pragma once

#include "models/dense.hpp"
#include "models/model.hpp"

namespace isthmus {

/// The network of the IST paper: for each hidden layer Linear, BN, ReLU; then Linear and a BN without scale
/// and shift. Partitions deal out the hidden layers' neurons.
class Mlp final : public Model {
 public:
  Mlp(Index inputs, DenseOptions options, std::size_t input_bytes_per_sample);

  static ModelKind kind();

  /// The selection must take the same neurons of a layer in every block that touches it.
  std::unique_ptr<Model> subnet(const Selection& selection) const override;

  const DenseOptions& options() const { return options_; }

 protected:
  Layers make_layers(ParameterLayout& layout) const override;

 private:
  Index inputs_;
  DenseOptions options_;
};

}  // namespace isthmus
