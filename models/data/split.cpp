#include "models/data/split.hpp"

#include <algorithm>
#include <boost/random/gamma_distribution.hpp>
#include <cmath>
#include <numeric>

#include "models/slices.hpp"

namespace isthmus {
namespace {

std::vector<int> shuffled_samples(std::size_t count, Random& random) {
  std::vector<int> samples(count);
  std::iota(samples.begin(), samples.end(), 0);
  shuffle(samples, random);
  return samples;
}

/// Ends of `count` things cut in random shares ~ Dirichlet(alpha, ..., alpha).
std::vector<std::size_t> dirichlet_ends(std::size_t count, std::size_t parts, double alpha, Random& random) {
  boost::random::gamma_distribution<double> gamma(alpha);
  std::vector<double> sums(parts);
  double sum = 0;
  for (double& end : sums) end = sum += gamma(random);
  std::vector<std::size_t> ends;
  for (const double end : sums) {
    // A tiny alpha can underflow every draw to zero; then the last part takes all.
    ends.push_back(sum > 0 ? static_cast<std::size_t>(std::llround(end / sum * static_cast<double>(count)))
                           : 0);
  }
  ends.back() = count;
  return ends;
}

std::vector<std::vector<int>> split_by_label(std::span<const int> labels, std::size_t workers, double alpha,
                                             Random& random) {
  std::vector<std::vector<int>> by_label;
  for (const int sample : shuffled_samples(labels.size(), random)) {
    const auto label = static_cast<std::size_t>(labels[static_cast<std::size_t>(sample)]);
    if (by_label.size() <= label) by_label.resize(label + 1);
    by_label[label].push_back(sample);
  }
  std::vector<std::vector<int>> shards(workers);
  for (const auto& samples : by_label) {
    const auto ends = dirichlet_ends(samples.size(), workers, alpha, random);
    std::size_t begin = 0;
    for (std::size_t worker = 0; worker < workers; ++worker) {
      shards[worker].insert(shards[worker].end(), samples.begin() + static_cast<std::ptrdiff_t>(begin),
                            samples.begin() + static_cast<std::ptrdiff_t>(ends[worker]));
      begin = ends[worker];
    }
  }
  // Nobody can train on nothing: who got no sample takes one from who has most.
  for (auto& shard : shards) {
    if (!shard.empty()) continue;
    auto& largest = *std::ranges::max_element(shards, {}, &std::vector<int>::size);
    shard.push_back(largest.back());
    largest.pop_back();
  }
  return shards;
}

}  // namespace

Split Split::parse(const nlohmann::json& data_options) {
  const auto name = data_options.at("split").get<std::string>();
  Split split;
  split.kind = name == "by_label" ? Kind::by_label : name == "shared" ? Kind::shared : Kind::iid;
  split.alpha = data_options.value("alpha", split.alpha);
  return split;
}

long expected_shard_samples(const Split& split, long samples, int workers) {
  return split.kind == Split::Kind::shared ? samples : (samples + workers - 1) / workers;
}

std::vector<Shard> split_samples(const Split& split, std::span<const int> labels, int workers,
                                 std::uint64_t seed) {
  Random random = random_stream(seed, "split");
  const auto count = static_cast<std::size_t>(workers);
  std::vector<Shard> shards(count);
  if (split.kind == Split::Kind::by_label) {
    auto parts = split_by_label(labels, count, split.alpha, random);
    for (std::size_t worker = 0; worker < count; ++worker) {
      shards[worker].pass = parts[worker].size();
      shards[worker].samples = std::move(parts[worker]);
    }
    return shards;
  }
  const std::vector<int> samples = shuffled_samples(labels.size(), random);
  for (std::size_t worker = 0; worker < count; ++worker) {
    const auto [begin, size] = slice_of(samples.size(), count, worker);
    shards[worker].pass = size;
    if (split.kind == Split::Kind::shared) {
      shards[worker].samples = samples;
    } else {
      const auto first = samples.begin() + static_cast<std::ptrdiff_t>(begin);
      shards[worker].samples.assign(first, first + static_cast<std::ptrdiff_t>(size));
    }
  }
  return shards;
}

BatchStream::BatchStream(Shard shard, Random random)
    : shard_(std::move(shard)), random_(random), position_(shard_.pass) {}

void BatchStream::next(std::span<int> indices) {
  for (int& index : indices) {
    if (position_ == shard_.pass) {
      shuffle(shard_.samples, random_);
      position_ = 0;
    }
    index = shard_.samples[position_++];
  }
}

}  // namespace isthmus
