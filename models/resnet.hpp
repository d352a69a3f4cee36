#pragma once

#include <string>
#include <vector>

#include "models/dense.hpp"
#include "models/layers/residual_block.hpp"
#include "models/model.hpp"

namespace isthmus {

/// What a residual network is made of.
struct ResnetOptions {
  SampleShape input;
  std::vector<int> sections = {};  ///< blocks between two changes of resolution
  std::vector<int> widths =
      {};  ///< channels of each section; every one after the first halves the resolution
  int stem_kernel = 3;
  int stem_stride = 1;
  bool stem_max_pool = false;  ///< 3x3, stride 2, after the stem's convolution (and its BN and ReLU, if any)
  BlockStyle style = {};
  DenseOptions dense = {};  ///< after the mean
};

/// Residual networks for small images: a stem, 3x3 of stride 1 unless told otherwise (without BN; with BN and
/// ReLU if blocks are post-activated), sections of residual blocks, the mean over all pixels, dense layers: a
/// linear one with bias, unless told otherwise. As in the ResIST authors' code there is no BN before the
/// mean. Each block is a unit; those whose shape stays are removable. Partitions deal out hidden neurons,
/// too, the channels inside blocks, and those of the streams that blocks add to: `stem` and, wherever the
/// shape changes, the section's.
class Resnet final : public Model {
 public:
  Resnet(ResnetOptions options, std::size_t input_bytes_per_sample);

  static ModelKind kind();

  /// The selection must take the same neurons and channels of a layer in every block that touches it, and
  /// all else of a unit in full or not at all.
  std::unique_ptr<Model> subnet(const Selection& selection) const override;
  std::unique_ptr<Model> with_scaled_units(const std::vector<int>& units, float scale) const override;

 protected:
  Layers make_layers(ParameterLayout& layout) const override;

 private:
  /// A block by its place in the whole network.
  struct Block {
    int section, index;         // from 1
    std::vector<int> channels;  // that each convolution makes
    bool changes_shape;
    float scale = 1;
  };
  static std::string name_of(const Block& block);
  static int stride_of(const Block& block);
  Resnet(ResnetOptions options, int stem_channels, std::vector<Block> blocks,
         std::size_t input_bytes_per_sample);

  ResnetOptions options_;
  int stem_channels_;
  std::vector<Block> blocks_;
};

}  // namespace isthmus
