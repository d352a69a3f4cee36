#include "models/loss.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace isthmus {
namespace {

/// Loss and correctness of one sample; leaves exp(logit - max) in `exponentials` and returns their sum there.
template <typename Row>
double add_sample(BatchResult& result, const Row& logits, std::span<const int> labels,
                  Eigen::ArrayXf& exponentials) {
  Index largest = 0;
  const float maximum = logits.maxCoeff(&largest);
  exponentials = (logits.array() - maximum).exp().transpose();
  const double sum = exponentials.sum();
  double above = 0;
  for (const int label : labels) above += static_cast<double>(logits[label] - maximum);
  result.loss_sum += std::log(sum) - above / static_cast<double>(labels.size());
  result.correct += std::ranges::find(labels, largest) != labels.end() ? 1 : 0;
  ++result.samples;
  return sum;
}

/// Counts labels among the largest logits, of equal ones the first.
template <typename Row>
void rank_sample(BatchResult& result, const Row& logits, std::span<const int> labels) {
  std::array<Index, 5> largest{};
  std::size_t known = 0;
  for (Index i = 0; i < logits.size(); ++i) {
    if (known == largest.size() && !(logits[i] > logits[largest.back()])) continue;
    std::size_t place = known == largest.size() ? known - 1 : known++;
    for (; place > 0 && logits[i] > logits[largest[place - 1]]; --place) largest[place] = largest[place - 1];
    largest[place] = i;
  }
  for (std::size_t place = 0; place < known; ++place) {
    if (std::ranges::find(labels, largest[place]) == labels.end()) continue;
    if (place < 3) ++result.hits_at_3;
    ++result.hits_at_5;
  }
  ++result.ranked_samples;
}

}  // namespace

BatchResult& BatchResult::operator+=(const BatchResult& other) {
  loss_sum += other.loss_sum;
  correct += other.correct;
  samples += other.samples;
  ranked_samples += other.ranked_samples;
  hits_at_3 += other.hits_at_3;
  hits_at_5 += other.hits_at_5;
  return *this;
}

BatchResult softmax_cross_entropy(ConstMatrixMap logits, const Labels& labels) {
  BatchResult result;
  Eigen::ArrayXf exponentials(logits.cols());
  for (Index i = 0; i < logits.rows(); ++i) {
    const std::span<const int> of_sample = labels[static_cast<std::size_t>(i)];
    add_sample(result, logits.row(i), of_sample, exponentials);
    if (labels.are_sets()) rank_sample(result, logits.row(i), of_sample);
  }
  return result;
}

BatchResult softmax_cross_entropy_gradient(MatrixMap logits, const Labels& labels) {
  BatchResult result;
  Eigen::ArrayXf exponentials(logits.cols());
  const float per_sample = 1 / static_cast<float>(logits.rows());
  for (Index i = 0; i < logits.rows(); ++i) {
    const std::span<const int> of_sample = labels[static_cast<std::size_t>(i)];
    const double sum = add_sample(result, logits.row(i), of_sample, exponentials);
    logits.row(i).array() = exponentials.transpose() * (per_sample / static_cast<float>(sum));
    const float per_label = per_sample / static_cast<float>(of_sample.size());
    for (const int label : of_sample) logits(i, label) -= per_label;
  }
  return result;
}

LossWork loss_work(Index batch, Index classes) {
  const double samples = static_cast<double>(batch), logits = samples * static_cast<double>(classes);
  const auto kernel = [](double flops, double elements) {
    return plain_kernel(KernelKind::loss, flops, elements);
  };
  LossWork work;
  add(work.forward, kernel(softmax_flops_per_class * logits, 2 * logits));
  add(work.forward, kernel(0, 2 * samples));
  add(work.backward, kernel(0, samples + logits));
  add(work.backward, kernel(0, 3 * logits));
  return work;
}

}  // namespace isthmus
