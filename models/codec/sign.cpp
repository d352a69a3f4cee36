// The sign of each value, times their mean magnitude: scaled signs (Karimireddy et al. 2019, "Error feedback
// fixes SignSGD", arXiv 1901.09847). 0 counts as positive.

#include "models/codec/block_scaled.hpp"

namespace isthmus {
namespace {

class Sign {
 public:
  float scale_of(ConstValues block) const {
    double sum = 0;
    for (const float value : block) sum += static_cast<double>(std::abs(value));
    return static_cast<float>(sum / static_cast<double>(block.size()));
  }
  std::uint32_t number_of(float value, float, Random&) const { return value < 0 ? 1 : 0; }
  float value_of(std::uint32_t number) const { return number == 0 ? 1.0F : -1.0F; }
  std::uint32_t zero() const { return 0; }
};

}  // namespace

CodecKind sign_codec() {
  return {.kind = {.name = "sign",
                   .summary = "the sign of each value, times the mean magnitude of a tensor: 1 bit",
                   .options = nlohmann::json::object()},
          .make = [](const nlohmann::json&) -> std::unique_ptr<Codec> {
            return std::make_unique<BlockScaled<Sign>>(0, 1, Sign());
          }};
}

}  // namespace isthmus
