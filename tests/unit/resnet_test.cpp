#include "models/resnet.hpp"

#include <boost/random/normal_distribution.hpp>
#include <boost/random/uniform_int_distribution.hpp>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "models/data/split.hpp"
#include "models/error.hpp"
#include "models/layers/convolution.hpp"
#include "models/partition/selection.hpp"
#include "models/threads.hpp"
#include "models/trainer.hpp"
#include "tests/unit/reference_resnet.hpp"

using namespace isthmus;

namespace resnet_test {
namespace {

constexpr int samples = 4, classes = 5;

struct Example {
  Matrix inputs;
  std::vector<int> labels;
};

Example random_example(const SampleShape& shape) {
  Random random = random_stream(7, "resnet example");
  boost::random::normal_distribution<float> normal;
  Example example{Matrix::NullaryExpr(samples, shape.size(), [&] { return normal(random); }), {}};
  for (int i = 0; i < samples; ++i)
    example.labels.push_back(boost::random::uniform_int_distribution<int>(0, classes - 1)(random));
  return example;
}

DenseOptions head(int outputs) {
  return {.classes = outputs, .output_batch_norm = false, .output_bias = true};
}

Resnet make(const SampleShape& input, std::vector<int> sections, std::vector<int> widths,
            BlockStyle style = {}, int stem_kernel = 3, int stem_stride = 1, bool stem_max_pool = false) {
  return Resnet({.input = input,
                 .sections = std::move(sections),
                 .widths = std::move(widths),
                 .stem_kernel = stem_kernel,
                 .stem_stride = stem_stride,
                 .stem_max_pool = stem_max_pool,
                 .style = style,
                 .dense = head(classes)},
                4);
}

/// Parameters away from the special values of an initialisation.
std::vector<float> random_parameters(const Model& model) {
  std::vector<float> parameters = model.initial_parameters(random_stream(3, "parameters"));
  Random random = random_stream(3, "perturbation");
  boost::random::normal_distribution<float> normal(0, 0.1f);
  for (float& parameter : parameters) parameter += normal(random);
  return parameters;
}

BatchResult gradient_of(const Model& model, std::vector<float> parameters, const Example& example,
                        std::vector<float>& gradients) {
  gradients.assign(model.layout().trainable_size(), -1);
  const ConstMatrixMap inputs(example.inputs.data(), example.inputs.rows(), example.inputs.cols());
  return model.network(samples)->gradient(parameters, {inputs, example.labels}, gradients);
}

void check_against_reference(const Resnet& model, const SampleShape& shape, const BlockStyle& style,
                             int stem_stride = 1, bool stem_max_pool = false) {
  const Example example = random_example(shape);
  const std::vector<float> parameters = random_parameters(model);
  const ReferenceResnet reference(model.layout(), style.pre_activation, style.bottleneck, stem_stride,
                                  stem_max_pool);
  const ReferenceResnet::Images images{
      samples, shape.channels, shape.height, shape.width,
      Numbers(example.inputs.data(), example.inputs.data() + example.inputs.size())};
  Numbers exact(parameters.begin(), parameters.end());
  std::vector<float> gradients;
  const BatchResult result = gradient_of(model, parameters, example, gradients);
  CHECK(result.mean_loss() == Approx(reference.loss(exact, images, example.labels)).epsilon(1e-4));

  // A few parameters of every block; the reference takes too long for all of them.
  double largest = 0;
  for (const float gradient : gradients) largest = std::max(largest, std::abs(static_cast<double>(gradient)));
  Random random = random_stream(11, "chosen parameters");
  for (const ParameterBlock& block : model.layout().blocks()) {
    INFO(block.name);
    for (int i = 0; i < 3; ++i) {
      const std::size_t at =
          block.offset + boost::random::uniform_int_distribution<std::size_t>(0, block.size() - 1)(random);
      const double step = 1e-5, middle = exact[at];
      exact[at] = middle + step;
      const double above = reference.loss(exact, images, example.labels);
      exact[at] = middle - step;
      const double below = reference.loss(exact, images, example.labels);
      exact[at] = middle;
      CHECK(static_cast<double>(gradients[at]) ==
            Approx((above - below) / (2 * step)).margin(2e-4 * largest).epsilon(1e-3));
    }
  }
}

}  // namespace

TEST_CASE("gradients of residual networks agree with finite differences", "[resnet]") {
  struct Case {
    const char* name;
    SampleShape shape;
    std::vector<int> sections, widths;
    BlockStyle style;
  };
  const std::vector<Case> cases = {
      {"basic", {1, 6, 6}, {2, 1}, {16, 32}, {}},
      {"channels that fill no whole block", {3, 5, 7}, {1, 2}, {5, 20}, {}},
      {"Winograd", {3, 8, 8}, {2}, {32}, {}},
      {"direct", {3, 8, 8}, {2}, {32}, {.method = ConvolutionMethod::direct}},
      {"bottleneck", {3, 6, 6}, {2, 2}, {8, 16}, {.bottleneck = true}},
      {"post-activation", {3, 6, 6}, {2, 2}, {16, 32}, {.pre_activation = false}},
      {"post-activation bottleneck",
       {3, 6, 6},
       {1, 2},
       {8, 16},
       {.bottleneck = true, .pre_activation = false}},
      {"running statistics", {1, 6, 6}, {1, 1}, {16, 16}, {.statistics = BatchStatistics::running}},
  };
  check_against_reference(make({3, 12, 12}, {1, 1}, {16, 16}, {}, 7, 2), {3, 12, 12}, {}, 2);
  for (const BlockStyle style : {BlockStyle{}, BlockStyle{.pre_activation = false}}) {
    INFO("stem for large images");
    check_against_reference(make({3, 22, 17}, {1, 1}, {16, 32}, style, 7, 2, true), {3, 22, 17}, style, 2,
                            true);
  }
  for (const Case& each : cases) {
    INFO(each.name);
    const Resnet model = make(each.shape, each.sections, each.widths, each.style);
    ParameterLayout trainable = model.layout();
    if (each.style.statistics == BatchStatistics::running) {
      CHECK(model.layout().size() > model.layout().trainable_size());
      continue;
    }
    check_against_reference(model, each.shape, each.style);
  }
}

TEST_CASE("Winograd rounds otherwise than the plain sum, a little", "[resnet]") {
  const SampleShape shape{3, 16, 16};
  const Example example = random_example(shape);
  const Resnet fast = make(shape, {2, 2}, {64, 64}),
               plain = make(shape, {2, 2}, {64, 64}, {.method = ConvolutionMethod::direct});
  const std::vector<float> parameters = random_parameters(fast);
  std::vector<float> of_fast, of_plain;
  const double loss_fast = gradient_of(fast, parameters, example, of_fast).mean_loss();
  CHECK(loss_fast == Approx(gradient_of(plain, parameters, example, of_plain).mean_loss()).epsilon(1e-4));
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < of_plain.size(); ++i) {
    difference += std::pow(of_fast[i] - of_plain[i], 2);
    size += std::pow(of_plain[i], 2);
  }
  CHECK(std::sqrt(difference / size) < 1e-3);
}

