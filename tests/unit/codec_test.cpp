// Codecs: bytes by closed forms, what comes back, what is left in the mean, and what is no number.

#include "models/codec/codec.hpp"

#include <boost/random/normal_distribution.hpp>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <set>

#include "models/codec/feedback.hpp"
#include "models/codec/index_coding.hpp"
#include "models/codec/number_format.hpp"

using namespace isthmus;
using nlohmann::json;

namespace codec_test {
namespace {

std::vector<float> random_values(std::size_t count, std::uint64_t seed = 1) {
  Random random(seed);
  boost::random::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

std::vector<float> decoded(const Codec& codec, const std::vector<float>& values, std::uint64_t seed = 7) {
  std::vector<std::byte> payload(codec.bytes(values.size()));
  Random to(seed), back(seed);
  codec.encode(values, payload, to);
  std::vector<float> result(values.size());
  codec.add_decoded(payload, result, back);
  return result;
}

double norm(const std::vector<float>& values) {
  double squares = 0;
  for (const float value : values) squares += static_cast<double>(value) * static_cast<double>(value);
  return std::sqrt(squares);
}

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double squares = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    squares += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
  return std::sqrt(squares);
}

std::size_t up(double number) { return static_cast<std::size_t>(std::ceil(number - 1e-9)); }

/// Of d values, as papers have it.
std::size_t closed_form(const std::string& kind, std::size_t d) {
  const auto n = static_cast<double>(d);
  const double k = std::max(1.0, std::floor(0.01 * n + 1e-9));
  const double bits = d == 1 ? 0 : std::ceil(std::log2(n));
  if (kind == "top_k") return up(4 * k) + (k == n ? 0 : std::min({up(4 * k), up(k * bits / 8), up(n / 8)}));
  if (kind == "random_k") return up(4 * k);
  if (kind == "qsgd") return up(n * 4 / 8) + 4 * up(n / 512);
  if (kind == "sign") return up(n / 8) + 4;
  if (kind == "ternary") return up(2 * n / 8) + 4;
  if (kind == "int8") return d + 4 * up(n / 256);
  if (kind == "e3m0") return up(n / 2) + 4 * up(n / 256);
  if (kind == "fp8") return d + 4;
  return up(2 * n / 8) + 16;  // lookup
}

}  // namespace

TEST_CASE("codecs: bytes are the closed forms', for many sizes") {
  for (const CodecKind& kind : codec_kinds()) {
    const auto codec = make_codec({{"kind", kind.kind.name}});
    for (const std::size_t d : {1, 2, 3, 7, 8, 9, 99, 100, 101, 255, 256, 257, 511, 512, 513, 4097, 100000}) {
      INFO(kind.kind.name << " of " << d);
      CHECK(codec->bytes(d) == closed_form(kind.kind.name, d));
    }
    CHECK(codec->bytes(0) == 0);
  }
  // The example of a perceptron 784-512-512-10, as one tensor.
  CHECK(make_codec({{"kind", "top_k"}, {"index", "int32"}})->bytes(669706) == 6697 * 8);
  CHECK(make_codec({{"kind", "random_k"}})->bytes(669706) == 26788);
  CHECK(make_codec({{"kind", "sign"}})->bytes(669706) == 83714 + 4);
}

TEST_CASE("codecs: everything sent is everything back") {
  const std::vector<float> values = random_values(1003);
  for (const json& all :
       {json{{"kind", "top_k"}, {"share", 1}}, json{{"kind", "top_k"}, {"share", 1}, {"chunk", 64}},
        json{{"kind", "random_k"}, {"share", 1}}})
    CHECK(decoded(*make_codec(all), values) == values);
}

TEST_CASE("top-k keeps the largest, of equal ones the first, by whatever coding of places") {
  const std::vector<float> values = {0.5F, -3, 2, -2, 2, 0, 1, -0.25F};
  for (const std::string& coding : index_coding_names()) {
    INFO(coding);
    const auto codec = make_codec({{"kind", "top_k"}, {"share", 0.375}, {"index", coding}});
    CHECK(decoded(*codec, values) == std::vector<float>{0, -3, 2, -2, 0, 0, 0, 0});
  }
  const auto by_chunks = make_codec({{"kind", "top_k"}, {"share", 0.5}, {"chunk", 2}});
  CHECK(decoded(*by_chunks, values) == std::vector<float>{0, -3, 2, 0, 2, 0, 1, 0});
}

TEST_CASE("places: each coding tells them, and the smallest is one of those") {
  Random random(3);
  for (const std::size_t d : {1, 2, 5, 64, 65, 1000}) {
    for (const std::size_t k : std::set<std::size_t>{1, (d + 1) / 2, d}) {
      std::vector<std::uint32_t> places(d);
      for (std::uint32_t i = 0; i < d; ++i) places[i] = i;
      shuffle(places, random);
      places.resize(k);
      std::ranges::sort(places);
      std::size_t least = std::numeric_limits<std::size_t>::max();
      for (const IndexCoding coding :
           {IndexCoding::int32, IndexCoding::packed, IndexCoding::bitmap, IndexCoding::smallest}) {
        INFO(k << " of " << d << " by " << static_cast<int>(coding));
        std::vector<std::byte> payload(index_bytes(coding, k, d));
        write_places(coding, places, d, payload);
        std::vector<std::uint32_t> back(k);
        read_places(coding, payload, d, back);
        CHECK(back == places);
        if (coding == IndexCoding::smallest) {
          CHECK(payload.size() == (k == d ? 0 : least));
        } else {
          least = std::min(least, payload.size());
        }
      }
    }
  }
}

TEST_CASE("SparseLoCo's coding: 64 of 4096 in 12 bits each, 2 bits a value") {
  const auto codec =
      make_codec({{"kind", "top_k"}, {"share", 1.0 / 64}, {"chunk", 4096}, {"values", "lookup"}});
  CHECK(codec->index_coding(100 * 4096) == "packed");
  CHECK(codec->bytes(100 * 4096) == 100 * (64 * 12 / 8 + 64 * 2 / 8) + 4 * 4);  // 1.75 bytes a value
}

TEST_CASE("unbiased codecs are so: the mean of many is what was encoded") {
  const std::vector<float> values = random_values(48);
  constexpr int times = 20000;
  for (const json& options :
       {json{{"kind", "qsgd"}}, json{{"kind", "qsgd"}, {"levels", 1}, {"bucket", 16}},
        json{{"kind", "ternary"}, {"clip", 0}}, json{{"kind", "random_k"}, {"share", 0.25}}}) {
    const auto codec = make_codec(options);
    std::vector<double> sum(values.size()), squares(values.size());
    for (std::uint64_t time = 0; time < times; ++time) {
      const std::vector<float> back = decoded(*codec, values, 1000 + time);
      for (std::size_t i = 0; i < values.size(); ++i) {
        sum[i] += static_cast<double>(back[i]);
        squares[i] += static_cast<double>(back[i]) * static_cast<double>(back[i]);
      }
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double mean = sum[i] / times, error = std::sqrt((squares[i] / times - mean * mean) / times);
      INFO(options << " value " << i);
      CHECK(std::abs(mean - static_cast<double>(values[i])) < 5 * error + 1e-5);
      CHECK(error > 0);  // it was by chance
    }
  }
}

TEST_CASE("quantised values are as near as their steps allow") {
  const std::vector<float> values = random_values(1000);
  const auto largest = [&](std::size_t begin, std::size_t count) {
    float most = 0;
    for (std::size_t i = begin; i < std::min(begin + count, values.size()); ++i)
      most = std::max(most, std::abs(values[i]));
    return most;
  };
  for (const int bits : {2, 4, 7, 8}) {
    const auto back = decoded(*make_codec({{"kind", "int8"}, {"bits", bits}}), values);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const float step = largest(i / 256 * 256, 256) / static_cast<float>((1 << (bits - 1)) - 1);
      REQUIRE(std::abs(back[i] - values[i]) <= step * 0.5001F);
    }
  }
  const auto exponents = decoded(*make_codec({{"kind", "e3m0"}}), values);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float most = largest(i / 256 * 256, 256), ratio = std::abs(values[i]) / most;
    if (ratio > 0.0111F) {  // 2^-6.5
      REQUIRE(exponents[i] / values[i] > 0.7071F);
      REQUIRE(exponents[i] / values[i] < 1.4143F);
    } else {
      REQUIRE(std::abs(exponents[i]) <= most / 64);
    }
  }
  for (const auto& [format, precision] : {std::pair{"e4m3", 0x1p-4F}, {"e5m2", 0x1p-3F}}) {
    const auto back = decoded(*make_codec({{"kind", "fp8"}, {"format", format}}), values);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (std::abs(values[i]) > 0.01F) REQUIRE(std::abs(back[i] / values[i] - 1) <= precision * 1.001F);
    }
  }
  const auto by_sign = decoded(*make_codec({{"kind", "sign"}}), {1, -2, 3, 0});
  CHECK(by_sign == std::vector<float>{1.5F, -1.5F, 1.5F, 1.5F});
}

