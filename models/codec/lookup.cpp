// A table of means (SparseLoCo, arXiv 2508.15706; its code): the range of +-6 standard deviations around the
// mean is cut into equal bins; a value becomes the mean of those in its bin.

#include <algorithm>
#include <cmath>
#include <vector>

#include "models/codec/bits.hpp"
#include "models/codec/codec.hpp"

namespace isthmus {
namespace {

class Lookup final : public Codec {
 public:
  explicit Lookup(int bits) : bits_(bits), bins_(std::size_t{1} << bits) {}

  std::size_t bytes(std::size_t count) const override {
    return count == 0 ? 0 : bins_ * sizeof(float) + packed_bytes(count, bits_);
  }

  void encode(ConstValues values, Payload payload, Random&) const override {
    if (values.size() == 0) return;
    double sum = 0, squares = 0;
    for (const float value : values) sum += static_cast<double>(value);
    const double mean = sum / static_cast<double>(values.size());
    for (const float value : values)
      squares += (static_cast<double>(value) - mean) * (static_cast<double>(value) - mean);
    const double deviation = std::sqrt(squares / static_cast<double>(values.size()));
    std::vector<double> sums(bins_), counts(bins_);
    BitWriter numbers(payload.slice(bins_ * sizeof(float), packed_bytes(values.size(), bits_)));
    for (const float value : values) {
      const std::size_t bin = bin_of(static_cast<double>(value) - mean, deviation);
      sums[bin] += static_cast<double>(value);
      ++counts[bin];
      numbers.put(static_cast<std::uint32_t>(bin), bits_);
    }
    for (std::size_t bin = 0; bin < bins_; ++bin)
      put_float(payload, bin * sizeof(float),
                counts[bin] > 0 ? static_cast<float>(sums[bin] / counts[bin]) : 0);
  }

  void add_decoded(ConstPayload payload, Values sum, Random&) const override {
    if (sum.size() == 0) return;
    BitReader numbers(payload.slice(bins_ * sizeof(float), packed_bytes(sum.size(), bits_)));
    for (float& value : sum) value += get_float(payload, numbers.get(bits_) * sizeof(float));
  }

  Kernel encode_work(std::size_t count) const override { return passes(3, count); }

 private:
  std::size_t bin_of(double above_mean, double deviation) const {
    constexpr double range = 6;
    const double place = (above_mean / (deviation * range) + 1) / 2 * static_cast<double>(bins_);
    if (!(place > 0)) return 0;  // also what is no number
    return std::min(static_cast<std::size_t>(std::min(place, 1e9)), bins_ - 1);
  }

  int bits_;
  std::size_t bins_;
};

}  // namespace

CodecKind lookup_codec() {
  return {.kind = {.name = "lookup",
                   .summary = "a few bits that choose from a table of means, as SparseLoCo has it",
                   .options = {{"bits",
                                {{"description", "Of each value; the table has 2^bits entries (fp32)."},
                                 {"type", "integer"},
                                 {"minimum", 1},
                                 {"maximum", 8},
                                 {"default", 2}}}}},
          .make = [](const nlohmann::json& options) -> std::unique_ptr<Codec> {
            return std::make_unique<Lookup>(options.at("bits").get<int>());
          }};
}

}  // namespace isthmus