TEST_CASE("max pooling in the stem halves the images and has no parameters", "[resnet]") {
  // ResNet18 as its paper has it, for 224x224 pixels: 1.8 billion multiply-adds, 56x56 pixels in section 1.
  const auto network = [](bool max_pool, int stem_stride) {
    return make({3, 224, 224}, {2, 2, 2, 2}, {64, 128, 256, 512}, {}, 7, stem_stride, max_pool);
  };
  const Resnet with = network(true, 2), without = network(false, 2), strided = network(false, 4);
  CHECK(with.layout() == without.layout());
  const CostProfile pooled = with.costs(1), whole = without.costs(1), quarter = strided.costs(1);
  const double stem = 112.0 * 112 * 64 * 3 * 49, smaller_stem = 56.0 * 56 * 64 * 3 * 49;
  CHECK(std::lround(pooled.forward_multiply_adds / 1e7) == 181);
  CHECK(pooled.forward_multiply_adds - stem == quarter.forward_multiply_adds - smaller_stem);
  CHECK(whole.forward_multiply_adds > 3 * pooled.forward_multiply_adds);
  // Against the stem of stride 4: the larger stem, 8 comparisons and one addition for each of 56x56x64.
  const double elements = 56.0 * 56 * 64;
  CHECK(pooled.forward_flops() - quarter.forward_flops() == 2 * (stem - smaller_stem) + 8 * elements);
  CHECK(pooled.backward_flops() - quarter.backward_flops() == 2 * (stem - smaller_stem) + elements);
  CHECK(static_cast<double>(pooled.activation_bytes - quarter.activation_bytes) ==
        112.0 * 112 * 64 * 4 + elements);
}

