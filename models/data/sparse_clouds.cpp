#include "models/data/sparse_clouds.hpp"

#include <algorithm>
#include <boost/random/uniform_01.hpp>
#include <boost/random/uniform_int_distribution.hpp>
#include <cmath>
#include <set>

#include "models/random.hpp"

namespace isthmus {
namespace {

/// Draws 0, 1, ... with probabilities that go with 1, 1/2, 1/3, ...
class Zipf {
 public:
  explicit Zipf(std::size_t count) : sums_(count) {
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i) sums_[i] = sum += 1 / static_cast<double>(i + 1);
  }
  /// One of the first `count`.
  int draw(std::size_t count, Random& random) const {
    const double at = boost::random::uniform_01<double>()(random) * sums_[count - 1];
    const auto begin = sums_.begin(), end = begin + static_cast<std::ptrdiff_t>(count);
    return static_cast<int>(std::min(std::upper_bound(begin, end, at), end - 1) - begin);
  }

 private:
  std::vector<double> sums_;
};

class Clouds {
 public:
  Clouds(const DataDescription& description, double noise, std::uint64_t seed)
      : classes_(description.classes),
        topics_(std::max(1, static_cast<int>(std::lround(std::sqrt(description.classes))))),
        nonzeros_(static_cast<std::size_t>(*description.nonzeros_per_sample)),
        labels_(static_cast<std::size_t>(description.labels_per_sample)),
        noise_(noise),
        seed_(seed),
        popularity_(static_cast<std::size_t>(classes_)),
        any_feature_(0, static_cast<int>(description.shape.size()) - 1) {}

  void add_sample(SparseSamples& samples, Random& random) const {
    const std::vector<int> labels = draw_labels(random);
    const std::set<int> features = draw_features(labels, random);
    const float value = 1 / std::sqrt(static_cast<float>(features.size()));
    std::vector<SparseSamples::Entry> entries;
    for (const int feature : features) entries.emplace_back(feature, value);
    samples.add(entries, labels);
  }

 private:
  std::vector<int> draw_labels(Random& random) const {
    std::vector<int> labels = {popularity_.draw(static_cast<std::size_t>(classes_), random)};
    const int topic = labels.front() % topics_;
    const auto in_topic = static_cast<std::size_t>((classes_ - topic + topics_ - 1) / topics_);
    while (labels.size() < std::min(labels_, in_topic)) {
      const int label = topic + topics_ * popularity_.draw(in_topic, random);
      if (std::ranges::find(labels, label) == labels.end()) labels.push_back(label);
    }
    return labels;
  }

  std::vector<int> features_of(int label) const {
    Random random = random_stream(seed_, "features of a label", static_cast<std::uint64_t>(label));
    std::vector<int> features(nonzeros_);
    for (int& feature : features) feature = any_feature_(random);
    return features;
  }

  std::set<int> draw_features(const std::vector<int>& labels, Random& random) const {
    std::vector<std::vector<int>> of_labels;
    for (const int label : labels) of_labels.push_back(features_of(label));
    boost::random::uniform_int_distribution<std::size_t> which(0, labels.size() - 1), place(0, nonzeros_ - 1);
    boost::random::uniform_01<double> chance;
    std::set<int> features;
    // A sample of few labels may have come across all of theirs: then it takes others.
    const std::size_t patience = 8 * nonzeros_;
    for (std::size_t tries = 0; features.size() < nonzeros_; ++tries) {
      const bool any = chance(random) < noise_ || tries > patience;
      features.insert(any ? any_feature_(random) : of_labels[which(random)][place(random)]);
    }
    return features;
  }

  int classes_, topics_;
  std::size_t nonzeros_, labels_;
  double noise_;
  std::uint64_t seed_;
  Zipf popularity_;
  boost::random::uniform_int_distribution<int> any_feature_;
};

}  // namespace

SparseSamples draw_sparse_samples(const DataDescription& description, long samples, double noise,
                                  std::uint64_t seed, std::string_view purpose) {
  const Clouds clouds(description, noise, seed);
  Random random = random_stream(seed, purpose);
  SparseSamples drawn;
  for (long i = 0; i < samples; ++i) clouds.add_sample(drawn, random);
  return drawn;
}

}  // namespace isthmus
