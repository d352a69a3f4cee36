// Plain convolutional networks: against loops in double, the sizes that papers give, and parts of networks
// against whole ones without the rest.

#include "models/cnn.hpp"

#include <boost/random/uniform_int_distribution.hpp>
#include <catch2/catch.hpp>
#include <numeric>

#include "models/error.hpp"
#include "models/partition/neurons.hpp"
#include "models/resnet.hpp"
#include "models/threads.hpp"
#include "tests/unit/finite_difference.hpp"
#include "tests/unit/reference.hpp"

using namespace isthmus;
using nlohmann::json;

namespace cnn_test {
namespace {

constexpr int samples = 5, classes = 3;

/// In double and with plain loops, written from the definitions.
class ReferenceCnn {
 public:
  ReferenceCnn(const ParameterLayout& layout, const CnnOptions& options)
      : layout_(layout), options_(options) {}

  /// Mean softmax cross-entropy in training mode.
  double loss(const Numbers& parameters, const Matrix& inputs, const std::vector<int>& labels) const {
    Images x{options_.input.channels, options_.input.height, options_.input.width, {}};
    x.values.assign(inputs.data(), inputs.data() + inputs.size());
    for (std::size_t i = 0; i < options_.stages.size(); ++i) {
      const ConvolutionStage& stage = options_.stages[i];
      const std::string name = "conv" + std::to_string(i + 1);
      x = convolve(parameters, name, x, stage);
      if (options_.batch_norm) normalise(parameters, name + ".norm", x);
      for (double& value : x.values) value = std::max(value, 0.0);
      if (stage.pool > 0) x = largest(x, stage.pool);
    }
    reference::Table rows(samples, x.values.size() / samples, x.values);
    for (std::size_t i = 0; i < options_.dense.hidden.size(); ++i) {
      const std::string name = "hidden" + std::to_string(i + 1);
      rows = dense(parameters, name, rows, options_.dense.bias);
      if (options_.dense.batch_norm)
        rows = reference::batch_norm(rows, reference::moments(rows), part(parameters, name + ".norm.scale"),
                                     part(parameters, name + ".norm.shift"));
      rows = reference::relu(rows);
    }
    rows = dense(parameters, "output", rows, true);
    double sum = 0;
    for (std::size_t n = 0; n < samples; ++n) {
      double exponentials = 0;
      for (std::size_t k = 0; k < rows.columns; ++k) exponentials += std::exp(rows(n, k));
      sum += std::log(exponentials) - rows(n, static_cast<std::size_t>(labels[n]));
    }
    return sum / samples;
  }

 private:
  struct Images {
    int channels, height, width;
    Numbers values;
    double& at(int n, int c, int y, int x) {
      return values[static_cast<std::size_t>(((n * channels + c) * height + y) * width + x)];
    }
  };

  std::span<const double> part(const Numbers& parameters, const std::string& name) const {
    const ParameterBlock& block = layout_.block(name);
    return std::span(parameters).subspan(block.offset, block.size());
  }

  reference::Table dense(const Numbers& parameters, const std::string& name, const reference::Table& x,
                         bool bias) const {
    const ParameterBlock& block = layout_.block(name + ".weight");
    const reference::Table weight(static_cast<std::size_t>(block.rows),
                                  static_cast<std::size_t>(block.columns),
                                  part(parameters, name + ".weight"));
    return reference::linear(x, weight, bias ? part(parameters, name + ".bias") : std::span<const double>());
  }

