#pragma once

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "models/codec/bits.hpp"
#include "models/codec/codec.hpp"

namespace isthmus {

/// Codecs that give each value of a block a number of a few bits, and each block a scale (fp32):
///
///     payload    all scales, then all numbers, packed: 4 ceil(n / block) + ceil(n bits / 8) bytes
///
/// A block whose scale is no finite number decodes to what is none either. A Format says how (8 bits at most
/// are quick):
///
///     float scale_of(ConstValues block) const
///     std::uint32_t number_of(float value, float scale, Random&) const   for a finite scale above 0
///     float value_of(std::uint32_t number) const                         in scales; 0 of number zero()
template <typename Format>
class BlockScaled final : public Codec {
 public:
  /// `block`: values of one; 0: all of a tensor's.
  BlockScaled(std::size_t block, int bits, Format format)
      : block_(block), bits_(bits), format_(std::move(format)), value_of_(std::size_t{1} << bits) {
    for (std::size_t number = 0; number < value_of_.size(); ++number)
      value_of_[number] = format_.value_of(static_cast<std::uint32_t>(number));
  }

  std::size_t bytes(std::size_t count) const override {
    return blocks(count) * sizeof(float) + packed_bytes(count, bits_);
  }

  void encode(ConstValues values, Payload payload, Random& random) const override {
    BitWriter numbers(
        payload.slice(blocks(values.size()) * sizeof(float), packed_bytes(values.size(), bits_)));
    for_each_block(values, [&](std::size_t index, ConstValues block) {
      const float scale = format_.scale_of(block);
      put_float(payload, index * sizeof(float), scale);
      const bool usable = std::isfinite(scale) && scale > 0;
      for (const float value : block)
        numbers.put(usable ? format_.number_of(value, scale, random) : format_.zero(), bits_);
    });
  }

  void add_decoded(ConstPayload payload, Values sum, Random&) const override {
    BitReader numbers(payload.slice(blocks(sum.size()) * sizeof(float), packed_bytes(sum.size(), bits_)));
    for_each_block(sum, [&](std::size_t index, Values block) {
      const float scale = get_float(payload, index * sizeof(float));
      for (float& value : block) value += value_of_[numbers.get(bits_)] * scale;
    });
  }

  Kernel encode_work(std::size_t count) const override { return passes(2, count); }  // the scale comes first

 private:
  std::size_t blocks(std::size_t count) const {
    if (count == 0) return 0;
    return block_ == 0 ? 1 : (count + block_ - 1) / block_;
  }
  template <typename V, typename Each>
  void for_each_block(V values, Each each) const {
    for (std::size_t index = 0; index < blocks(values.size()); ++index) {
      const std::size_t begin = index * block_;
      each(index, values.slice(begin, block_ == 0 ? values.size() : std::min(block_, values.size() - begin)));
    }
  }

  std::size_t block_;
  int bits_;
  Format format_;
  std::vector<float> value_of_;  // by number
};

/// The largest magnitude; NaN if there is one.
inline float largest_magnitude(ConstValues block) {
  float largest = 0;
  for (const float value : block) {
    if (std::isnan(value)) return value;
    largest = std::max(largest, std::abs(value));
  }
  return largest;
}

/// JSON Schema of the option `block`, with that default.
inline nlohmann::json block_schema(int values) {
  return {{"description", "Values that share a scale (fp32); the last ones of a tensor may be fewer."},
          {"type", "integer"},
          {"minimum", 1},
          {"default", values}};
}

}  // namespace isthmus