TEST_CASE("bf16 products are those of fp32 to two digits", "[resnet]") {
  if (!has_bf16()) {
    WARN("this CPU has no bf16");
    return;
  }
  struct Case {
    SampleShape shape;
    std::vector<int> widths;
    BlockStyle style;
    bool stem_max_pool;
    double bound;  // wider where a rounding error moves a maximum or a ReLU of few, batch-normalised values
  };
  const std::vector<Case> cases = {{{3, 8, 8}, {16, 32}, {}, false, 0.05},
                                   {{1, 9, 7}, {5, 20}, {}, false, 0.05},
                                   {{3, 16, 16}, {16, 32}, {.bottleneck = true}, true, 0.1},
                                   {{3, 8, 8}, {16, 32}, {.pre_activation = false}, false, 0.2}};
  for (const auto& [shape, widths, style, stem_max_pool, bound] : cases) {
    INFO(shape.height << " pixels, " << widths[0] << " channels");
    const Example example = random_example(shape);
    const Resnet model = make(shape, {1, 2}, widths, style, 3, 1, stem_max_pool);
    const std::vector<float> parameters = random_parameters(model);
    std::vector<float> exact, gradients(model.layout().trainable_size());
    const double loss = gradient_of(model, parameters, example, exact).mean_loss();
    const ConstMatrixMap inputs(example.inputs.data(), example.inputs.rows(), example.inputs.cols());
    std::vector<float> copy = parameters;
    const auto network = model.network(samples, Precision::bf16);
    const double rounded = network->gradient(copy, {inputs, example.labels}, gradients).mean_loss();
    CHECK(rounded != loss);
    CHECK(rounded == Approx(loss).epsilon(0.02));
    double difference = 0, size = 0;
    for (std::size_t i = 0; i < exact.size(); ++i) {
      difference += std::pow(gradients[i] - exact[i], 2);
      size += std::pow(exact[i], 2);
    }
    CHECK(std::sqrt(difference / size) < bound);
  }
}

TEST_CASE("bf16 uses matrix units where the CPU has them", "[resnet]") {
  if (instruction_set() != "avx512_core_amx") {
    WARN("this CPU has no AMX");
    return;
  }
  for (const auto& [input, channels, kernel, stride] :
       std::vector<std::tuple<SampleShape, int, int, int>>{{{16, 28, 28}, 16, 3, 1},
                                                           {{16, 28, 28}, 32, 3, 2},
                                                           {{32, 14, 14}, 64, 1, 2},
                                                           {{64, 32, 32}, 64, 3, 1},
                                                           {{512, 4, 4}, 512, 3, 1}}) {
    Convolution convolution("c", input, {.output_channels = channels, .kernel = kernel, .stride = stride});
    convolution.set_arithmetic({Precision::bf16, onednn::image_layout(Precision::bf16, 64)});
    const std::string used = convolution.implementations(32);
    INFO(used);
    std::size_t count = 0;
    for (std::size_t at = used.find("amx"); at != std::string::npos; at = used.find("amx", at + 1)) ++count;
    CHECK(count == 3);
  }
}

