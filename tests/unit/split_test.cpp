#include "models/data/split.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <set>

using namespace isthmus;

namespace split_test {
namespace {

std::vector<int> labels_of(int samples, int classes) {
  std::vector<int> labels(static_cast<std::size_t>(samples));
  for (int i = 0; i < samples; ++i) labels[static_cast<std::size_t>(i)] = i % classes;
  return labels;
}

std::vector<Shard> split(Split::Kind kind, int samples, int workers, double alpha = 0.5,
                         std::uint64_t seed = 1) {
  return split_samples({.kind = kind, .alpha = alpha}, labels_of(samples, 10), workers, seed);
}

/// All samples of all shards, sorted.
std::vector<int> all_samples(const std::vector<Shard>& shards) {
  std::vector<int> all;
  for (const Shard& shard : shards) all.insert(all.end(), shard.samples.begin(), shard.samples.end());
  std::ranges::sort(all);
  return all;
}

std::vector<int> first_numbers(int count) {
  std::vector<int> numbers(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) numbers[static_cast<std::size_t>(i)] = i;
  return numbers;
}

/// Mean over workers of the share of a worker's most frequent label.
double skew(const std::vector<Shard>& shards, int classes) {
  double sum = 0;
  for (const Shard& shard : shards) {
    std::map<int, int> counts;
    for (const int sample : shard.samples) ++counts[sample % classes];
    int most = 0;
    for (const auto& [label, count] : counts) most = std::max(most, count);
    sum += static_cast<double>(most) / static_cast<double>(shard.samples.size());
  }
  return sum / static_cast<double>(shards.size());
}

}  // namespace

TEST_CASE("iid shards are disjoint, cover all samples, and differ by at most one", "[data][split]") {
  const auto [samples, workers] =
      GENERATE(table<int, int>({{100, 1}, {100, 7}, {103, 4}, {8, 8}, {1000, 64}}));
  CAPTURE(samples, workers);
  const auto shards = split(Split::Kind::iid, samples, workers);
  REQUIRE(shards.size() == static_cast<std::size_t>(workers));
  CHECK(all_samples(shards) == first_numbers(samples));
  std::size_t largest = 0;
  for (const Shard& shard : shards) {
    const auto size = static_cast<int>(shard.samples.size());
    CHECK((size == samples / workers || size == (samples + workers - 1) / workers));
    CHECK(shard.pass == shard.samples.size());
    largest = std::max(largest, shard.samples.size());
  }
  CHECK(expected_shard_samples({.kind = Split::Kind::iid}, samples, workers) == static_cast<long>(largest));
}

TEST_CASE("iid shards are random, and the seed's", "[data][split]") {
  const auto shards = split(Split::Kind::iid, 1000, 4);
  CHECK_FALSE(std::ranges::is_sorted(shards[0].samples));
  for (const Shard& shard : shards) {
    // The sum of 250 of 0 .. 999 without replacement: mean 124875, deviation 3952.
    long sum = 0;
    for (const int sample : shard.samples) sum += sample;
    CHECK(std::abs(sum - 124875) < 5 * 3952);
  }
  CHECK(split(Split::Kind::iid, 1000, 4)[0].samples == shards[0].samples);
  CHECK(split(Split::Kind::iid, 1000, 4, 0.5, 2)[0].samples != shards[0].samples);
}

TEST_CASE("by_label shards are disjoint, cover all samples, and none is empty", "[data][split]") {
  const auto [samples, workers] = GENERATE(table<int, int>({{200, 1}, {1000, 7}, {1000, 300}, {100, 100}}));
  const double alpha = GENERATE(1e-4, 0.01, 0.5, 100.0, 1e6);
  CAPTURE(samples, workers, alpha);
  for (const std::uint64_t seed : {1ULL, 2ULL, 3ULL}) {
    const auto shards = split(Split::Kind::by_label, samples, workers, alpha, seed);
    REQUIRE(shards.size() == static_cast<std::size_t>(workers));
    CHECK(all_samples(shards) == first_numbers(samples));
    for (const Shard& shard : shards) {
      CHECK_FALSE(shard.samples.empty());
      CHECK(shard.pass == shard.samples.size());
    }
  }
}

TEST_CASE("few_labels shards have so many labels each, one in turn, and share their samples evenly",
          "[data][split]") {
  const int labels_per_worker = GENERATE(1, 2, 3, 10, 15), workers = GENERATE(1, 4, 10, 37);
  CAPTURE(labels_per_worker, workers);
  constexpr int samples = 2000, classes = 10;
  std::vector<int> labels(samples);
  for (int i = 0; i < samples; ++i) labels[static_cast<std::size_t>(i)] = i % classes;
  const Split split = Split::parse({{"split", "few_labels"}, {"labels_per_worker", labels_per_worker}});
  const auto shards = split_samples(split, labels, workers, 3);
  std::vector<int> seen(samples);
  std::vector<std::set<std::size_t>> sizes(classes);  // of each label's parts
  for (int worker = 0; worker < workers; ++worker) {
    std::map<int, std::size_t> counts;
    for (const int sample : shards[static_cast<std::size_t>(worker)].samples) {
      ++seen[static_cast<std::size_t>(sample)];
      ++counts[sample % classes];
    }
    CHECK(counts.size() == static_cast<std::size_t>(std::min(labels_per_worker, classes)));
    CHECK(counts.contains(worker % classes));
    for (const auto& [label, count] : counts) sizes[static_cast<std::size_t>(label)].insert(count);
  }
  for (const auto& of_label : sizes) {
    if (!of_label.empty()) CHECK(*of_label.rbegin() - *of_label.begin() <= 1);
  }
  CHECK(std::ranges::max(seen) == 1);
  if (workers >= classes || labels_per_worker >= classes) CHECK(std::ranges::min(seen) == 1);
  CHECK(split_samples(split, labels, workers, 3)[0].samples == shards[0].samples);
  if (labels_per_worker == 2 && workers > 1)
    CHECK(split_samples(split, labels, workers, 4)[0].samples != shards[0].samples);
}

TEST_CASE("A small alpha gives few labels to a worker, a large one nearly equal shares", "[data][split]") {
  const auto skew_of = [](double alpha) { return skew(split(Split::Kind::by_label, 20000, 5, alpha), 10); };
  // Equal shares would be 0.1 each; Dirichlet(1e4) deviates by half a percent of that.
  CHECK(skew_of(1e4) < 0.11);
  CHECK(skew_of(1) > skew_of(100));
  CHECK(skew_of(0.01) > skew_of(1));
  CHECK(skew_of(0.01) > 0.3);  // 10 labels go nearly whole to 5 workers: about two each
  for (const Shard& shard : split(Split::Kind::by_label, 20000, 5, 1e4)) {
    CHECK(std::abs(static_cast<int>(shard.samples.size()) - 4000) < 200);
  }
}

TEST_CASE("Label shares follow the Dirichlet distribution", "[data][split]") {
  // Of Dirichlet(a, ..., a) over n, a share has mean 1/n and variance (n - 1) / (n^2 (n a + 1)).
  constexpr int workers = 4, classes = 10, samples = 10000;
  constexpr double alpha = 0.5;
  double squares = 0;
  int shares = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    for (const Shard& shard : split(Split::Kind::by_label, samples, workers, alpha, seed)) {
      std::vector<int> counts(classes);
      for (const int sample : shard.samples) ++counts[static_cast<std::size_t>(sample % classes)];
      for (const int count : counts) {
        squares += std::pow(count / (samples / static_cast<double>(classes)) - 1.0 / workers, 2);
        ++shares;
      }
    }
  }
  const double variance = (workers - 1) / (workers * workers * (workers * alpha + 1));
  CHECK(squares / shares == Approx(variance).epsilon(0.1));
}

