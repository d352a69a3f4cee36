#pragma once

#include <array>
#include <functional>
#include <memory>
#include <vector>

#include "models/aligned.hpp"
#include "models/data/labels.hpp"
#include "models/layers/layer.hpp"
#include "models/loss.hpp"

namespace isthmus {

using Layers = std::vector<std::unique_ptr<Layer>>;

/// Samples of a mini-batch: inputs (samples x features) and labels.
struct Batch {
  ConstMatrixMap inputs;
  Labels labels;
};

/// Layers with memory for batches of up to `capacity` samples. Parameters stay outside, in one flat vector.
class Network {
 public:
  /// `trainable`: where the parameters of each layer are, one layer's after the other's.
  Network(Layers layers, Index capacity, const std::vector<Extent>& trainable);

  /// What hears, during a backward pass, from which parameter on the gradients are known: once a layer.
  using GradientProgress = std::function<void(std::size_t known_from)>;

  /// One forward and backward pass: overwrites `gradients` (trainable size) with those of the mean loss and
  /// updates running statistics within `parameters`.
  BatchResult gradient(Values parameters, const Batch& batch, Values gradients,
                       const GradientProgress& progress = {});

  /// A forward pass in training mode, which updates running statistics.
  void observe(Values parameters, ConstMatrixMap inputs) { forward(parameters, inputs, Mode::training); }

  /// A forward pass in evaluation mode; leaves `parameters` as they are.
  BatchResult evaluate(Values parameters, const Batch& batch);

  Index capacity() const { return capacity_; }

 private:
  MatrixMap output_of(std::size_t layer, Index samples);
  /// What a layer reads; for the index after the last layer, what that one wrote.
  ConstMatrixMap input_of(std::size_t layer, ConstMatrixMap inputs) const;
  void forward(Values parameters, ConstMatrixMap inputs, Mode mode);

  Layers layers_;
  Index capacity_;
  std::vector<std::size_t> parameter_offsets_;  // of each layer
  std::vector<Index> output_offsets_;           // in features of one sample; the last is their sum
  AlignedFloats outputs_;                       // layer by layer, in one piece: the better for huge pages
  /// Gradients of activations: a layer reads one and writes the other, or works in place.
  std::array<AlignedFloats, 2> activation_gradients_;
};

/// Adds up what the layers cost (parameters aside), with input batch, loss and the memory Network allocates.
/// `trainable`: as for Network; `input_bytes_per_sample`: what the input batch takes on the device.
CostProfile network_costs(const Layers& layers, const std::vector<Extent>& trainable, Index batch,
                          std::size_t input_bytes_per_sample);

}  // namespace isthmus
