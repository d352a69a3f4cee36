#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "models/data/dataset.hpp"
#include "models/random.hpp"

namespace isthmus {

/// How training images are changed at random each time they are used.
struct Augmentation {
  bool flip = false;  ///< left to right, every second time
  int pad_crop =
      0;  ///< pixels of black put around an image before a part of its old size is cut out; 0: none

  bool any() const { return flip || pad_crop > 0; }

  /// Throws InputError if these samples are no images.
  static Augmentation parse(const nlohmann::json& data_options, const DataDescription& data);
};

/// One worker's augmented images:
///   crop:  y[c, i, j] = x[c, i + u, j + v], u and v uniform in -pad_crop .. pad_crop; black outside of x
///   flip:  y[c, i, j] = y[c, i, width - 1 - j] with probability 1/2
/// as RandomCrop(size, padding=pad_crop) and RandomHorizontalFlip() of torchvision do it before they
/// normalise: black is what a pixel of 0 has become in the data set. Each image draws the same numbers
/// whatever is switched on, so that crops are the same with flips and without.
class Augmenter {
 public:
  /// `dataset` has been normalised.
  Augmenter(const Augmentation& augmentation, const Dataset& dataset, Random random);

  /// Writes a version of the image, drawn anew, to `to`, which does not overlap it.
  void copy(const float* image, float* to);
  /// Draws for so many images and makes none.
  void skip(std::size_t images);

 private:
  struct Change {
    bool flipped = false;
    int down = 0, right = 0;
  };
  Change draw();

  Augmentation augmentation_;
  SampleShape shape_;
  std::vector<float> black_;  // of each channel
  Random random_;
};

}  // namespace isthmus