TEST_CASE("fp8 knows each of its numbers") {
  const auto codec = make_codec({{"kind", "fp8"}});
  std::vector<float> numbers = {448, 0x1p-9F, -0x1p-9F, 0x1p-6F, 7 * 0x1p-9F,
                                1,   1.125F,  -240,     0};  // 448: scale 1
  CHECK(decoded(*codec, numbers) == numbers);
  CHECK(decoded(*codec, {448, 1.0625F, 1.1875F}) == std::vector<float>{448, 1, 1.25F});  // ties to even
}

TEST_CASE("codecs: more is closer") {
  const std::vector<float> values = random_values(5000);
  const auto error = [&](const json& options) {
    return distance(decoded(*make_codec(options), values), values) / norm(values);
  };
  CHECK(error({{"kind", "int8"}, {"bits", 8}}) < error({{"kind", "int8"}, {"bits", 4}}));
  CHECK(error({{"kind", "qsgd"}, {"levels", 127}}) < error({{"kind", "qsgd"}, {"levels", 7}}));
  CHECK(error({{"kind", "top_k"}, {"share", 0.5}}) < error({{"kind", "top_k"}, {"share", 0.1}}));
  CHECK(error({{"kind", "lookup"}, {"bits", 4}}) < error({{"kind", "lookup"}, {"bits", 2}}));
  // Top-k leaves out less than any other choice of as many.
  CHECK(error({{"kind", "top_k"}, {"share", 0.1}}) <
        error({{"kind", "random_k"}, {"share", 0.1}, {"unbiased", false}}));
}

