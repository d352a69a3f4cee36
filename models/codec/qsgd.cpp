// QSGD (Alistarh et al. 2017, arXiv 1610.02132): with the norm of a bucket, and s levels, a value becomes
// norm sign(v) l / s, where l is s |v| / norm rounded up or down by chance, so that the mean is what it was.

#include "models/codec/block_scaled.hpp"

namespace isthmus {
namespace {

class Qsgd {
 public:
  explicit Qsgd(int levels) : levels_(levels) {}
  int bits() const { return 1 + bits_for(static_cast<std::size_t>(levels_) + 1); }

  float scale_of(ConstValues block) const {
    double squares = 0;
    for (const float value : block) squares += static_cast<double>(value) * static_cast<double>(value);
    return static_cast<float>(std::sqrt(squares));
  }
  std::uint32_t number_of(float value, float norm, Random& random) const {
    const float exact = static_cast<float>(levels_) * std::min(std::abs(value) / norm, 1.0F);
    const float below = std::floor(exact);
    const auto level = static_cast<std::uint32_t>(below) + (uniform(random) < exact - below ? 1U : 0U);
    return level << 1U | (value < 0 ? 1U : 0U);
  }
  float value_of(std::uint32_t number) const {
    const float magnitude = static_cast<float>(number >> 1U) / static_cast<float>(levels_);
    return (number & 1U) != 0 ? -magnitude : magnitude;
  }

  std::uint32_t zero() const { return 0; }

 private:
  int levels_;
};

}  // namespace

CodecKind qsgd_codec() {
  nlohmann::json bucket = block_schema(512);
  bucket["description"] = "Values that share a norm (fp32); the last ones of a tensor may be fewer.";
  return {.kind = {.name = "qsgd",
                   .summary = "QSGD: levels by chance between 0 and a bucket's norm, and a sign",
                   .options = {{"levels",
                                {{"description",
                                  "Above 0: each value takes 1 + ceil(log2(levels + 1)) bits, so that 7 make "
                                  "4 bits."},
                                 {"type", "integer"},
                                 {"minimum", 1},
                                 {"maximum", 32767},
                                 {"default", 7}}},
                               {"bucket", bucket}}},
          .make = [](const nlohmann::json& options) -> std::unique_ptr<Codec> {
            const Qsgd format(options.at("levels").get<int>());
            return std::make_unique<BlockScaled<Qsgd>>(options.at("bucket").get<std::size_t>(), format.bits(),
                                                       format);
          },
          .unbiased = true};
}

}  // namespace isthmus
