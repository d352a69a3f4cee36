#pragma once

#include <algorithm>
#include <boost/random/normal_distribution.hpp>
#include <cmath>
#include <span>
#include <vector>

#include "models/matrix.hpp"
#include "models/random.hpp"
#include "tests/unit/finite_difference.hpp"

/// What the layers are to compute, in double and in plain loops, sharing nothing with models/.
namespace isthmus::reference {

/// Row by row, like the flat vectors of models/.
struct Table {
  std::size_t rows = 0, columns = 0;
  Numbers values = {};

  Table(std::size_t r, std::size_t c) : rows(r), columns(c), values(r * c) {}
  Table(std::size_t r, std::size_t c, std::span<const double> from)
      : rows(r), columns(c), values(from.begin(), from.end()) {}
  explicit Table(const Matrix& from)
      : rows(static_cast<std::size_t>(from.rows())),
        columns(static_cast<std::size_t>(from.cols())),
        values(from.data(), from.data() + from.size()) {}
  double& operator()(std::size_t i, std::size_t j) { return values[i * columns + j]; }
  double operator()(std::size_t i, std::size_t j) const { return values[i * columns + j]; }
};

/// x W' + b; an empty b counts as zero.
inline Table linear(const Table& x, const Table& weight, std::span<const double> bias = {}) {
  Table y(x.rows, weight.rows);
  for (std::size_t i = 0; i < y.rows; ++i) {
    for (std::size_t j = 0; j < y.columns; ++j) {
      double sum = bias.empty() ? 0 : bias[j];
      for (std::size_t k = 0; k < x.columns; ++k) sum += x(i, k) * weight(j, k);
      y(i, j) = sum;
    }
  }
  return y;
}

struct Moments {
  Numbers mean, variance;  ///< of each column; variance divided by the number of rows
};

inline Moments moments(const Table& x) {
  Moments result{Numbers(x.columns), Numbers(x.columns)};
  const auto rows = static_cast<double>(x.rows);
  for (std::size_t j = 0; j < x.columns; ++j) {
    for (std::size_t i = 0; i < x.rows; ++i) result.mean[j] += x(i, j) / rows;
    for (std::size_t i = 0; i < x.rows; ++i)
      result.variance[j] += std::pow(x(i, j) - result.mean[j], 2) / rows;
  }
  return result;
}

inline Table batch_norm(const Table& x, const Moments& by, std::span<const double> scale = {},
                        std::span<const double> shift = {}) {
  Table y = x;
  for (std::size_t i = 0; i < x.rows; ++i) {
    for (std::size_t j = 0; j < x.columns; ++j) {
      const double normalised = (x(i, j) - by.mean[j]) / std::sqrt(by.variance[j] + 1e-5);
      y(i, j) = scale.empty() ? normalised : normalised * scale[j] + shift[j];
    }
  }
  return y;
}

inline Table relu(Table x) {
  for (double& value : x.values) value = std::max(value, 0.0);
  return x;
}

/// Mean over samples of -log softmax(logits)[label].
inline double cross_entropy(const Table& logits, std::span<const int> labels) {
  double loss = 0;
  for (std::size_t i = 0; i < logits.rows; ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < logits.columns; ++j) sum += std::exp(logits(i, j));
    loss += std::log(sum) - logits(i, static_cast<std::size_t>(labels[i]));
  }
  return loss / static_cast<double>(logits.rows);
}

}  // namespace isthmus::reference

namespace isthmus {

inline std::vector<float> normal_floats(std::size_t count, std::uint64_t seed, float deviation = 1) {
  Random random = random_stream(seed, "test");
  boost::random::normal_distribution<float> normal(0, deviation);
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

inline Matrix normal_matrix(Index rows, Index columns, std::uint64_t seed) {
  const auto values = normal_floats(static_cast<std::size_t>(rows * columns), seed);
  return ConstMatrixMap(values.data(), rows, columns);
}

inline std::vector<int> random_labels(std::size_t count, int classes, std::uint64_t seed) {
  Random random = random_stream(seed, "test labels");
  std::vector<int> labels(count);
  for (int& label : labels) label = boost::random::uniform_int_distribution<int>(0, classes - 1)(random);
  return labels;
}

template <typename Floats>
Numbers as_numbers(const Floats& values) {
  return Numbers(values.data(), values.data() + values.size());
}

}  // namespace isthmus
