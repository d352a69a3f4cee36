// Whole networks: loss and gradient against a double-precision network and its finite differences.

#include <catch2/catch.hpp>
#include <set>

#include "models/mlp.hpp"
#include "tests/unit/finite_difference.hpp"
#include "tests/unit/reference.hpp"

using namespace isthmus;
using reference::Table;

namespace network_test {
namespace {

/// The same network in double.
double reference_loss(const Mlp& model, const Numbers& parameters, const Table& input,
                      std::span<const int> labels) {
  const auto values = [&](const std::string& name) {
    const ParameterBlock& block = model.layout().block(name);
    return std::span(parameters).subspan(block.offset, block.size());
  };
  const auto linear = [&](const Table& x, const std::string& name) {
    const ParameterBlock& block = model.layout().block(name + ".weight");
    const Table weight(static_cast<std::size_t>(block.rows), static_cast<std::size_t>(block.columns),
                       values(name + ".weight"));
    return reference::linear(x, weight,
                             model.options().bias ? values(name + ".bias") : std::span<const double>());
  };
  Table x = input;
  for (std::size_t i = 1; i <= model.options().hidden.size(); ++i) {
    const std::string name = "hidden" + std::to_string(i);
    x = linear(x, name);
    if (model.options().batch_norm) {
      x = reference::batch_norm(x, reference::moments(x), values(name + ".norm.scale"),
                                values(name + ".norm.shift"));
    }
    x = reference::relu(x);
  }
  x = linear(x, "output");
  if (model.options().output_batch_norm) x = reference::batch_norm(x, reference::moments(x));
  return reference::cross_entropy(x, labels);
}

struct Case {
  const char* name;
  std::vector<Index> hidden;
  bool batch_norm, output_batch_norm, bias;
  Index batch, capacity;
  BatchStatistics statistics = BatchStatistics::batch;
};

const std::vector<Case> cases = {
    {"no hidden layer", {}, false, false, false, 4, 4},
    {"no hidden layer, bias, output norm", {}, false, true, true, 4, 9},
    {"one hidden layer as in IST", {6}, true, true, false, 5, 5},
    {"one hidden layer, plain", {6}, false, false, true, 5, 5},
    {"three hidden layers as in IST", {7, 4, 9}, true, true, false, 8, 8},
    {"three hidden layers, running statistics", {7, 4, 9}, true, true, false, 8, 8, BatchStatistics::running},
    {"three hidden layers, plain", {7, 4, 9}, false, false, true, 8, 8},
    {"no bias, no norm", {5, 3}, false, false, false, 6, 6},
    {"norm and bias", {5, 3}, true, false, true, 6, 6},
    {"output norm only", {5, 3}, false, true, true, 6, 6},
    {"one sample", {5, 3}, false, false, true, 1, 1},
    {"two samples", {5, 3}, true, false, true, 2, 2},
    {"room for more", {5, 3}, true, true, false, 6, 64},
    {"one sample, room for more", {5, 3}, false, false, true, 1, 64},
    {"one neuron", {1}, false, false, true, 3, 3},
    {"narrower inside than the classes", {2, 2}, false, false, true, 5, 5},
};

}  // namespace

TEST_CASE("Gradients of networks agree with finite differences", "[network][gradient]") {
  const auto& c = GENERATE(from_range(cases.begin(), cases.end()));
  CAPTURE(c.name);
  const Mlp model(4,
                  {.hidden = c.hidden,
                   .classes = 3,
                   .batch_norm = c.batch_norm,
                   .output_batch_norm = c.output_batch_norm,
                   .bias = c.bias,
                   .statistics = c.statistics},
                  20);
  auto parameters = model.initial_parameters(random_stream(1, "initial"));
  const auto noise = normal_floats(model.layout().trainable_size(), 5, 0.2f);
  for (std::size_t i = 0; i < noise.size(); ++i) parameters[i] += noise[i];  // scales off 1, shifts off 0
  const Matrix input = normal_matrix(c.batch, 4, 6);
  const auto labels = random_labels(static_cast<std::size_t>(c.batch), 3, 7);
  const Numbers trainable(parameters.begin(),
                          parameters.begin() + static_cast<std::ptrdiff_t>(model.layout().trainable_size()));
  const auto loss = [&](const Numbers& p) { return reference_loss(model, p, Table(input), labels); };

  const auto network = model.network(static_cast<int>(c.capacity));
  CHECK(network->capacity() == c.capacity);
  std::vector<float> gradients(model.layout().trainable_size(), NAN);
  const Batch batch{{input.data(), c.batch, 4}, labels};
  const BatchResult result = network->gradient(parameters, batch, gradients);
  CHECK(result.samples == c.batch);
  CHECK(result.mean_loss() == Approx(loss(trainable)).epsilon(2e-6));
  // Batch norm divides by deviations that are small where few samples happen to agree: errors grow by that.
  check_close(gradients, finite_difference(loss, trainable), 5e-5);
  if (c.statistics == BatchStatistics::batch) {
    CHECK(network->evaluate(parameters, batch).loss_sum == result.loss_sum);
  }
}

TEST_CASE("During the backward pass a network tells which gradients are final", "[network]") {
  const Mlp model(4, {.hidden = {6, 5}, .classes = 3, .bias = true}, 20);
  auto parameters = model.initial_parameters(random_stream(1, "initial"));
  const Matrix input = normal_matrix(9, 4, 1);
  const auto labels = random_labels(9, 3, 3);
  std::vector<float> gradients(model.layout().trainable_size()), when_told(gradients.size());
  std::vector<std::size_t> told = {gradients.size()};
  model.network(9)->gradient(parameters, {{input.data(), 9, 4}, labels}, gradients, [&](std::size_t from) {
    CHECK(from <= told.back());
    std::copy(gradients.begin() + static_cast<std::ptrdiff_t>(from),
              gradients.begin() + static_cast<std::ptrdiff_t>(told.back()),
              when_told.begin() + static_cast<std::ptrdiff_t>(from));
    told.push_back(from);
  });
  CHECK(when_told == gradients);
  CHECK(told.back() == 0);
  CHECK(std::set(told.begin(), told.end()).size() == 6);  // five blocks' layers, and the end
}

TEST_CASE("A network's result does not depend on what it computed before", "[network]") {
  const Mlp model(4, {.hidden = {6, 5}, .classes = 3}, 20);
  auto parameters = model.initial_parameters(random_stream(1, "initial"));
  const Matrix many = normal_matrix(9, 4, 1), few = normal_matrix(3, 4, 2);
  const auto labels = random_labels(9, 3, 3);
  const Batch large{{many.data(), 9, 4}, labels}, small{{few.data(), 3, 4}, std::span(labels).first(3)};

  std::vector<float> fresh(model.layout().trainable_size()), used(fresh.size());
  const auto first = model.network(9)->gradient(parameters, small, fresh);
  const auto network = model.network(9);
  network->gradient(parameters, large, used);
  network->evaluate(parameters, large);
  CHECK(network->gradient(parameters, small, used).loss_sum == first.loss_sum);
  CHECK(used == fresh);
}

TEST_CASE("Data parallelism: the mean gradient of two halves is that of the joined batch", "[network]") {
  const Mlp model(
      20, {.hidden = {30, 16}, .classes = 5, .batch_norm = false, .output_batch_norm = false, .bias = true},
      84);
  auto parameters = model.initial_parameters(random_stream(1, "initial"));
  const Matrix input = normal_matrix(32, 20, 1);
  const auto labels = random_labels(32, 5, 2);
  const auto network = model.network(32);
  const auto gradient = [&](Index begin, Index count) {
    std::vector<float> gradients(model.layout().trainable_size());
    network->gradient(
        parameters,
        {{input.row(begin).data(), count, 20},
         std::span(labels).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count))},
        gradients);
    return gradients;
  };
  const auto joined = gradient(0, 32), first = gradient(0, 16), second = gradient(16, 16);
  Numbers mean(joined.size());
  for (std::size_t i = 0; i < mean.size(); ++i) {
    mean[i] = (static_cast<double>(first[i]) + static_cast<double>(second[i])) / 2;
  }
  CHECK(first != second);
  check_close(joined, mean, 1e-6);
}

