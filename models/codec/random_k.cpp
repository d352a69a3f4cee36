// Some values, drawn anew each time, the same on all workers: their places need not be sent, and what is sent
// can be added (Wangni et al. 2018; Stich et al. 2018, arXiv 1809.07599).

#include <algorithm>
#include <unordered_set>

#include "models/codec/codec.hpp"
#include "models/codec/share.hpp"

namespace isthmus {
namespace {

class RandomK final : public Codec {
 public:
  RandomK(double share, bool unbiased) : share_(share), unbiased_(unbiased) {}

  std::size_t bytes(std::size_t count) const override { return kept(count) * sizeof(float); }
  bool is_additive() const override { return true; }
  bool is_sparse() const override { return true; }

  void encode(ConstValues values, Payload payload, Random& random) const override {
    const std::vector<std::size_t> places = draw(values.size(), random);
    const float factor = unbiased_ && !places.empty()
                             ? static_cast<float>(values.size()) / static_cast<float>(places.size())
                             : 1;
    for (std::size_t i = 0; i < places.size(); ++i)
      put_float(payload, i * sizeof(float), values.data()[places[i]] * factor);
  }

  void add_decoded(ConstPayload payload, Values sum, Random& random) const override {
    const std::vector<std::size_t> places = draw(sum.size(), random);
    for (std::size_t i = 0; i < places.size(); ++i)
      sum.data()[places[i]] += get_float(payload, i * sizeof(float));
  }

 private:
  std::size_t kept(std::size_t count) const { return kept_of(share_, count); }

  /// So many different places, in rising order (Floyd's way).
  std::vector<std::size_t> draw(std::size_t count, Random& random) const {
    std::unordered_set<std::size_t> chosen;
    for (std::size_t last = count - kept(count); last < count; ++last) {
      const auto place = boost::random::uniform_int_distribution<std::size_t>(0, last)(random);
      if (!chosen.insert(place).second) chosen.insert(last);
    }
    std::vector<std::size_t> places(chosen.begin(), chosen.end());
    std::ranges::sort(places);
    return places;
  }

  double share_;
  bool unbiased_;
};

}  // namespace

CodecKind random_k_codec() {
  return {
      .kind = {.name = "random_k",
               .summary = "values drawn anew each time, the same on all workers, who can add them",
               .options = {{"share", share_schema("Of each tensor's values, that is sent: at least one.")},
                           {"unbiased",
                            {{"description",
                              "Whether values are divided by the share, so that the mean is what it was. "
                              "Default: without error feedback."},
                             {"type", "boolean"}}}}},
      .make = [](const nlohmann::json& options) -> std::unique_ptr<Codec> {
        const bool without_feedback = options.value("error_feedback", "none") == "none";
        return std::make_unique<RandomK>(options.at("share").get<double>(),
                                         options.value("unbiased", without_feedback));
      },
      .unbiased = true};
}

}  // namespace isthmus
