// Whole numbers: x = q max|x| / (2^(bits - 1) - 1), to the nearest, ties to even.

#include "models/codec/block_scaled.hpp"

namespace isthmus {
namespace {

class Int8 {
 public:
  explicit Int8(int bits) : most_((1 << (bits - 1)) - 1) {}

  float scale_of(ConstValues block) const { return largest_magnitude(block) / static_cast<float>(most_); }
  std::uint32_t number_of(float value, float scale, Random&) const {
    const float nearest = std::nearbyint(value / scale), most = static_cast<float>(most_);
    return static_cast<std::uint32_t>(static_cast<int>(std::clamp(nearest, -most, most)) + most_);
  }
  float value_of(std::uint32_t number) const { return static_cast<float>(static_cast<int>(number) - most_); }
  std::uint32_t zero() const { return static_cast<std::uint32_t>(most_); }

 private:
  int most_;
};

}  // namespace

CodecKind int8_codec() {
  return {.kind = {.name = "int8",
                   .summary = "whole numbers of 8 bits, or fewer, times a scale for each block",
                   .options = {{"block", block_schema(256)},
                               {"bits",
                                {{"description", "Of each number, its sign included."},
                                 {"type", "integer"},
                                 {"minimum", 2},
                                 {"maximum", 16},
                                 {"default", 8}}}}},
          .make = [](const nlohmann::json& options) -> std::unique_ptr<Codec> {
            const int bits = options.at("bits");
            return std::make_unique<BlockScaled<Int8>>(options.at("block").get<std::size_t>(), bits,
                                                       Int8(bits));
          }};
}

}  // namespace isthmus
