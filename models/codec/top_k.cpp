// The values of largest magnitude, of equal ones the first, and their places (Mem-SGD, Stich et al. 2018,
// arXiv 1809.07599; by chunks as in SparseLoCo, arXiv 2508.15706, whose chunks of a matrix are tiles: here
// they are neighbours).

#include <algorithm>
#include <array>
#include <bit>

#include "models/codec/codec.hpp"
#include "models/codec/index_coding.hpp"
#include "models/codec/number_format.hpp"
#include "models/codec/share.hpp"

namespace isthmus {
namespace {

/// Ordered as magnitudes are, with what is no number above all.
std::uint32_t magnitude_key(float value) { return std::bit_cast<std::uint32_t>(value) & 0x7fffffffU; }

/// The places of the k values of largest magnitude, in rising order.
void largest(ConstValues values, std::span<std::uint32_t> places) {
  std::vector<std::uint32_t> keys(values.size());
  std::ranges::transform(values, keys.begin(), magnitude_key);
  const auto kth = keys.begin() + static_cast<std::ptrdiff_t>(places.size()) - 1;
  std::nth_element(keys.begin(), kth, keys.end(), std::greater<>());
  const std::uint32_t least = *kth;
  auto equal_ones = std::count(keys.begin(), kth + 1, least);
  auto next = places.begin();
  for (std::uint32_t place = 0; place < values.size(); ++place) {
    const std::uint32_t key = magnitude_key(values.data()[place]);
    if (key > least || (key == least && equal_ones-- > 0)) *next++ = place;
  }
}

/// A number format as a codec of the values that are kept.
class Formatted final : public Codec {
 public:
  explicit Formatted(const NumberFormat& format) : format_(format) {}
  std::size_t bytes(std::size_t count) const override { return format_.bytes(count); }
  void encode(ConstValues values, Payload payload, Random&) const override {
    format_.encode(values, payload);
  }
  void add_decoded(ConstPayload payload, Values sum, Random&) const override {
    std::vector<float> values(sum.size());
    format_.decode(payload, values);
    add(values, sum);
  }

 private:
  const NumberFormat& format_;
};

/// Payload: the kept values of all chunks, then the places in each chunk.
class TopK final : public Codec {
 public:
  TopK(double share, std::size_t chunk, IndexCoding coding, std::unique_ptr<Codec> value_codec)
      : share_(share), chunk_(chunk), coding_(coding), value_codec_(std::move(value_codec)) {}

  std::size_t bytes(std::size_t count) const override {
    std::size_t bytes = value_codec_->bytes(kept_of_all(count));
    for_each_chunk(count,
                   [&](std::size_t, std::size_t size) { bytes += index_bytes(coding_, kept(size), size); });
    return bytes;
  }

  void encode(ConstValues values, Payload payload, Random& random) const override {
    const std::size_t bytes_of_values = value_codec_->bytes(kept_of_all(values.size()));
    std::vector<float> chosen;
    std::size_t at = bytes_of_values;
    for_each_chunk(values.size(), [&](std::size_t begin, std::size_t size) {
      const ConstValues chunk = values.slice(begin, size);
      std::vector<std::uint32_t> places(kept(size));
      largest(chunk, places);
      for (const std::uint32_t place : places) chosen.push_back(chunk.data()[place]);
      const std::size_t room = index_bytes(coding_, places.size(), size);
      write_places(coding_, places, size, payload.slice(at, room));
      at += room;
    });
    value_codec_->encode(chosen, payload.first(bytes_of_values), random);
  }

  void add_decoded(ConstPayload payload, Values sum, Random& random) const override {
    std::vector<float> chosen(kept_of_all(sum.size()));
    std::size_t at = value_codec_->bytes(chosen.size());
    value_codec_->add_decoded(payload.first(at), chosen, random);
    auto next = chosen.begin();
    for_each_chunk(sum.size(), [&](std::size_t begin, std::size_t size) {
      std::vector<std::uint32_t> places(kept(size));
      const std::size_t room = index_bytes(coding_, places.size(), size);
      read_places(coding_, payload.slice(at, room), size, places);
      at += room;
      for (const std::uint32_t place : places) sum.data()[begin + place] += *next++;
    });
  }

  bool is_sparse() const override { return true; }

  std::string index_coding(std::size_t count) const override {
    const std::size_t size = chunk_ == 0 ? count : std::min(chunk_, count);
    if (index_bytes(coding_, kept(size), size) == 0) return "none";
    return index_coding_names()[static_cast<std::size_t>(chosen_coding(coding_, kept(size), size))];
  }

  /// A radix select: four passes for the threshold, one to gather.
  Kernel encode_work(std::size_t count) const override { return passes(5, count); }

 private:
  std::size_t kept(std::size_t size) const { return kept_of(share_, size); }
  std::size_t kept_of_all(std::size_t count) const {
    std::size_t sum = 0;
    for_each_chunk(count, [&](std::size_t, std::size_t size) { sum += kept(size); });
    return sum;
  }
  template <typename Each>
  void for_each_chunk(std::size_t count, Each each) const {
    const std::size_t most = chunk_ == 0 ? std::max<std::size_t>(count, 1) : chunk_;
    for (std::size_t begin = 0; begin < count; begin += most) each(begin, std::min(most, count - begin));
  }

  double share_;
  std::size_t chunk_;  // 0: a tensor is one
  IndexCoding coding_;
  std::unique_ptr<Codec> value_codec_;
};

/// What kept values can travel as besides number formats.
constexpr std::array value_codecs = {"int8", "e3m0", "fp8", "lookup"};

std::unique_ptr<Codec> make_value_codec(const std::string& name) {
  if (std::ranges::find(value_codecs, name) != value_codecs.end()) return make_codec({{"kind", name}});
  return std::make_unique<Formatted>(number_format_named(name));
}

std::unique_ptr<Codec> make_top_k(const nlohmann::json& options) {
  const auto coding = std::ranges::find(index_coding_names(), options.at("index").get<std::string>());
  return std::make_unique<TopK>(options.at("share").get<double>(), options.value("chunk", std::size_t{0}),
                                static_cast<IndexCoding>(coding - index_coding_names().begin()),
                                make_value_codec(options.at("values").get<std::string>()));
}

}  // namespace

CodecKind top_k_codec() {
  std::vector<std::string> values = number_format_names();
  values.insert(values.end(), value_codecs.begin(), value_codecs.end());
  return {
      .kind = {.name = "top_k",
               .summary = "the values of largest magnitude, and where they are",
               .options = {{"share",
                            share_schema(
                                "Of each tensor's (or chunk's) values, that is sent: at least one.")},
                           {"chunk",
                            {{"description",
                              "A tensor's neighbours of which each such group chooses its own: 4096 in "
                              "SparseLoCo, whose places take 12 bits. Not given: all of a tensor's."},
                             {"type", "integer"},
                             {"minimum", 1}}},
                           {"index",
                            {{"description",
                              "How places are told: by 32-bit numbers, by as many bits as are needed, by a "
                              "bit for each value, or by whichever takes the fewest bytes."},
                             {"enum", index_coding_names()},
                             {"default", "smallest"}}},
                           {"values",
                            {{"description", "How the values that are sent travel, once they are chosen."},
                             {"enum", values},
                             {"default", "fp32"}}}}},
      .make = make_top_k};
}

}  // namespace isthmus
