#pragma once

#include <optional>
#include <vector>

#include "models/layers/batch_norm.hpp"
#include "models/network.hpp"

namespace isthmus {

class Selection;

/// Dense layers that end in classes: for each hidden one Linear, BN, ReLU; then Linear and, on request, a BN
/// without scale and shift.
struct DenseOptions {
  std::vector<Index> hidden = {};  ///< widths of the hidden layers; may be empty
  Index classes = 0;
  bool batch_norm = true;         ///< after each hidden linear layer, before its ReLU
  bool output_batch_norm = true;  ///< after the last linear layer
  bool bias = false;
  std::optional<bool> output_bias = {};  ///< of the last linear layer; none: as the others
  BatchStatistics statistics = BatchStatistics::batch;
  std::optional<Index> nonzeros = {};  ///< sparse inputs: non-zero entries of a sample
};

/// Appends them to a network whose last layer has `per_input` features for each index of `input_axis`. Each
/// hidden layer's neurons are an axis, `hidden1`, `hidden2`, ...
void add_dense_layers(Layers& layers, ParameterLayout& layout, int input_axis, Index per_input,
                      const DenseOptions& options);

/// Of each hidden layer the neurons that are selected.
std::vector<Index> selected_widths(const ParameterLayout& layout, const Selection& selection,
                                   std::size_t hidden_layers);

/// How many rows of a block are selected.
Index selected_rows(const ParameterLayout& layout, const Selection& selection, const std::string& block);

}  // namespace isthmus