TEST_CASE("The layout of an MLP names every block", "[network]") {
  const Mlp model(10, {.hidden = {7, 5}, .classes = 3, .bias = true, .statistics = BatchStatistics::running},
                  44);
  std::vector<std::string> names;
  std::size_t offset = 0, trainable = 0;
  for (const ParameterBlock& block : model.layout().blocks()) {
    names.push_back(block.name);
    CHECK(block.offset == offset);
    offset += block.size();
    trainable += block.trainable ? block.size() : 0;
  }
  CHECK(names ==
        std::vector<std::string>{
            "hidden1.weight", "hidden1.bias", "hidden1.norm.scale", "hidden1.norm.shift", "hidden2.weight",
            "hidden2.bias", "hidden2.norm.scale", "hidden2.norm.shift", "output.weight", "output.bias",
            "hidden1.norm.running_mean", "hidden1.norm.running_variance", "hidden2.norm.running_mean",
            "hidden2.norm.running_variance", "output.norm.running_mean", "output.norm.running_variance"});
  CHECK(offset == model.layout().size());
  CHECK(trainable == model.layout().trainable_size());
  CHECK(model.layout().block("hidden2.weight").rows == 5);
  CHECK(model.layout().block("hidden2.weight").columns == 7);
  CHECK_THROWS_AS(model.layout().block("hidden3.weight"), std::out_of_range);
}

}  // namespace network_test