TEST_CASE("by_label shards mix their labels", "[data][split]") {
  const auto shard = split(Split::Kind::by_label, 2000, 2, 100)[0];
  CHECK(std::set<int>(shard.samples.begin(), shard.samples.end()).size() == shard.samples.size());
  CHECK(split(Split::Kind::by_label, 2000, 2, 100)[0].samples == shard.samples);
  CHECK(split(Split::Kind::by_label, 2000, 2, 100, 2)[0].samples != shard.samples);
}

TEST_CASE("shared: everybody has all samples and sees 1/n of them in a pass", "[data][split]") {
  const auto shards = split(Split::Kind::shared, 103, 4);
  REQUIRE(shards.size() == 4);
  std::size_t passes = 0;
  for (const Shard& shard : shards) {
    CHECK(all_samples({shard}) == first_numbers(103));
    CHECK((shard.pass == 25 || shard.pass == 26));
    passes += shard.pass;
  }
  CHECK(passes == 103);
  CHECK(expected_shard_samples({.kind = Split::Kind::shared}, 103, 4) == 103);
}

TEST_CASE("Splits are named in a scenario", "[data][split]") {
  CHECK(Split::parse({{"split", "iid"}}).kind == Split::Kind::iid);
  CHECK(Split::parse({{"split", "shared"}}).kind == Split::Kind::shared);
  const Split split = Split::parse({{"split", "by_label"}, {"alpha", 0.25}});
  CHECK(split.kind == Split::Kind::by_label);
  CHECK(split.alpha == 0.25);
}

