// TernGrad (Wen et al. 2017, arXiv 1705.07878): values are cut at +-clip standard deviations; with s the
// largest magnitude then, each becomes s sign(v) with the probability |v| / s, else 0.

#include "models/codec/block_scaled.hpp"

namespace isthmus {
namespace {

class Ternary {
 public:
  explicit Ternary(float clip) : clip_(clip) {}

  float scale_of(ConstValues block) const {
    const float largest = largest_magnitude(block);
    if (clip_ == 0) return largest;
    double sum = 0, squares = 0;
    for (const float value : block) {
      sum += static_cast<double>(value);
      squares += static_cast<double>(value) * static_cast<double>(value);
    }
    const auto count = static_cast<double>(block.size());
    const double variance = std::max(0.0, squares / count - sum / count * (sum / count));
    const float most = clip_ * static_cast<float>(std::sqrt(variance));
    return most > 0 ? std::min(largest, most) : largest;
  }
  std::uint32_t number_of(float value, float scale, Random& random) const {
    const float probability = std::abs(value) / scale;  // above 1: cut
    if (uniform(random) >= probability) return 0;
    return value < 0 ? 2 : 1;
  }
  float value_of(std::uint32_t number) const { return number == 0 ? 0.0F : number == 1 ? 1.0F : -1.0F; }

  std::uint32_t zero() const { return 0; }

 private:
  float clip_;
};

}  // namespace

CodecKind ternary_codec() {
  return {.kind = {.name = "ternary",
                   .summary = "TernGrad: -1, 0 or 1 by chance, times a scale for each tensor: 2 bits",
                   .options = {{"clip",
                                {{"description",
                                  "Values are cut at so many standard deviations of a tensor's; 0: not at "
                                  "all, which alone keeps the mean what it was."},
                                 {"type", "number"},
                                 {"minimum", 0},
                                 {"maximum", 1000000},
                                 {"default", 2.5}}}}},
          .make = [](const nlohmann::json& options) -> std::unique_ptr<Codec> {
            return std::make_unique<BlockScaled<Ternary>>(0, 2, Ternary(options.at("clip").get<float>()));
          },
          .unbiased = true};
}

}  // namespace isthmus
