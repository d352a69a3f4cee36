#pragma once

#include <vector>

#include "models/dense.hpp"
#include "models/layers/convolution.hpp"
#include "models/model.hpp"

namespace isthmus {

/// One convolution and what follows it.
struct ConvolutionStage {
  int channels = 0;
  int kernel = 3;
  int stride = 1;
  bool padded = true;  ///< so that only the stride changes the size of images
  int pool = 0;        ///< window of a maximum over pixels, every second row and column; 0: none
};

/// What a plain convolutional network is made of.
struct CnnOptions {
  SampleShape input;
  std::vector<ConvolutionStage> stages = {};
  bool batch_norm = false;  ///< between each convolution and its ReLU; convolutions have biases without
  ConvolutionMethod method = ConvolutionMethod::fastest;
  DenseOptions dense = {};
};

/// Convolution, BN (on request), ReLU, maximum over pixels (on request), and so on; all pixels of all
/// channels to dense layers. Partitions deal out hidden neurons, and the channels that each convolution
/// makes: the axes `conv1`, `conv2`, ...
class Cnn final : public Model {
 public:
  Cnn(CnnOptions options, std::size_t input_bytes_per_sample);

  static ModelKind kind();

  /// The selection must take the same neurons and channels of a layer in every block that touches it.
  std::unique_ptr<Model> subnet(const Selection& selection) const override;

 protected:
  Layers make_layers(ParameterLayout& layout) const override;

 private:
  CnnOptions options_;
};

}  // namespace isthmus
