#include "models/data/synthetic.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "models/error.hpp"
#include "tests/unit/reference.hpp"

using namespace isthmus;
using nlohmann::json;

namespace synthetic_test {
namespace {

json options(const json& changes = json::object()) {
  json result = {{"set", "synthetic"},  {"classes", 4},      {"samples", 400},
                 {"test_samples", 100}, {"difficulty", 0.5}, {"seed", 1}};
  result.update(changes);
  if (!result.contains("shape") && !result.contains("dimensions")) result["dimensions"] = 8;
  return result;
}

Dataset load(const json& changes = json::object()) { return make_data_source(options(changes))->load(); }

/// Share of test samples that are not nearest to their own class's mean (over training samples).
double nearest_mean_error(const Dataset& data) {
  const Index classes = data.description.classes;
  Matrix means = Matrix::Zero(classes, data.train_inputs.cols());
  std::vector<float> counts(static_cast<std::size_t>(classes));
  for (Index i = 0; i < data.train_inputs.rows(); ++i) {
    const int label = data.train_labels[static_cast<std::size_t>(i)];
    means.row(label) += data.train_inputs.row(i);
    ++counts[static_cast<std::size_t>(label)];
  }
  for (Index label = 0; label < classes; ++label) means.row(label) /= counts[static_cast<std::size_t>(label)];
  long wrong = 0;
  for (Index i = 0; i < data.test_inputs.rows(); ++i) {
    Index nearest = 0;
    (means.rowwise() - data.test_inputs.row(i)).rowwise().squaredNorm().minCoeff(&nearest);
    wrong += nearest == data.test_labels[static_cast<std::size_t>(i)] ? 0 : 1;
  }
  return static_cast<double>(wrong) / static_cast<double>(data.test_inputs.rows());
}

}  // namespace

TEST_CASE("The same seed gives the same samples, another seed others", "[data][synthetic]") {
  const Dataset a = load(), b = load(), c = load({{"seed", 2}});
  CHECK(a.train_inputs == b.train_inputs);
  CHECK(a.test_inputs == b.test_inputs);
  CHECK(a.train_labels == b.train_labels);
  CHECK(a.test_labels == b.test_labels);
  CHECK(a.train_inputs != c.train_inputs);
  CHECK(a.train_labels != c.train_labels);
  // Training and test samples are different ones.
  CHECK(a.train_inputs.topRows(100) != a.test_inputs);
}

TEST_CASE("More training samples leave those before them, and the test labels, as they were",
          "[data][synthetic]") {
  const Dataset few = load(), many = load({{"samples", 500}});
  CHECK(std::equal(few.train_labels.begin(), few.train_labels.end(), many.train_labels.begin()));
  CHECK(few.test_labels == many.test_labels);
}

TEST_CASE("Labels are balanced", "[data][synthetic]") {
  const Dataset data = load({{"classes", 5}, {"samples", 10000}});
  std::vector<int> counts(5);
  for (const int label : data.train_labels) {
    REQUIRE((label >= 0 && label < 5));
    ++counts[static_cast<std::size_t>(label)];
  }
  for (const int count : counts) CHECK(std::abs(count - 2000) < 200);  // five deviations of 40
}

TEST_CASE("Inputs have mean 0 and deviation 1, channel by channel", "[data][synthetic]") {
  const auto [shape, channels, pixels] = GENERATE(table<json, Index, Index>(
      {{{{"dimensions", 6}}, 6, 1}, {{{"shape", {3, 8, 5}}}, 3, 40}, {{{"shape", {1, 4, 4}}}, 1, 16}}));
  CAPTURE(shape.dump());
  const Dataset data = load(shape);
  REQUIRE(data.train_inputs.cols() == channels * pixels);
  for (Index channel = 0; channel < channels; ++channel) {
    const auto values = data.train_inputs.middleCols(channel * pixels, pixels).cast<double>().array();
    CHECK(std::abs(values.mean()) < 1e-5);
    CHECK(values.square().mean() == Approx(1).epsilon(1e-5));
  }
}

TEST_CASE("Test inputs are normalised by the training inputs' statistics", "[data][synthetic]") {
  Dataset data;
  data.description.shape = {2, 1, 2};
  data.train_inputs.resize(2, 4);
  data.train_inputs << 1, 3, 5, 5,  //
      5, 7, 5, 5;
  data.test_inputs.resize(1, 4);
  data.test_inputs << 4, 14, 5, 7;
  normalise(data);
  const double deviation = std::sqrt(5.0);  // of 1 3 5 7, whose mean is 4
  check_close(data.train_inputs, {-3 / deviation, -1 / deviation, 0, 0, 1 / deviation, 3 / deviation, 0, 0},
              1e-6);
  check_close(data.test_inputs, {0, 10 / deviation, 0, 2}, 1e-6);  // a constant channel is only centred
}

TEST_CASE("Images have the shape asked for, and means that are constant over cells", "[data][synthetic]") {
  const Dataset data = load({{"shape", {2, 8, 6}}, {"difficulty", 0}});
  const auto& shape = data.description.shape;
  CHECK(shape.channels == 2);
  CHECK(shape.height == 8);
  CHECK(shape.width == 6);
  REQUIRE(data.train_inputs.cols() == 96);
  REQUIRE(data.train_inputs.rows() == 400);
  REQUIRE(data.test_inputs.rows() == 100);
  // Without noise a sample is its mean: 4 x 4 pixels agree, and neighbouring cells differ.
  const auto pixel = [&](int channel, int y, int x) {
    return data.train_inputs(0, channel * 48 + y * 6 + x);
  };
  for (int channel = 0; channel < 2; ++channel) {
    for (int y = 0; y < 8; ++y) {
      for (int x = 0; x < 6; ++x) REQUIRE(pixel(channel, y, x) == pixel(channel, y / 4 * 4, x / 4 * 4));
    }
    CHECK(pixel(channel, 0, 0) != pixel(channel, 0, 4));
    CHECK(pixel(channel, 0, 0) != pixel(channel, 4, 0));
  }
  CHECK(pixel(0, 0, 0) != pixel(1, 0, 0));
}

TEST_CASE("Difficulty: two classes are confused with probability Phi(-1/difficulty)", "[data][synthetic]") {
  const double difficulty = GENERATE(0.5, 1.0, 2.0);
  CAPTURE(difficulty);
  const Dataset data = load({{"dimensions", 400},
                             {"classes", 2},
                             {"samples", 6000},
                             {"test_samples", 4000},
                             {"difficulty", difficulty}});
  const double theory = std::erfc(1 / difficulty / std::sqrt(2.0)) / 2;
  // The means' distance deviates by 3.5 % from 1 (400 dimensions): up to 0.009 at these difficulties.
  // Sampling: 0.007 at most. Means estimated from 3000 samples each cost up to 0.02 where noise is largest.
  CHECK(std::abs(nearest_mean_error(data) - theory) < 0.03);
}

TEST_CASE("Without difficulty nothing is confused, with much, everything", "[data][synthetic]") {
  CHECK(nearest_mean_error(load({{"difficulty", 0}})) == 0);
  CHECK(nearest_mean_error(load({{"difficulty", 50}, {"test_samples", 4000}})) == Approx(0.75).margin(0.05));
}

TEST_CASE("Sparse samples are described as they are", "[data][synthetic]") {
  const auto source = make_data_source(options({{"dimensions", 135909},
                                                {"nonzeros", 76},
                                                {"classes", 670091},
                                                {"samples", 490449},
                                                {"test_samples", 153025}}));
  const DataDescription description = source->describe();
  REQUIRE(description.nonzeros_per_sample);
  CHECK(*description.nonzeros_per_sample == 76);
  CHECK(description.sample_bytes() == 76 * 8 + 4);
  CHECK(description.shape.size() == 135909);
}

TEST_CASE("Contradictory options are refused", "[data][synthetic]") {
  CHECK_THROWS_AS(make_data_source(options({{"dimensions", 8}, {"shape", {1, 2, 4}}})), InputError);
  json neither = options();
  neither.erase("dimensions");
  CHECK_THROWS_AS(make_data_source(neither), InputError);
  CHECK_THROWS_WITH(make_data_source(options({{"nonzeros", 9}})),
                    Catch::Matchers::StartsWith("/data/nonzeros: found 9"));
  CHECK_NOTHROW(make_data_source(options({{"nonzeros", 8}})));
  CHECK_THROWS_WITH(make_data_source(options({{"labels_per_sample", 2}})),
                    Catch::Matchers::StartsWith("/data/labels_per_sample: "));
  CHECK_THROWS_WITH(make_data_source(options({{"set", "mnist"}})),
                    Catch::Matchers::StartsWith("/data/set: "));
}

}  // namespace synthetic_test
