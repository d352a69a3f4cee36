// Every layer alone: its output against the formula in double, and the gradients of sum(weights * output)
// against finite differences of that formula.

#include <catch2/catch.hpp>
#include <functional>

#include "models/layers/batch_norm.hpp"
#include "models/layers/linear.hpp"
#include "models/layers/relu.hpp"
#include "tests/unit/finite_difference.hpp"
#include "tests/unit/reference.hpp"

using namespace isthmus;
using reference::Table;

namespace layers_test {
namespace {

/// Sums of some ten fp32 products and quotients of order one.
constexpr double bound = 5e-6;

using Formula = std::function<Table(const Table& input, std::span<const double> parameters)>;

void check_layer(Layer& layer, const ParameterLayout& layout, const Matrix& input, const Formula& formula,
                 double precision = bound) {
  const Index samples = input.rows();
  layer.allocate(samples + 3);  // more than the batch needs
  // Random parameters: the initial ones (scales of 1, shifts of 0) would hide mistakes.
  std::vector<float> parameters = normal_floats(layout.size(), 11);
  for (const auto& block : layout.blocks()) {
    if (block.name == "norm.running_variance") as_matrix(Values(parameters), block).setOnes();
  }
  const std::vector<float> before = parameters;
  const ConstMatrixMap x(input.data(), input.rows(), input.cols());

  Matrix output = Matrix::Constant(samples, layer.outputs(), NAN);
  layer.forward(parameters, x, {output.data(), samples, layer.outputs()}, Mode::training);
  const Numbers trainable(before.begin(),
                          before.begin() + static_cast<std::ptrdiff_t>(layout.trainable_size()));
  check_close(output, formula(Table(input), trainable).values, precision);

  const Matrix weights = normal_matrix(samples, layer.outputs(), 12);
  const auto weighted_sum = [&](const Table& y) {
    double sum = 0;
    for (std::size_t i = 0; i < y.values.size(); ++i)
      sum += y.values[i] * static_cast<double>(weights.data()[i]);
    return sum;
  };
  const Numbers by_parameters =
      finite_difference([&](const Numbers& p) { return weighted_sum(formula(Table(input), p)); }, trainable);
  const Table shape(input);
  const Numbers by_input = finite_difference(
      [&](const Numbers& values) {
        return weighted_sum(formula(Table(shape.rows, shape.columns, values), trainable));
      },
      as_numbers(input));

  const ConstMatrixMap y(output.data(), samples, layer.outputs());
  enum class Want { separate, in_place, nothing };
  for (const Want want : {Want::separate, Want::in_place, Want::nothing}) {
    if (want == Want::in_place && !layer.backward_in_place()) continue;
    CAPTURE(static_cast<int>(want));
    Matrix output_gradient = weights;
    Matrix other = Matrix::Constant(samples, input.cols(), NAN);
    MatrixMap input_gradient(want == Want::in_place ? output_gradient.data() : other.data(), samples,
                             input.cols());
    std::vector<float> gradients(layout.trainable_size(), NAN);  // all must be overwritten
    layer.backward(parameters, x, y, {output_gradient.data(), samples, layer.outputs()},
                   want == Want::nothing ? nullptr : &input_gradient, gradients);
    check_close(gradients, by_parameters, precision);
    if (want != Want::nothing) check_close(input_gradient, by_input, precision);
  }
}

Matrix without_kinks(Matrix input) {
  return input.unaryExpr([](float x) { return std::abs(x) < 1e-3f ? 0.5f : x; });
}

}  // namespace

TEST_CASE("Linear layers", "[layers][gradient]") {
  const bool bias = GENERATE(false, true);
  const auto [samples, inputs, outputs] = GENERATE(
      table<Index, Index, Index>({{1, 1, 1}, {1, 5, 3}, {4, 1, 3}, {4, 3, 1}, {7, 5, 3}, {3, 9, 17}}));
  CAPTURE(bias, samples, inputs, outputs);
  ParameterLayout layout;
  const int from = layout.add_axis("in", inputs), to = layout.add_axis("out", outputs, AxisKind::neurons);
  Linear layer("linear", layout, from, to, bias);
  layer.declare_parameters(layout);
  REQUIRE(layout.size() == static_cast<std::size_t>(inputs * outputs + (bias ? outputs : 0)));
  const auto n = static_cast<std::size_t>(inputs), m = static_cast<std::size_t>(outputs);
  check_layer(layer, layout, normal_matrix(samples, inputs, 1),
              [&](const Table& x, std::span<const double> p) {
                return reference::linear(x, Table(m, n, p.first(n * m)), p.subspan(n * m));
              });
}

TEST_CASE("Batch norm layers", "[layers][gradient]") {
  const bool affine = GENERATE(true, false), relu = GENERATE(false, true);
  const auto statistics = GENERATE(BatchStatistics::batch, BatchStatistics::running);
  const auto [samples, features] = GENERATE(table<Index, Index>({{2, 1}, {3, 4}, {8, 3}, {5, 33}}));
  CAPTURE(affine, relu, statistics == BatchStatistics::running, samples, features);
  ParameterLayout layout;
  const int axis = layout.add_axis("features", features, AxisKind::neurons);
  BatchNorm layer("norm", layout, axis, {.affine = affine, .relu = relu, .statistics = statistics});
  layer.declare_parameters(layout);
  layer.declare_statistics(layout);
  const auto n = static_cast<std::size_t>(features);
  REQUIRE(layout.trainable_size() == (affine ? 2 * n : 0));
  REQUIRE(layout.size() - layout.trainable_size() == (statistics == BatchStatistics::running ? 2 * n : 0));
  // Off centre, so that the mean matters.
  const Matrix input = normal_matrix(samples, features, 2).array() * 2 + 1;
  check_layer(
      layer, layout, input,
      [&](const Table& x, std::span<const double> p) {
        const auto scale = affine ? p.first(n) : p, shift = affine ? p.subspan(n) : p;
        const Table y = reference::batch_norm(x, reference::moments(x), scale, shift);
        return relu ? reference::relu(y) : y;
      },
      2e-5);  // differences of products cancel in its gradient
}

TEST_CASE("Batch norm of one sample gives the shift and passes no gradient back", "[layers][gradient]") {
  ParameterLayout layout;
  BatchNorm layer("norm", layout, layout.add_axis("features", 3, AxisKind::neurons), {});
  layer.declare_parameters(layout);
  // Its factor is 1/sqrt(1e-5) = 316, so that terms of some hundreds cancel: to 316 * 1e-7 = 3e-5 or so.
  constexpr double precision = 1e-3;
  check_layer(
      layer, layout, normal_matrix(1, 3, 2),
      [](const Table& x, std::span<const double> p) {
        return reference::batch_norm(x, reference::moments(x), p.first(3), p.subspan(3));
      },
      precision);
}

TEST_CASE("ReLU layers", "[layers][gradient]") {
  const auto [samples, features] = GENERATE(table<Index, Index>({{1, 1}, {1, 7}, {6, 5}}));
  Relu layer(features);
  const ParameterLayout layout;
  check_layer(layer, layout, without_kinks(normal_matrix(samples, features, 3)),
              [](const Table& x, std::span<const double>) { return reference::relu(x); });
}

TEST_CASE("Initial values", "[layers]") {
  ParameterLayout layout;
  const int from = layout.add_axis("in", 64), to = layout.add_axis("out", 200, AxisKind::neurons);
  Linear linear("linear", layout, from, to, true);
  BatchNorm norm("norm", layout, to, {.affine = true, .statistics = BatchStatistics::running});
  linear.declare_parameters(layout);
  norm.declare_parameters(layout);
  norm.declare_statistics(layout);
  std::vector<float> parameters(layout.size(), NAN);
  Random random = random_stream(1, "initial");
  linear.initialise(parameters, random);
  norm.initialise(parameters, random);

  const auto block = [&](const char* name) {
    return as_matrix(Values(parameters), layout.block(name)).array();
  };
  for (const char* name : {"linear.weight", "linear.bias"}) {
    // U(-1/8, 1/8): extremes near the bounds, standard deviation 1/8/sqrt(3) to 5 (of 12800) or 15 % (of
    // 200).
    const double size = static_cast<double>(block(name).size());
    CHECK(block(name).maxCoeff() <= 0.125f);
    CHECK(block(name).minCoeff() >= -0.125f);
    CHECK(block(name).maxCoeff() > 0.12f);
    CHECK(block(name).minCoeff() < -0.12f);
    const double squares = block(name).cast<double>().square().sum() / size;
    CHECK(std::sqrt(squares) == Approx(0.125 / std::sqrt(3.0)).epsilon(size > 1000 ? 0.05 : 0.15));
  }
  CHECK((block("norm.scale") == 1).all());
  CHECK((block("norm.shift") == 0).all());
  CHECK((block("norm.running_mean") == 0).all());
  CHECK((block("norm.running_variance") == 1).all());
}

}  // namespace layers_test