TEST_CASE("codecs bear zeros, infinities and what is no number") {
  const float infinity = std::numeric_limits<float>::infinity(),
              nan = std::numeric_limits<float>::quiet_NaN();
  for (const CodecKind& kind : codec_kinds()) {
    INFO(kind.kind.name);
    const auto codec = make_codec({{"kind", kind.kind.name}});
    CHECK(decoded(*codec, std::vector<float>(300)) == std::vector<float>(300));
    for (const float odd : {infinity, -infinity, nan}) {
      std::vector<float> values = random_values(300);
      values[17] = odd;
      const std::vector<float> back = decoded(*codec, values);
      // A diverged training must not look like a sound one. (What chance passes over is not sent.)
      if (kind.kind.name != "random_k")
        CHECK(std::ranges::any_of(back, [](float value) { return !std::isfinite(value); }));
    }
    CHECK(decoded(*codec, {}).empty());
  }
}

TEST_CASE("feedback: what was left out comes later, nothing is lost") {
  const std::vector<float> values = random_values(100);
  const auto codec = make_codec({{"kind", "top_k"}, {"share", 0.1}});
  for (const json& options :
       {json{{"error_feedback", "residual"}}, json{{"error_feedback", "dgc"}, {"dgc_momentum", 0}},
        json{{"error_feedback", "ef21"}}}) {
    INFO(options);
    const auto feedback = make_feedback(options);
    feedback->resize(values.size());
    std::vector<float> result(values.size());
    const bool is_ef21 = options["error_feedback"] == "ef21";
    for (int step = 0; step < 12; ++step) {
      std::vector<float> wanted = is_ef21 || step == 0 ? values : std::vector<float>(values.size());
      feedback->compensate(wanted);
      std::vector<float> sent = decoded(*codec, wanted);
      feedback->remember(wanted, sent);
      feedback->conclude(sent);
      for (std::size_t i = 0; i < values.size(); ++i) result[i] = is_ef21 ? sent[i] : result[i] + sent[i];
    }
    CHECK(distance(result, values) < 1e-6);
  }
}

}  // namespace codec_test