  Images convolve(const Numbers& parameters, const std::string& name, Images& in,
                  const ConvolutionStage& stage) const {
    const int pad = stage.padded ? stage.kernel / 2 : 0;
    const auto side = [&](int input) { return (input + 2 * pad - stage.kernel) / stage.stride + 1; };
    const auto weight = part(parameters, name + ".weight");
    Images out{stage.channels, side(in.height), side(in.width), {}};
    for (int n = 0; n < samples; ++n)
      for (int o = 0; o < out.channels; ++o)
        for (int y = 0; y < out.height; ++y)
          for (int x = 0; x < out.width; ++x) {
            double sum =
                options_.batch_norm ? 0 : part(parameters, name + ".bias")[static_cast<std::size_t>(o)];
            for (int c = 0; c < in.channels; ++c)
              for (int dy = 0; dy < stage.kernel; ++dy)
                for (int dx = 0; dx < stage.kernel; ++dx) {
                  const int iy = y * stage.stride + dy - pad, ix = x * stage.stride + dx - pad;
                  if (iy < 0 || ix < 0 || iy >= in.height || ix >= in.width) continue;
                  const int at = ((o * in.channels + c) * stage.kernel + dy) * stage.kernel + dx;
                  sum += weight[static_cast<std::size_t>(at)] * in.at(n, c, iy, ix);
                }
            out.values.push_back(sum);
          }
    return out;
  }

  void normalise(const Numbers& parameters, const std::string& name, Images& images) const {
    const double count = samples * images.height * images.width;
    for (int c = 0; c < images.channels; ++c) {
      double mean = 0, variance = 0;
      const auto each = [&](auto&& act) {
        for (int n = 0; n < samples; ++n)
          for (int y = 0; y < images.height; ++y)
            for (int x = 0; x < images.width; ++x) act(images.at(n, c, y, x));
      };
      each([&](double value) { mean += value / count; });
      each([&](double value) { variance += (value - mean) * (value - mean) / count; });
      const auto channel = static_cast<std::size_t>(c);
      const double scale = part(parameters, name + ".scale")[channel],
                   shift = part(parameters, name + ".shift")[channel];
      each([&](double& value) { value = scale * (value - mean) / std::sqrt(variance + 1e-5) + shift; });
    }
  }

  static Images largest(Images& in, int window) {
    const int pad = window == 3 ? 1 : 0;
    const auto side = [&](int input) { return (input + 2 * pad - window) / 2 + 1; };
    Images out{in.channels, side(in.height), side(in.width), {}};
    for (int n = 0; n < samples; ++n)
      for (int c = 0; c < out.channels; ++c)
        for (int y = 0; y < out.height; ++y)
          for (int x = 0; x < out.width; ++x) {
            double most = -1e300;
            for (int iy = std::max(0, 2 * y - pad); iy < std::min(in.height, 2 * y - pad + window); ++iy)
              for (int ix = std::max(0, 2 * x - pad); ix < std::min(in.width, 2 * x - pad + window); ++ix)
                most = std::max(most, in.at(n, c, iy, ix));
            out.values.push_back(most);
          }
    return out;
  }

