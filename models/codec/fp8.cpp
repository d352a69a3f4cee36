// Eight-bit floats (Micikevicius et al., arXiv 2209.05433): e4m3, whose largest is 448, or e5m2, whose
// largest is 57344, to the nearest, ties to even. A tensor's largest value becomes the format's.

#include "models/codec/block_scaled.hpp"

namespace isthmus {
namespace {

class Fp8 {
 public:
  Fp8(int mantissa_bits, float largest)
      : mantissa_bits_(mantissa_bits), least_exponent_(mantissa_bits == 3 ? -6 : -14), largest_(largest) {}

  float scale_of(ConstValues block) const { return largest_magnitude(block) / largest_; }

  std::uint32_t number_of(float value, float scale, Random&) const {
    const float wanted = std::min(std::abs(value) / scale, largest_);
    int exponent = 0;
    std::frexp(wanted, &exponent);  // wanted = m 2^exponent, m in [1/2, 1)
    exponent = std::max(exponent - 1, least_exponent_);
    // In units of the last place. One too many for the mantissa carries into the exponent, as it should.
    const auto units =
        static_cast<std::uint32_t>(std::nearbyint(std::ldexp(wanted, mantissa_bits_ - exponent)));
    const std::uint32_t hidden = 1U << mantissa_bits_;
    const auto above_least = static_cast<std::uint32_t>(exponent - least_exponent_);
    const std::uint32_t number =
        units < hidden ? units : ((above_least + 1) << mantissa_bits_) + units - hidden;
    return number | (value < 0 ? 128U : 0U);
  }

  float value_of(std::uint32_t number) const {
    const float found = magnitude(number & 127U);
    return number < 128 ? found : -found;
  }
  std::uint32_t zero() const { return 0; }

 private:
  float magnitude(std::uint32_t number) const {
    const std::uint32_t hidden = 1U << mantissa_bits_, exponent = number >> mantissa_bits_;
    const std::uint32_t mantissa = number & (hidden - 1);
    const auto units = static_cast<float>(exponent == 0 ? mantissa : mantissa + hidden);
    const int power = static_cast<int>(exponent == 0 ? 0 : exponent - 1) + least_exponent_ - mantissa_bits_;
    return std::ldexp(units, power);
  }

  int mantissa_bits_, least_exponent_;
  float largest_;
};

}  // namespace

CodecKind fp8_codec() {
  return {.kind = {.name = "fp8",
                   .summary = "8-bit floats, times a scale for each tensor",
                   .options = {{"format",
                                {{"description", "4 bits of exponent and 3 of mantissa, or 5 and 2."},
                                 {"enum", {"e4m3", "e5m2"}},
                                 {"default", "e4m3"}}}}},
          .make = [](const nlohmann::json& options) -> std::unique_ptr<Codec> {
            if (options.at("format") == "e4m3") return std::make_unique<BlockScaled<Fp8>>(0, 8, Fp8(3, 448));
            return std::make_unique<BlockScaled<Fp8>>(0, 8, Fp8(2, 57344));
          }};
}

}  // namespace isthmus