TEST_CASE("convolutions that matter use oneDNN's fast implementations", "[resnet]") {
  if (!instruction_set().starts_with("avx512")) {
    WARN("without AVX-512 oneDNN has no fast weight gradient for images of one channel");
    return;
  }
  const auto names = [](SampleShape input, int channels, int stride, bool plain) {
    Convolution convolution("c", input,
                            {.output_channels = channels, .stride = stride, .plain_input = plain});
    convolution.set_arithmetic({.images = ImageLayout::blocked});
    return convolution.implementations(32);
  };
  for (const std::string& used : {names({1, 28, 28}, 16, 1, true), names({3, 32, 32}, 64, 1, true),
                                  names({16, 28, 28}, 16, 1, false), names({32, 14, 14}, 32, 1, false),
                                  names({64, 32, 32}, 64, 1, false), names({64, 32, 32}, 128, 2, false)}) {
    INFO(used);
    CHECK(used.find("jit") != std::string::npos);
    CHECK(used.find("ref") == std::string::npos);
    CHECK(used.find("ncsp") == std::string::npos);
  }
}

// For the next test, which sets instructions beforehand.
TEST_CASE("of any width", "[.][implementations]") {
  const bool avx512 = instruction_set().starts_with("avx512");
  for (const Precision precision : {Precision::fp32, Precision::bf16}) {
    if (precision == Precision::bf16 && !has_bf16()) continue;
    for (int width = 1; width <= 65; ++width) {
      const auto check = [&](SampleShape input, int channels, int kernel, int stride, bool plain) {
        const Convolution::Options options = {
            .output_channels = channels, .kernel = kernel, .stride = stride, .plain_input = plain};
        // In networks of this width, and in those that are narrower elsewhere.
        for (const Index fewest : {*Convolution("c", input, options).fewest_channels(), Index{1}}) {
          const Arithmetic arithmetic = {precision, onednn::image_layout(precision, fewest)};
          Convolution convolution("c", input, options);
          convolution.set_arithmetic(arithmetic);
          const std::string used = convolution.implementations(8);
          INFO(input.channels << " to " << channels << " channels, kernel " << kernel << ": " << used);
          CHECK(used.find("ref") == std::string::npos);
        }
      };
      if (avx512) check({1, 28, 28}, width, 3, 1, true);
      check({3, 32, 32}, width, 3, 1, true);
      check({3, 32, 32}, width, 7, 2, true);
      check({width, 16, 16}, width, 3, 1, false);
      check({width, 16, 16}, 2 * width, 3, 2, false);
      check({width, 16, 16}, 2 * width, 1, 2, false);
      check({width, 16, 16}, 4 * width, 1, 1, false);
      check({4 * width, 16, 16}, width, 1, 1, false);
    }
  }
}

TEST_CASE("no convolution runs on oneDNN's reference code", "[resnet]") {
  // But for the weights' gradient of a stem with one channel, without AVX-512.
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  for (const std::string instructions : {"AVX2", "AVX512_CORE", "ALL"}) {
    INFO(instructions);
    const std::string command = "ONEDNN_MAX_CPU_ISA=" + instructions + " '" + self + "' '[implementations]'";
    CHECK(std::system(command.c_str()) == 0);
  }
}

