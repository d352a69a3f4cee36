// Four bits: a sign and three of exponent, as Streaming DiLoCo has them (Douillard et al., arXiv 2501.18512).
// How its blocks are scaled is not published; here the largest of 256 values is the scale. Number 0 is 0;
// number e = 1 ... 7 is 2^(e - 7), the nearest by ratio.

#include "models/codec/block_scaled.hpp"

namespace isthmus {
namespace {

class E3m0 {
 public:
  static constexpr int bits = 4;

  static constexpr int exponents = 7;
  static constexpr float half_by_ratio = 0.70710678F;  // between 1/2 and 1
  static constexpr std::uint32_t sign = 8;

  float scale_of(ConstValues block) const { return largest_magnitude(block); }
  std::uint32_t number_of(float value, float scale, Random&) const {
    if (value == 0) return 0;
    int exponent = 0;
    const float part = std::frexp(std::abs(value) / scale, &exponent);  // in [1/2, 1)
    exponent += exponents - (part < half_by_ratio ? 1 : 0);
    if (exponent < 1) return 0;
    return static_cast<std::uint32_t>(exponent) | (value < 0 ? sign : 0);
  }
  float value_of(std::uint32_t number) const {
    const int exponent = static_cast<int>(number & ~sign);
    const float magnitude = exponent == 0 ? 0 : std::ldexp(1.0F, exponent - exponents);
    return (number & sign) != 0 ? -magnitude : magnitude;
  }
  std::uint32_t zero() const { return 0; }
};

}  // namespace

CodecKind e3m0_codec() {
  return {.kind = {.name = "e3m0",
                   .summary = "4 bits, a sign and an exponent, times a scale for each block",
                   .options = {{"block", block_schema(256)}}},
          .make = [](const nlohmann::json& options) -> std::unique_ptr<Codec> {
            return std::make_unique<BlockScaled<E3m0>>(options.at("block").get<std::size_t>(), E3m0::bits,
                                                       E3m0());
          }};
}

}  // namespace isthmus
