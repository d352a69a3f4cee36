#include "models/loss.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/finite_difference.hpp"
#include "tests/unit/reference.hpp"

using namespace isthmus;
using reference::Table;

namespace loss_test {

TEST_CASE("Softmax cross-entropy and its gradient follow the formulas", "[loss]") {
  const auto drawn =
      GENERATE(table<Index, Index, float>({{1, 2, 1.f}, {5, 3, 1.f}, {7, 10, 5.f}, {3, 100, 0.01f}}));
  const Index samples = std::get<0>(drawn), classes = std::get<1>(drawn);  // Clang 14 captures no bindings
  const float spread = std::get<2>(drawn);
  CAPTURE(samples, classes, spread);
  const Matrix logits = normal_matrix(samples, classes, 1) * spread;
  const auto labels = random_labels(static_cast<std::size_t>(samples), static_cast<int>(classes), 2);
  const auto loss = [&](const Numbers& values) {
    return reference::cross_entropy(
        Table(static_cast<std::size_t>(samples), static_cast<std::size_t>(classes), values), labels);
  };
  const double expected = loss(as_numbers(logits));

  const BatchResult result = softmax_cross_entropy({logits.data(), samples, classes}, labels);
  CHECK(result.samples == samples);
  CHECK(result.mean_loss() == Approx(expected).epsilon(1e-6));

  Matrix gradient = logits;
  const BatchResult again = softmax_cross_entropy_gradient({gradient.data(), samples, classes}, labels);
  CHECK(again.loss_sum == result.loss_sum);
  CHECK(again.correct == result.correct);
  check_close(gradient, finite_difference(loss, as_numbers(logits)), 1e-6);
}

TEST_CASE("Loss of equal logits is the logarithm of the classes", "[loss]") {
  const Matrix logits = Matrix::Constant(2, 8, 3.5f);
  const std::vector<int> labels = {0, 7};
  const BatchResult result = softmax_cross_entropy({logits.data(), 2, 8}, labels);
  CHECK(result.mean_loss() == Approx(std::log(8.0)));
  CHECK(result.correct == 1);  // the first of the largest counts
}

TEST_CASE("Correct samples are counted", "[loss]") {
  Matrix logits(4, 3);
  logits << 1, 2, 3,  //
      3, 2, 1,        //
      0, 5, 0,        //
      -3, -2, -1;
  const std::vector<int> labels = {2, 0, 0, 2};
  CHECK(softmax_cross_entropy({logits.data(), 4, 3}, labels).correct == 3);
}

TEST_CASE("Huge logits neither overflow nor lose the loss", "[loss]") {
  Matrix logits(3, 2);
  logits << 1e4f, 0, 0, 1e4f, -1e4f, -1e4f;
  const std::vector<int> labels = {0, 0, 1};
  const BatchResult result = softmax_cross_entropy({logits.data(), 3, 2}, labels);
  CHECK(result.loss_sum == Approx(1e4 + std::log(2.0)));
  softmax_cross_entropy_gradient({logits.data(), 3, 2}, labels);
  check_close(logits, {0, 0, -1.0 / 3, 1.0 / 3, 0.5 / 3, -0.5 / 3}, 1e-6);
}

TEST_CASE("Results of batches add up", "[loss]") {
  BatchResult sum{.loss_sum = 3, .correct = 1, .samples = 2};
  sum += {.loss_sum = 1, .correct = 2, .samples = 6};
  CHECK(sum.mean_loss() == 0.5);
  CHECK(sum.accuracy() == 0.375);
}

}  // namespace loss_test
