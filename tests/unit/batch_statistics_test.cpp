// What batch norm normalises by in evaluation, and how running statistics follow those of training's batches.

#include <catch2/catch.hpp>

#include "models/mlp.hpp"
#include "models/trainer.hpp"
#include "tests/unit/reference.hpp"

using namespace isthmus;
using reference::Table;

namespace batch_statistics_test {
namespace {

struct NormLayer {
  ParameterLayout layout;
  BatchNorm layer;
  std::vector<float> parameters;
  Index features;

  NormLayer(BatchStatistics statistics, Index size)
      : layer("norm", layout, layout.add_axis("features", size, AxisKind::neurons),
              {.affine = true, .statistics = statistics}),
        features(size) {
    layer.declare_parameters(layout);
    layer.declare_statistics(layout);
    layer.allocate(64);
    parameters.resize(layout.size());
    Random random = random_stream(1, "unused");
    layer.initialise(parameters, random);
  }

  Matrix forward(const Matrix& input, Mode mode) {
    Matrix output(input.rows(), features);
    layer.forward(parameters, {input.data(), input.rows(), features}, {output.data(), input.rows(), features},
                  mode);
    return output;
  }

  Numbers block(const char* name) const {
    const auto values = as_matrix(ConstValues(parameters), layout.block(name));
    return Numbers(values.data(), values.data() + values.size());
  }
};

Dataset tiny_dataset(Index test_samples, Index features, int classes) {
  Dataset dataset;
  dataset.test_inputs = normal_matrix(test_samples, features, 21);
  dataset.test_labels = random_labels(static_cast<std::size_t>(test_samples), classes, 22);
  return dataset;
}

}  // namespace

TEST_CASE("Running statistics follow PyTorch's formulas", "[batch_norm]") {
  NormLayer norm(BatchStatistics::running, 5);
  Numbers mean(5, 0), variance(5, 1);
  const std::vector<Index> batches = {8, 8, 2, 33, 1};
  for (std::size_t batch = 0; batch < batches.size(); ++batch) {
    const Index samples = batches[batch];
    const Matrix input = normal_matrix(samples, 5, 30 + batch).array() * 3 - 2;
    norm.forward(input, Mode::training);
    const auto now = reference::moments(Table(input));
    for (std::size_t j = 0; j < 5; ++j) {
      // PyTorch refuses a batch of one in training; here its variance counts as it is, 0.
      const auto n = static_cast<double>(samples);
      mean[j] = 0.9 * mean[j] + 0.1 * now.mean[j];
      variance[j] = 0.9 * variance[j] + 0.1 * now.variance[j] * (samples > 1 ? n / (n - 1) : 1);
    }
    check_close(norm.block("norm.running_mean"), mean, 1e-6);
    check_close(norm.block("norm.running_variance"), variance, 1e-6);
  }
}

TEST_CASE("Evaluation normalises by running statistics and does not move them", "[batch_norm]") {
  NormLayer norm(BatchStatistics::running, 4);
  for (std::size_t i = 0; i < 3; ++i)
    norm.forward(normal_matrix(16, 4, 40 + i).array() * 2 + 3, Mode::training);
  const auto parameters = norm.parameters;
  const Matrix input = normal_matrix(6, 4, 50);
  const Matrix output = norm.forward(input, Mode::evaluation);
  CHECK(norm.parameters == parameters);
  const reference::Moments by{norm.block("norm.running_mean"), norm.block("norm.running_variance")};
  check_close(output, reference::batch_norm(Table(input), by).values, 1e-6);
  // One sample at a time gives the same: nothing of the batch enters.
  for (Index i = 0; i < input.rows(); ++i) {
    const Matrix alone = norm.forward(input.row(i), Mode::evaluation);
    CHECK(alone.row(0).isApprox(output.row(i), 1e-6f));
  }
}

TEST_CASE("Without running statistics, evaluation normalises by its own batch", "[batch_norm]") {
  NormLayer norm(BatchStatistics::batch, 4);
  norm.forward(normal_matrix(16, 4, 40).array() * 2 + 3, Mode::training);
  const Matrix input = normal_matrix(6, 4, 50);
  check_close(norm.forward(input, Mode::evaluation),
              reference::batch_norm(Table(input), reference::moments(Table(input))).values, 1e-6);
}

TEST_CASE("A network's evaluation leaves all parameters as they are, its training moves only statistics",
          "[batch_norm][network]") {
  const auto statistics = GENERATE(BatchStatistics::batch, BatchStatistics::running);
  const Mlp model(6, {.hidden = {5, 4}, .classes = 3, .statistics = statistics}, 28);
  auto parameters = model.initial_parameters(random_stream(1, "initial"));
  const auto initial = parameters;
  const auto network = model.network(10);
  const Matrix input = normal_matrix(10, 6, 1).array() + 2;
  const auto labels = random_labels(10, 3, 2);
  const Batch batch{{input.data(), 10, 6}, labels};

  network->evaluate(parameters, batch);
  CHECK(parameters == initial);

  std::vector<float> gradients(model.layout().trainable_size());
  network->gradient(parameters, batch, gradients);
  const auto trainable = static_cast<std::ptrdiff_t>(model.layout().trainable_size());
  CHECK(std::equal(initial.begin(), initial.begin() + trainable, parameters.begin()));
  CHECK((parameters != initial) == (statistics == BatchStatistics::running));
  for (std::size_t i = model.layout().trainable_size(); i < parameters.size(); ++i) {
    CHECK(parameters[i] != initial[i]);
  }
}

TEST_CASE("Statistics estimated anew are the means over batches of training samples",
          "[batch_norm][trainer]") {
  const Mlp model(6, {.hidden = {5}, .classes = 3, .statistics = BatchStatistics::running}, 28);
  auto parameters = model.initial_parameters(random_stream(1, "initial"));
  for (std::size_t i = model.layout().trainable_size(); i < parameters.size(); ++i) parameters[i] = 1e3F;
  const auto before = parameters;
  Dataset dataset = tiny_dataset(23, 6, 3);
  dataset.description.shape = {6, 1, 1};
  dataset.train_inputs = normal_matrix(24, 6, 5).array() * 2 + 1;
  dataset.train_labels = random_labels(24, 3, 6);
  reestimate_statistics(model, parameters, dataset, 8, 3);
  const auto trainable = static_cast<std::ptrdiff_t>(model.layout().trainable_size());
  CHECK(std::equal(before.begin(), before.begin() + trainable, parameters.begin()));
  const auto weights = as_matrix(ConstValues(parameters), model.layout().block("hidden1.weight"));
  const Eigen::MatrixXd hidden = dataset.train_inputs.cast<double>() * weights.cast<double>().transpose();
  Numbers means(5), variances(5);
  for (Index neuron = 0; neuron < 5; ++neuron) {
    for (Index batch = 0; batch < 3; ++batch) {
      const Eigen::ArrayXd values = hidden.col(neuron).segment(8 * batch, 8);
      means[static_cast<std::size_t>(neuron)] += values.mean() / 3;
      variances[static_cast<std::size_t>(neuron)] += (values - values.mean()).square().sum() / 7 / 3;
    }
  }
  const auto statistics = [&](const char* name) {
    return as_matrix(ConstValues(parameters), model.layout().block(name));
  };
  check_close(statistics("hidden1.norm.running_mean"), means, 1e-5);
  check_close(statistics("hidden1.norm.running_variance"), variances, 1e-5);
}

TEST_CASE("evaluate() is the sum over batches whose sizes differ by at most one", "[trainer]") {
  const Mlp model(6, {.hidden = {5}, .classes = 3}, 28);
  const auto parameters = model.initial_parameters(random_stream(1, "initial"));
  // By hand: 23 samples in batches of about 7 are 8 + 8 + 7 (23 / 7 = 3 batches); of 30, one batch of all.
  const auto [batch, sizes] = GENERATE(table<int, std::vector<Index>>(
      {{7, {8, 8, 7}}, {23, {23}}, {30, {23}}, {12, {23}}, {11, {12, 11}}, {3, {4, 4, 3, 3, 3, 3, 3}}}));
  CAPTURE(batch);
  const Dataset dataset = tiny_dataset(23, 6, 3);
  double loss = 0;
  long correct = 0;
  Index begin = 0;
  for (const Index size : sizes) {
    // Each batch normalised by itself, in double.
    const auto at = [&](const char* name) {
      const auto& block = model.layout().block(name);
      const auto values = as_matrix(ConstValues(parameters), block);
      return Table(static_cast<std::size_t>(block.rows), static_cast<std::size_t>(block.columns),
                   Numbers(values.data(), values.data() + values.size()));
    };
    const Table input(Matrix(dataset.test_inputs.middleRows(begin, size)));
    const Table first = reference::linear(input, at("hidden1.weight"));
    const Table hidden = reference::relu(reference::batch_norm(first, reference::moments(first)));
    const Table second = reference::linear(hidden, at("output.weight"));
    const Table logits = reference::batch_norm(second, reference::moments(second));
    const auto labels = std::span(dataset.test_labels).subspan(static_cast<std::size_t>(begin), input.rows);
    loss += reference::cross_entropy(logits, labels) * static_cast<double>(size);
    for (std::size_t i = 0; i < logits.rows; ++i) {
      const auto row = logits.values.begin() + static_cast<std::ptrdiff_t>(i * 3);
      correct += std::max_element(row, row + 3) - row == labels[i] ? 1 : 0;
    }
    begin += size;
  }
  const BatchResult result = evaluate(model, parameters, dataset, batch);
  CHECK(result.samples == 23);
  CHECK(result.loss_sum == Approx(loss).epsilon(1e-6));
  CHECK(result.mean_loss() == Approx(loss / 23).epsilon(1e-6));
  CHECK(result.correct == correct);
  CHECK(result.accuracy() == Approx(static_cast<double>(correct) / 23));
}

}  // namespace batch_statistics_test
