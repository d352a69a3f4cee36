#pragma once

#include <optional>
#include <vector>

#include "models/costs.hpp"
#include "models/matrix.hpp"
#include "models/parameters.hpp"
#include "models/random.hpp"
#include "models/training.hpp"

namespace isthmus {

/// Training uses (and updates) batch statistics; evaluation uses what the network was told to.
enum class Mode { training, evaluation };

/// How the activations of images lie: channels in blocks (nChw16c, or nChw8c without AVX-512), of which the
/// last may be filled up; or a pixel's channels together (nhwc).
enum class ImageLayout { blocked, channels_last };

/// How a network computes.
struct Arithmetic {
  Precision precision = Precision::fp32;
  ImageLayout images = ImageLayout::channels_last;  ///< which takes no more memory than there are channels
};

/// One step of a feed-forward network. A layer is a description (parameters, costs) until allocate() gives it
/// memory; parameters are never its own but a network's flat vector, handed in at each call.
class Layer {
 public:
  Layer() = default;
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;
  virtual ~Layer() = default;

  /// Features of one sample of the output.
  virtual Index outputs() const = 0;

  /// Appends this layer's trainable blocks; remembers where they are.
  virtual void declare_parameters(ParameterLayout&) {}
  /// Likewise for what is not trained but travels with the parameters. Called after all declare_parameters().
  virtual void declare_statistics(ParameterLayout&) {}
  /// Writes initial values of its blocks into the whole network's vector.
  virtual void initialise(Values /*parameters*/, Random&) const {}

  /// Adds what forward() costs with `batch` samples, and what memory a step takes. activation_bytes: the
  /// output and what else is kept for backward().
  virtual void add_costs(CostProfile& costs, Index batch) const = 0;

  /// Appends the parts of backward() in its order. `own`: what declare_parameters() appended; `first` layers
  /// need no gradient of their input.
  virtual void add_backward(std::vector<BackwardStep>& steps, Extent own, Index batch, bool first) const = 0;

  /// The fewest channels of images that it makes or, unless it is a network's first, reads; none: it makes no
  /// images of its own.
  virtual std::optional<Index> fewest_channels() const { return std::nullopt; }

  /// To be called before allocate(). Layers without convolutions always compute in fp32.
  virtual void set_arithmetic(const Arithmetic&) {}

  /// Memory for up to `batch` samples, besides input and output.
  virtual void allocate(Index /*batch*/) {}

  /// output (samples x outputs) from input (samples x inputs). Only running statistics among the parameters
  /// are written, and only in training.
  virtual void forward(Values parameters, ConstMatrixMap input, MatrixMap output, Mode mode) = 0;

  /// True if the gradient of the input may be written over that of the output.
  virtual bool backward_in_place() const { return false; }

  /// From d loss/d output to d loss/d parameters (this layer's blocks in `gradients`, overwritten) and,
  /// unless `input_gradient` is null, to d loss/d input. `input` and `output` are those of the last
  /// forward().
  virtual void backward(ConstValues parameters, ConstMatrixMap input, ConstMatrixMap output,
                        MatrixMap output_gradient, MatrixMap* input_gradient, Values gradients) = 0;
};

}  // namespace isthmus