// For the next test, which listens to oneDNN meanwhile.
TEST_CASE("steps of networks", "[.][steps]") {
  const Dataset data = make_data_source({{"set", "synthetic"},
                                         {"shape", {3, 16, 16}},
                                         {"classes", 10},
                                         {"samples", 16},
                                         {"test_samples", 16},
                                         {"difficulty", 0.5},
                                         {"seed", 1}})
                           ->load();
  const auto step = [&](const nlohmann::json& options, Precision precision) {
    const auto model = make_model(options, data.description);
    TrainingOptions training;
    training.batch = 4;
    training.precision = precision;
    Trainer trainer(data,
                    BatchStream(split_samples({}, data.train_labels, 1, 1)[0], random_stream(1, "batches")),
                    training, 1000);
    trainer.set_model(*model);
    copy(model->initial_parameters(random_stream(1, "parameters")), trainer.parameters());
    CHECK(std::isfinite(trainer.train(1).loss_sum));
  };
  for (const int width : {1, 3, 7, 8, 15, 16, 17, 33, 65}) {
    for (const Precision precision : {Precision::fp32, Precision::bf16}) {
      if (precision == Precision::bf16 && !has_bf16()) continue;
      step({{"kind", "resnet"},
            {"block", width % 2 == 0 ? "basic" : "bottleneck"},
            {"widths", {width, 2 * width}},
            {"sections", {1, 1}},
            {"pre_activation", width < 10},
            {"convolution", "fastest"},
            {"statistics", "batch"},
            {"stem_kernel", 3},
            {"stem_stride", 1},
            {"stem_max_pool", true},
            {"hidden", {width}}},
           precision);
      step({{"kind", "cnn"},
            {"convolutions",
             {{{"channels", width}, {"pool", 2}},
              {{"channels", 2 * width}, {"kernel", 5}, {"padded", false}}}},
            {"hidden", {2 * width}},
            {"batch_norm", width < 10},
            {"output_batch_norm", false},
            {"convolution", "fastest"},
            {"statistics", "batch"}},
           precision);
    }
    step({{"kind", "mlp"},
          {"hidden", {width, 2 * width}},
          {"batch_norm", width < 10},
          {"statistics", "batch"}},
         Precision::fp32);
  }
}

TEST_CASE("no primitive of a step is oneDNN's reference code", "[resnet]") {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  const std::filesystem::path heard =
      std::filesystem::temp_directory_path() / ("isthmus-steps-" + std::to_string(getpid()));
  for (const std::string instructions : {"AVX2", "AVX512_CORE", "ALL"}) {
    const std::string command = "ONEDNN_VERBOSE=1 ONEDNN_MAX_CPU_ISA=" + instructions + " '" + self +
                                "' '[steps]' > '" + heard.string() + "'";
    CHECK(std::system(command.c_str()) == 0);
    std::map<std::string, int> kinds;
    std::ifstream lines(heard);
    for (std::string line; std::getline(lines, line);) {
      if (line.find("verbose,") == std::string::npos || line.find(",exec,") == std::string::npos) continue;
      const std::size_t kind = line.find("cpu,") + 4, name = line.find(',', kind) + 1;
      ++kinds[line.substr(kind, name - 1 - kind)];
      INFO(instructions << ": " << line);
      CHECK(line.compare(name, 3, "ref") != 0);
    }
    for (const char* kind : {"convolution", "batch_normalization", "matmul"}) {
      CAPTURE(instructions, kind);
      CHECK(kinds[kind] > 0);
    }
  }
  std::filesystem::remove(heard);
}

TEST_CASE("the ResIST paper's networks have the sizes it gives", "[resnet]") {
  const auto paper = [](std::vector<int> sections) {
    return Resnet({.input = {3, 32, 32},
                   .sections = std::move(sections),
                   .widths = {64, 128, 256, 512},
                   .stem_kernel = 3,
                   .stem_stride = 1,
                   .stem_max_pool = false,
                   .style = {},
                   .dense = head(100)},
                  4);
  };
  const Resnet resnet101 = paper({3, 4, 23, 3});
  CHECK(resnet101.layout().trainable_size() == 41'396'900);
  CHECK(resnet101.layout().size() == 41'396'900);
  CHECK(std::lround(resnet101.costs(1).forward_multiply_adds / 1e6) == 2443);

  std::vector<std::size_t> unit_sizes(resnet101.layout().units().size());
  for (const ParameterBlock& block : resnet101.layout().blocks()) {
    if (block.unit >= 0) unit_sizes[static_cast<std::size_t>(block.unit)] += block.size();
  }
  std::size_t partitioned = 0;
  for (std::size_t i = 0; i < unit_sizes.size(); ++i) {
    const Unit& unit = resnet101.layout().units()[i];
    if (unit.section != 3 || !unit.removable) continue;
    CHECK(unit_sizes[i] == 1'180'672);
    partitioned += unit_sizes[i];
  }
  CHECK(partitioned == 22 * 1'180'672);
  CHECK(41'396'900 - partitioned == 15'422'116);

  // One block more costs 75.5 million multiply-adds.
  const double more =
      paper({3, 4, 24, 3}).costs(1).forward_multiply_adds - resnet101.costs(1).forward_multiply_adds;
  CHECK(more == 2.0 * 8 * 8 * 256 * 256 * 9);
  CHECK(std::lround(more / 1e5) == 755);
  CHECK(paper({3, 4, 36, 3}).layout().size() == 41'396'900 + 13 * 1'180'672);
  CHECK(paper({3, 4, 50, 3}).layout().size() == 41'396'900 + 27 * 1'180'672);
}

