#pragma once

#include <optional>
#include <vector>

#include "models/layers/batch_norm.hpp"
#include "models/model.hpp"

namespace isthmus {

/// What a multi-layer perceptron is made of.
struct MlpOptions {
  Index inputs = 0;
  std::vector<Index> hidden = {};  ///< widths of the hidden layers; may be empty
  Index classes = 0;
  bool batch_norm = true;         ///< after each hidden linear layer, before its ReLU
  bool output_batch_norm = true;  ///< after the last linear layer, without scale and shift
  bool bias = false;
  BatchStatistics statistics = BatchStatistics::batch;
  std::optional<Index> nonzeros = {};  ///< sparse inputs: non-zero entries of a sample
};

/// The network of the IST paper: for each hidden layer Linear, BN, ReLU; then Linear and a BN without scale
/// and shift. Its divisible axes are the hidden layers' neurons.
class Mlp final : public Model {
 public:
  Mlp(MlpOptions options, std::size_t input_bytes_per_sample);

  static ModelKind kind();

  /// The selection must take the same neurons of a layer in every block that touches it.
  std::unique_ptr<Model> subnet(const Selection& selection) const override;

  const MlpOptions& options() const { return options_; }

 protected:
  Layers make_layers(ParameterLayout& layout) const override;

 private:
  MlpOptions options_;
};

}  // namespace isthmus