  const ParameterLayout& layout_;
  const CnnOptions& options_;
};

std::vector<int> random_labels() {
  std::vector<int> labels;
  Random random = random_stream(9, "labels");
  for (int i = 0; i < samples; ++i)
    labels.push_back(boost::random::uniform_int_distribution<int>(0, classes - 1)(random));
  return labels;
}

/// Parameters away from the special values of an initialisation.
std::vector<float> random_parameters(const Model& model) {
  std::vector<float> parameters = model.initial_parameters(random_stream(3, "parameters"));
  const std::vector<float> noise = normal_floats(parameters.size(), 4);
  for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i] += 0.1f * noise[i];
  return parameters;
}

double loss_of(const Model& model, std::vector<float> parameters, const Matrix& inputs,
               std::vector<float>& gradients, Precision precision = Precision::fp32) {
  gradients.assign(model.layout().trainable_size(), NAN);
  const std::vector<int> labels = random_labels();
  return model.network(samples, precision)
      ->gradient(parameters, {{inputs.data(), inputs.rows(), inputs.cols()}, labels}, gradients)
      .mean_loss();
}

void check_against_reference(const CnnOptions& options) {
  const Cnn model(options, 4);
  const Matrix inputs = normal_matrix(samples, options.input.size(), 1);
  const std::vector<int> labels = random_labels();
  const std::vector<float> parameters = random_parameters(model);
  const ReferenceCnn reference(model.layout(), options);
  Numbers exact(parameters.begin(), parameters.end());
  std::vector<float> gradients;
  CHECK(loss_of(model, parameters, inputs, gradients) ==
        Approx(reference.loss(exact, inputs, labels)).epsilon(1e-4));
  double largest = 0;
  for (const float gradient : gradients) largest = std::max(largest, std::abs(static_cast<double>(gradient)));
  Random random = random_stream(11, "chosen parameters");
  for (const ParameterBlock& block : model.layout().blocks()) {
    INFO(block.name);
    for (int i = 0; i < 8; ++i) {
      const std::size_t at =
          block.offset + boost::random::uniform_int_distribution<std::size_t>(0, block.size() - 1)(random);
      const double step = 1e-5, middle = exact[at];
      exact[at] = middle + step;
      const double above = reference.loss(exact, inputs, labels);
      exact[at] = middle - step;
      const double below = reference.loss(exact, inputs, labels);
      exact[at] = middle;
      CHECK(static_cast<double>(gradients[at]) ==
            Approx((above - below) / (2 * step)).margin(2e-4 * largest).epsilon(1e-3));
    }
  }
}

DataDescription images(const SampleShape& shape, int number_of_classes) {
  return {.name = "images",
          .shape = shape,
          .classes = number_of_classes,
          .train_samples = 10,
          .test_samples = 10,
          .nonzeros_per_sample = {}};
}

std::unique_ptr<Model> make(json options, const SampleShape& shape, int number_of_classes = classes) {
  const json defaults = {
      {"kind", "cnn"}, {"convolution", "fastest"}, {"statistics", "batch"}, {"output_batch_norm", false}};
  options.insert(defaults.begin(), defaults.end());
  return make_model(options, images(shape, number_of_classes));
}

/// The parameters of a part of a network, and the whole with zeros for all the rest.
struct PartAndRest {
  std::vector<float> part, whole;
};

PartAndRest cut(const Model& model, const Selection& selection, const std::vector<float>& parameters) {
  PartAndRest result{std::vector<float>(selection.size()), std::vector<float>(parameters.size())};
  const Transfer transfer(selection, Selection::everything(model.layout()));
  transfer.gather(parameters, result.part);
  transfer.scatter(result.part, result.whole);
  return result;
}

AxisSet all_axes(const ParameterLayout& layout) {
  AxisSet dealt;
  for (const LayoutAxis& axis : layout.axes()) dealt.push_back(axis.kind != AxisKind::fixed);
  return dealt;
}

}  // namespace

TEST_CASE("gradients of convolutional networks agree with finite differences", "[cnn]") {
  struct Case {
    const char* name;
    CnnOptions options;
  };
  const DenseOptions plain = {
      .hidden = {7}, .classes = classes, .batch_norm = false, .output_batch_norm = false, .bias = true};
  const DenseOptions normalised = {
      .hidden = {7, 4}, .classes = classes, .output_batch_norm = false, .output_bias = true};
  const Case each = GENERATE_COPY(values<Case>({
      {"as LeNet-5",
       {{1, 12, 12},
        {{.channels = 6, .kernel = 5, .pool = 2}, {.channels = 16, .kernel = 5, .padded = false, .pool = 2}},
        false,
        ConvolutionMethod::fastest,
        plain}},
      {"odd sides", {{3, 9, 7}, {{.channels = 5, .pool = 2}, {.channels = 3}}, false, {}, plain}},
      {"windows of three", {{2, 9, 8}, {{.channels = 17, .pool = 3}}, false, {}, plain}},
      {"strides",
       {{2, 9, 8},
        {{.channels = 16, .stride = 2}, {.channels = 4, .kernel = 2, .padded = false}},
        false,
        {},
        plain}},
      {"batch norm", {{3, 8, 8}, {{.channels = 20, .pool = 2}, {.channels = 9}}, true, {}, normalised}},
      {"no dense layer hidden",
       {{3, 6, 6},
        {{.channels = 8}},
        true,
        {},
        {.classes = classes, .output_batch_norm = false, .bias = true}}},
      {"Winograd", {{3, 16, 16}, {{.channels = 32}, {.channels = 32, .pool = 2}}, false, {}, plain}},
  }));
  INFO(each.name);
  check_against_reference(each.options);
}