TEST_CASE("a sub-ResNet with all blocks is the whole network, without some it lacks them", "[resnet]") {
  const SampleShape shape{1, 8, 8};
  const Example example = random_example(shape);
  const Resnet model = make(shape, {2, 3}, {16, 32});
  const std::vector<float> parameters = random_parameters(model);
  std::vector<float> whole, again;
  const double loss = gradient_of(model, parameters, example, whole).mean_loss();
  const auto all = model.subnet(Selection::everything(model.layout()));
  CHECK(all->layout() == model.layout());
  CHECK(gradient_of(*all, parameters, example, again).mean_loss() == loss);
  CHECK(whole == again);

  std::vector<BlockSelection> blocks;
  const int missing = 3;  // section2.block2
  REQUIRE(model.layout().units()[missing].removable);
  const Selection everything = Selection::everything(model.layout());
  for (const BlockSelection& block : everything.blocks()) {
    if (model.layout().blocks()[block.block].unit != missing) blocks.push_back(block);
  }
  const Selection some(std::move(blocks));
  const auto part = model.subnet(some);
  CHECK(part->layout().size() == some.size());
  CHECK(part->layout().units().size() == 4);
  std::vector<float> packed(some.size());
  Transfer(some, everything).gather(parameters, packed);
  std::vector<float> gradients;
  const double without = gradient_of(*part, packed, example, gradients).mean_loss();
  CHECK(without != loss);

  // A unit whose output is scaled to nothing is one that is missing.
  const ConstMatrixMap inputs(example.inputs.data(), example.inputs.rows(), example.inputs.cols());
  std::vector<float> copy = parameters;
  const BatchResult scaled =
      model.with_scaled_units({missing}, 0)->network(samples)->evaluate(copy, {inputs, example.labels});
  CHECK(scaled.mean_loss() == Approx(without).epsilon(1e-6));
  CHECK(model.with_scaled_units({missing}, 1)
            ->network(samples)
            ->evaluate(copy, {inputs, example.labels})
            .mean_loss() == Approx(loss).epsilon(1e-6));
}

TEST_CASE("residual networks are described with care", "[resnet]") {
  const DataDescription data{.name = "images",
                             .shape = {1, 8, 8},
                             .classes = 3,
                             .train_samples = 10,
                             .test_samples = 10,
                             .nonzeros_per_sample = {}};
  const auto refused = [&](nlohmann::json options) {
    options.update({{"kind", "resnet"},
                    {"block", "basic"},
                    {"pre_activation", true},
                    {"convolution", "fastest"},
                    {"statistics", "batch"},
                    {"stem_kernel", 3},
                    {"stem_stride", 1},
                    {"hidden", nlohmann::json::array()},
                    {"stem_max_pool", options.value("stem_max_pool", false)}});
    CHECK_THROWS_AS(make_model(options, data), InputError);
  };
  refused(nlohmann::json::object());
  refused({{"name", "resnet20"}, {"widths", {16, 32, 64}}});
  refused({{"sections", {1, 1}}, {"widths", {16}}});
  refused({{"sections", {1, 1, 1, 1, 1}}, {"widths", {8, 8, 8, 8, 8}}});
  refused({{"sections", {1, 1, 1, 1}}, {"widths", {8, 8, 8, 8}}, {"stem_max_pool", true}});
}

}  // namespace resnet_test