namespace {

std::vector<int> next(BatchStream& stream, std::size_t count) {
  std::vector<int> indices(count, -1);
  stream.next(indices);
  return indices;
}

std::vector<int> sorted(std::vector<int> items) {
  std::ranges::sort(items);
  return items;
}

const std::vector<int> ten = {3, 1, 4, 15, 9, 2, 6, 5, 35, 8};

}  // namespace

TEST_CASE("Each pass of a batch stream is a new order of the whole shard", "[data][batches]") {
  BatchStream stream({ten, ten.size()}, random_stream(1, "batches"));
  std::set<std::vector<int>> orders;
  for (int pass = 0; pass < 20; ++pass) {
    const auto order = next(stream, 10);
    CHECK(sorted(order) == sorted(ten));
    orders.insert(order);
  }
  CHECK(orders.size() == 20);
}

TEST_CASE("Batches reach from one pass into the next, and may exceed a pass", "[data][batches]") {
  const std::size_t batch = GENERATE(1u, 3u, 4u, 7u, 10u, 25u);
  CAPTURE(batch);
  BatchStream in_batches({ten, 10}, random_stream(1, "batches")),
      at_once({ten, 10}, random_stream(1, "batches"));
  std::vector<int> joined;
  while (joined.size() < 100) {
    const auto some = next(in_batches, batch);
    joined.insert(joined.end(), some.begin(), some.end());
  }
  CHECK(joined == next(at_once, joined.size()));
  for (std::ptrdiff_t pass = 0; pass < 10; ++pass) {
    CHECK(sorted({joined.begin() + 10 * pass, joined.begin() + 10 * (pass + 1)}) == sorted(ten));
  }
}

TEST_CASE("A stream's pass over a part of shared samples repeats none", "[data][batches]") {
  BatchStream stream({first_numbers(100), 25}, random_stream(1, "batches"));
  std::set<int> seen;
  for (int pass = 0; pass < 40; ++pass) {
    const auto samples = next(stream, 25);
    CHECK(std::set<int>(samples.begin(), samples.end()).size() == 25);
    seen.insert(samples.begin(), samples.end());
  }
  CHECK(seen.size() == 100);  // a sample is missed in 40 passes with probability 1e-5
}

TEST_CASE("Streams are the seed's, and independent by rank", "[data][batches]") {
  const auto draw = [](std::uint64_t seed, std::uint64_t rank) {
    BatchStream stream({first_numbers(1000), 1000}, random_stream(seed, "batches", rank));
    return next(stream, 1000);
  };
  const auto order = draw(1, 0);
  CHECK(draw(1, 0) == order);
  for (const auto& other : {draw(1, 1), draw(1, 2), draw(2, 0)}) {
    int agreeing = 0;  // in how many places two random orders agree: Poisson(1)
    for (std::size_t i = 0; i < order.size(); ++i) agreeing += order[i] == other[i] ? 1 : 0;
    CHECK(agreeing < 8);
  }
}

}  // namespace split_test
