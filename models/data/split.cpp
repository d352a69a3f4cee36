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

std::vector<std::vector<int>> samples_by_label(std::span<const int> labels, Random& random) {
  std::vector<std::vector<int>> by_label;
  for (const int sample : shuffled_samples(labels.size(), random)) {
    const auto label = static_cast<std::size_t>(labels[static_cast<std::size_t>(sample)]);
    if (by_label.size() <= label) by_label.resize(label + 1);
    by_label[label].push_back(sample);
  }
  return by_label;
}

std::vector<std::vector<int>> split_by_label(std::span<const int> labels, std::size_t workers, double alpha,
                                             Random& random) {
  std::vector<std::vector<int>> shards(workers);
  for (const auto& samples : samples_by_label(labels, random)) {
    const auto ends = dirichlet_ends(samples.size(), workers, alpha, random);
    std::size_t begin = 0;
    for (std::size_t worker = 0; worker < workers; ++worker) {
      shards[worker].insert(shards[worker].end(), samples.begin() + static_cast<std::ptrdiff_t>(begin),
                            samples.begin() + static_cast<std::ptrdiff_t>(ends[worker]));
      begin = ends[worker];
    }
  }
  return shards;
}

/// Li et al. 2022 (NIID-Bench, arXiv 2102.02079), quantity-based label imbalance.
std::vector<std::vector<int>> split_few_labels(std::span<const int> labels, std::size_t workers,
                                               int labels_per_worker, Random& random) {
  const auto by_label = samples_by_label(labels, random);
  const auto each = std::min(static_cast<std::size_t>(labels_per_worker), by_label.size());
  std::vector<std::vector<std::size_t>> holders(by_label.size());
  for (std::size_t worker = 0; worker < workers; ++worker) {
    std::vector<std::size_t> others(by_label.size());
    std::iota(others.begin(), others.end(), 0);
    const std::size_t own = worker % by_label.size();
    std::erase(others, own);
    shuffle(others, random);
    holders[own].push_back(worker);
    for (std::size_t i = 0; i + 1 < each; ++i) holders[others[i]].push_back(worker);
  }
  std::vector<std::vector<int>> shards(workers);
  for (std::size_t label = 0; label < by_label.size(); ++label) {
    for (std::size_t i = 0; i < holders[label].size(); ++i) {
      const auto [begin, size] = slice_of(by_label[label].size(), holders[label].size(), i);
      const auto first = by_label[label].begin() + static_cast<std::ptrdiff_t>(begin);
      auto& shard = shards[holders[label][i]];
      shard.insert(shard.end(), first, first + static_cast<std::ptrdiff_t>(size));
    }
  }
  return shards;
}

/// Nobody can train on nothing: who got no sample takes one from who has most.
void fill_empty(std::vector<std::vector<int>>& shards) {
  for (auto& shard : shards) {
    if (!shard.empty()) continue;
    auto& largest = *std::ranges::max_element(shards, {}, &std::vector<int>::size);
    shard.push_back(largest.back());
    largest.pop_back();
  }
}

}  // namespace

Split Split::parse(const nlohmann::json& data_options) {
  const auto name = data_options.at("split").get<std::string>();
  Split split;
  split.kind = name == "by_label"     ? Kind::by_label
               : name == "few_labels" ? Kind::few_labels
               : name == "shared"     ? Kind::shared
                                      : Kind::iid;
  split.alpha = data_options.value("alpha", split.alpha);
  split.labels_per_worker = data_options.value("labels_per_worker", split.labels_per_worker);
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
  if (split.kind == Split::Kind::by_label || split.kind == Split::Kind::few_labels) {
    auto parts = split.kind == Split::Kind::by_label
                     ? split_by_label(labels, count, split.alpha, random)
                     : split_few_labels(labels, count, split.labels_per_worker, random);
    fill_empty(parts);
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
