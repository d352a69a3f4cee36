#include "models/data/augment.hpp"

#include <algorithm>
#include <boost/random/uniform_int_distribution.hpp>
#include <cassert>

#include "models/error.hpp"

namespace isthmus {

Augmentation Augmentation::parse(const nlohmann::json& data_options, const DataDescription& data) {
  Augmentation augmentation;
  const auto options = data_options.find("augment");
  if (options == data_options.end()) return augmentation;
  augmentation.flip = options->value("flip", augmentation.flip);
  augmentation.pad_crop = options->value("pad_crop", augmentation.pad_crop);
  if (augmentation.any() && data.shape.height == 1 && data.shape.width == 1) {
    throw InputError("/data/augment", "found " + options->dump() + ", but the samples of \"" + data.name +
                                          "\" are vectors here; only images can be flipped or cropped");
  }
  return augmentation;
}

Augmenter::Augmenter(const Augmentation& augmentation, const Dataset& dataset, Random random)
    : augmentation_(augmentation), shape_(dataset.description.shape), random_(random) {
  assert(dataset.channel_scales.size() == static_cast<std::size_t>(shape_.channels));
  for (const ChannelScale& scale : dataset.channel_scales) black_.push_back(scale.normalised(0));
}

Augmenter::Change Augmenter::draw() {
  boost::random::uniform_int_distribution<int> offset(-augmentation_.pad_crop, augmentation_.pad_crop);
  Change change;
  change.flipped = boost::random::uniform_int_distribution<int>(0, 1)(random_) == 1 && augmentation_.flip;
  change.down = offset(random_);
  change.right = offset(random_);
  return change;
}

void Augmenter::skip(std::size_t images) {
  for (std::size_t i = 0; i < images; ++i) draw();
}

void Augmenter::copy(const float* image, float* to) {
  const auto [flipped, down, right] = draw();
  const auto [channels, height, width] = shape_;
  // Of each row cut out, the first `left` pixels lie before the image's row, and those from `end` on after
  // it.
  const int left = std::clamp(-right, 0, width), end = std::clamp(width - right, 0, width);
  for (int channel = 0; channel < channels; ++channel) {
    const float black = black_[static_cast<std::size_t>(channel)];
    const float* plane = image + Index{channel} * height * width;
    for (int y = 0; y < height; ++y, to += width) {
      const int row = y + down;
      if (row < 0 || row >= height || left >= end) {
        std::fill_n(to, width, black);
        continue;
      }
      const float* first = plane + Index{row} * width + left + right;
      const float* last = first + (end - left);
      if (flipped) {
        float* const inside = std::fill_n(to, width - end, black);
        std::fill_n(std::reverse_copy(first, last, inside), left, black);
      } else {
        float* const inside = std::fill_n(to, left, black);
        std::fill_n(std::copy(first, last, inside), width - end, black);
      }
    }
  }
}

}  // namespace isthmus
