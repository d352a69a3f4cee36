#include "models/loss.hpp"

#include <cmath>

namespace isthmus {
namespace {

/// Loss and correctness of one sample; leaves exp(logit - max) in `exponentials` and returns their sum there.
template <typename Row>
double add_sample(BatchResult& result, const Row& logits, int label, Eigen::ArrayXf& exponentials) {
  Index largest = 0;
  const float maximum = logits.maxCoeff(&largest);
  exponentials = (logits.array() - maximum).exp().transpose();
  const double sum = exponentials.sum();
  result.loss_sum += std::log(sum) - static_cast<double>(logits[label] - maximum);
  result.correct += largest == label ? 1 : 0;
  ++result.samples;
  return sum;
}

}  // namespace

BatchResult& BatchResult::operator+=(const BatchResult& other) {
  loss_sum += other.loss_sum;
  correct += other.correct;
  samples += other.samples;
  return *this;
}

BatchResult softmax_cross_entropy(ConstMatrixMap logits, std::span<const int> labels) {
  BatchResult result;
  Eigen::ArrayXf exponentials(logits.cols());
  for (Index i = 0; i < logits.rows(); ++i) {
    add_sample(result, logits.row(i), labels[static_cast<std::size_t>(i)], exponentials);
  }
  return result;
}

BatchResult softmax_cross_entropy_gradient(MatrixMap logits, std::span<const int> labels) {
  BatchResult result;
  Eigen::ArrayXf exponentials(logits.cols());
  const float per_sample = 1 / static_cast<float>(logits.rows());
  for (Index i = 0; i < logits.rows(); ++i) {
    const int label = labels[static_cast<std::size_t>(i)];
    const double sum = add_sample(result, logits.row(i), label, exponentials);
    logits.row(i).array() = exponentials.transpose() * (per_sample / static_cast<float>(sum));
    logits(i, label) -= per_sample;
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