TEST_CASE("known convolutional networks have the sizes that are published", "[cnn]") {
  // McMahan et al. 2017: 1,663,370. LeNet-5 and NIID-Bench's by their layers.
  CHECK(make({{"name", "fedavg"}}, {1, 28, 28}, 10)->layout().size() == 1'663'370);
  CHECK(make({{"name", "lenet5"}}, {1, 28, 28}, 10)->layout().size() == 61'706);
  CHECK(make({{"name", "niid_bench"}}, {1, 28, 28}, 10)->layout().size() == 44'426);
  // torchvision's vgg11_bn, vgg13_bn and vgg16_bn, whose convolutions have biases beside their batch norms.
  const auto vgg = [](const std::string& name) {
    return make({{"name", name}, {"dense_batch_norm", false}}, {3, 224, 224}, 1000);
  };
  CHECK(vgg("vgg11")->layout().size() == 132'868'840 - 2752);
  CHECK(vgg("vgg13")->layout().size() == 133'053'736 - 2944);
  CHECK(vgg("vgg16")->layout().size() == 138'365'992 - 4224);
  CHECK(std::lround(vgg("vgg11")->costs(1).forward_multiply_adds / 1e6) == 7609);
  CHECK(std::lround(vgg("vgg16")->costs(1).forward_multiply_adds / 1e6) == 15470);
  const auto small = make({{"name", "vgg12"}}, {3, 32, 32}, 10);
  CHECK(small->layout().block("hidden1.weight").columns == 512);
}

TEST_CASE("costs of a convolutional network follow from its shapes", "[cnn]") {
  // conv 4 x 6x6 from 8x8 (3x3, not padded) of 2 channels, pooled to 3x3; 36 features to 5 to 3; batch 7.
  const auto model = make(
      {{"convolutions", {{{"channels", 4}, {"padded", false}, {"pool", 2}}}}, {"hidden", {5}}}, {2, 8, 8});
  const CostProfile costs = model->costs(7);
  const double multiply_adds = 7.0 * (36 * 4 * 2 * 9 + 36 * 5 + 5 * 3);
  CHECK(costs.forward_multiply_adds == multiply_adds);
  const double elements = 7.0 * 36 * 4, pooled = 7.0 * 36, hidden = 7.0 * 5, logits = 7.0 * 3;
  // Bias and ReLU of the convolution, three comparisons a maximum, the same of the hidden layer, bias and
  // softmax of the last.
  CHECK(costs.forward_flops() ==
        2 * multiply_adds + 2 * elements + 3 * pooled + 2 * hidden + logits + 5 * logits);
  const double convolution = 7.0 * 36 * 4 * 2 * 9;
  CHECK(costs.backward_flops() ==
        4 * multiply_adds - 2 * convolution + 2 * elements + pooled + 2 * hidden + logits);
}

TEST_CASE("a part of a network is the whole without its other neurons and channels", "[cnn][partition]") {
  struct Case {
    std::unique_ptr<Model> model;
    SampleShape shape;
  };
  const int number = GENERATE(range(0, 4));
  const SampleShape shape{3, 12, 10};
  const BlockStyle style{.bottleneck = number == 3, .pre_activation = number != 2};
  std::unique_ptr<Model> model;
  if (number == 0) {
    model = make({{"convolutions", {{{"channels", 7}, {"pool", 2}}, {{"channels", 19}, {"kernel", 5}}}},
                  {"hidden", {9, 6}}},
                 shape);
  } else {
    model = std::make_unique<Resnet>(
        ResnetOptions{
            .input = shape,
            .sections = {1, 2},
            .widths = {16, 18},
            .style = style,
            .dense = {.hidden = {}, .classes = classes, .output_batch_norm = false, .output_bias = true}},
        4);
  }
  CAPTURE(number);
  const ParameterLayout& layout = model->layout();
  const std::vector<float> parameters = random_parameters(*model);
  const Matrix inputs = normal_matrix(samples, shape.size(), 1);
  const Partition partition = draw_neurons(layout, all_axes(layout), 3, NeuronDeal::uniform, 1, 1);
  const Selection everything = Selection::everything(layout);
  std::vector<int> holders(layout.size());
  for (int worker = 0; worker < 3; ++worker) {
    const Selection& selection = partition.part(worker);
    const auto part = model->subnet(selection);
    REQUIRE(part->layout().size() == selection.size());
    REQUIRE(part->layout().blocks().size() == layout.blocks().size());
    for (std::size_t i = 0; i < layout.blocks().size(); ++i)
      CHECK(part->layout().blocks()[i].name == layout.blocks()[i].name);
    const PartAndRest values = cut(*model, selection, parameters);
    std::vector<float> of_part, of_whole;
    const double loss = loss_of(*part, values.part, inputs, of_part);
    CHECK(loss == Approx(loss_of(*model, values.whole, inputs, of_whole)).epsilon(1e-5));
    // And so have its gradients those places in the whole network's.
    std::vector<float> expected(of_part.size());
    Transfer(selection, everything).gather(of_whole, expected);
    double largest = 0;
    for (const float value : expected) largest = std::max(largest, std::abs(static_cast<double>(value)));
    for (std::size_t i = 0; i < of_part.size(); ++i)
      REQUIRE(of_part[i] == Approx(expected[i]).margin(1e-4 * largest));
    std::vector<float> mine(layout.size());
    Transfer(selection, everything).scatter(std::vector<float>(selection.size(), 1), mine);
    for (std::size_t i = 0; i < mine.size(); ++i) holders[i] += static_cast<int>(mine[i]);
  }
  // A parameter has one holder where one of its axes is dealt, all where none is, and none between the
  // neurons of different workers.
  const AxisSet dealt = all_axes(layout);
  for (const ParameterBlock& block : layout.blocks()) {
    const bool rows = dealt[static_cast<std::size_t>(block.row_axis)],
               columns = dealt[static_cast<std::size_t>(block.column_axis)];
    const int sum =
        std::accumulate(holders.begin() + static_cast<std::ptrdiff_t>(block.offset),
                        holders.begin() + static_cast<std::ptrdiff_t>(block.offset + block.size()), 0);
    INFO(block.name);
    if (!rows && !columns) CHECK(sum == 3 * static_cast<int>(block.size()));
    if (rows != columns) CHECK(sum == static_cast<int>(block.size()));
    if (rows && columns) CHECK(sum < static_cast<int>(block.size()));
  }
}

TEST_CASE("bf16 products of a convolutional network are those of fp32 to two digits", "[cnn]") {
  if (!has_bf16()) {
    WARN("this CPU has no bf16");
    return;
  }
  const SampleShape shape{1, 12, 12};
  const auto model = make({{"name", "lenet5"}}, shape);
  const Matrix inputs = normal_matrix(samples, shape.size(), 1);
  std::vector<float> exact, rounded;
  const double loss = loss_of(*model, random_parameters(*model), inputs, exact);
  CHECK(loss_of(*model, random_parameters(*model), inputs, rounded, Precision::bf16) ==
        Approx(loss).epsilon(0.02));
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    difference += std::pow(rounded[i] - exact[i], 2);
    size += std::pow(exact[i], 2);
  }
  CHECK(std::sqrt(difference / size) < 0.05);
}

TEST_CASE("convolutional networks are described with care", "[cnn]") {
  const auto refused = [](const json& options, const std::string& place, const SampleShape& shape) {
    CAPTURE(options.dump());
    try {
      make(options, shape);
      FAIL("was accepted");
    } catch (const InputError& error) {
      CHECK_THAT(error.what(), Catch::Matchers::Contains(place));
    }
  };
  const json convolution = {{"channels", 4}};
  refused(json::object(), "/model: give either", {1, 8, 8});
  refused({{"name", "lenet5"}, {"convolutions", {convolution}}}, "/model: give either", {1, 8, 8});
  refused({{"name", "vgg11"}}, "images of 28x28 pixels have come down to 1x1 pixels after convolution 8",
          {1, 28, 28});
  refused({{"name", "niid_bench"}}, "/model/name: convolution 1 looks at 5x5 pixels", {1, 4, 8});
  refused({{"convolutions", {convolution, {{"channels", 4}, {"kernel", 2}}}}}, "/model/convolutions/1/kernel",
          {1, 8, 8});
}

}  // namespace cnn_test
