// The cost profile against formulas written anew here, and against the memory that networks really take.

#include "models/costs.hpp"

#include <malloc.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "models/mlp.hpp"
#include "models/optimizer/optimizer.hpp"
#include "models/resnet.hpp"

using namespace isthmus;

namespace costs_test {
namespace {

constexpr double float_bytes = 4;

struct Expected {
  double parameters = 0, statistics = 0, multiply_adds = 0, forward = 0, backward = 0, activations = 0,
         workspace = 0;
};

/// Counted by hand for an MLP with D inputs (of which `entries` non-zero) and layers of the widths given.
/// Linear: 2 per multiply-add forward; backward as much again for the weights' gradient and, but for the
/// first layer, for the input's; a bias 1 per output forward (addition) and backward (sum). Batch norm 6 and
/// 9 per element, ReLU 1 and 1, softmax 5 per logit.
Expected by_hand(Index features, const DenseOptions& o, double batch, double sample_bytes) {
  Expected e;
  std::vector<double> widths(o.hidden.begin(), o.hidden.end());
  widths.push_back(static_cast<double>(o.classes));
  double inputs = static_cast<double>(features), widest = 0;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    const double outputs = widths[i];
    const bool last = i + 1 == widths.size(), norm = last ? o.output_batch_norm : o.batch_norm;
    const double entries = i == 0 && o.nonzeros ? static_cast<double>(*o.nonzeros) : inputs;
    e.parameters += inputs * outputs + (o.bias ? outputs : 0) + (norm && !last ? 2 * outputs : 0);
    e.statistics += norm && o.statistics == BatchStatistics::running ? 2 * outputs : 0;
    e.multiply_adds += batch * entries * outputs;
    e.forward += batch * outputs * (2 * entries + (o.bias ? 1 : 0) + (norm ? 6 : 0) + (last ? 0 : 1));
    e.backward +=
        batch * outputs * ((i == 0 ? 2 : 4) * entries + (o.bias ? 1 : 0) + (norm ? 9 : 0) + (last ? 0 : 1));
    // Kept: what the linear layer and what follows it wrote, and three numbers a normalised feature.
    e.activations += float_bytes * outputs * (batch + (norm || !last ? batch : 0) + (norm ? 3 : 0));
    e.workspace += float_bytes * outputs * (norm ? 4 : 0);
    widest = std::max(widest, outputs);
    inputs = outputs;
  }
  e.forward += 5 * batch * static_cast<double>(o.classes);
  e.activations += batch * sample_bytes;
  return e;
}

void check_costs(Index inputs, const DenseOptions& options, int batch, std::size_t sample_bytes) {
  const CostProfile costs = Mlp(inputs, options, sample_bytes).costs(batch);
  const Expected expected = by_hand(inputs, options, batch, static_cast<double>(sample_bytes));
  CHECK(static_cast<double>(costs.parameters) == expected.parameters);
  CHECK(static_cast<double>(costs.statistics) == expected.statistics);
  CHECK(costs.forward_multiply_adds == expected.multiply_adds);
  CHECK(costs.forward_flops() == expected.forward);
  CHECK(costs.backward_flops() == expected.backward);
  CHECK(costs.gradient_flops() == expected.forward + expected.backward);
  CHECK(static_cast<double>(costs.activation_bytes) == expected.activations);
  // Besides, two buffers of activation gradients, each as wide as the layers that use it in turn.
  double even = 0, odd = 0;
  for (std::size_t i = 0; i <= options.hidden.size(); ++i) {
    const auto width =
        static_cast<double>(i == 0 ? options.classes : options.hidden[options.hidden.size() - i]);
    (i % 2 == 0 ? even : odd) = std::max(i % 2 == 0 ? even : odd, width);
  }
  CHECK(static_cast<double>(costs.workspace_bytes) ==
        expected.workspace + float_bytes * batch * (even + odd));
}

/// Bytes that malloc has given out.
std::size_t bytes_in_use() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

}  // namespace

TEST_CASE("Costs of MLPs as counted by hand", "[costs]") {
  const bool norm = GENERATE(true, false), output_norm = GENERATE(true, false), bias = GENERATE(true, false);
  const auto statistics = GENERATE(BatchStatistics::batch, BatchStatistics::running);
  const auto hidden = GENERATE(std::vector<Index>{}, std::vector<Index>{20}, std::vector<Index>{30, 7, 19});
  CAPTURE(norm, output_norm, bias, hidden);
  check_costs(11,
              {.hidden = hidden,
               .classes = 5,
               .batch_norm = norm,
               .output_batch_norm = output_norm,
               .bias = bias,
               .statistics = statistics},
              13, 48);
}

TEST_CASE("Costs of the papers' models", "[costs]") {
  const int batch = GENERATE(1, 128);
  check_costs(784, {.hidden = {512, 512}, .classes = 10}, batch, 784 * 4 + 4);
  check_costs(4096, {.hidden = {4096}, .classes = 35}, batch, 4096 * 4 + 4);
  check_costs(4096, {.hidden = {8192, 8192}, .classes = 35}, batch, 4096 * 4 + 4);
  check_costs(135909, {.hidden = {2560}, .classes = 670091, .nonzeros = 76}, batch, 76 * 8 + 4);
}

TEST_CASE("Some of these costs as plain numbers", "[costs]") {
  const CostProfile fashion = Mlp(784, {.hidden = {512, 512}, .classes = 10}, 3140).costs(128);
  CHECK(fashion.parameters == 784 * 512 + 512 * 512 + 512 * 10 + 4 * 512);
  CHECK(fashion.statistics == 0);
  CHECK(fashion.forward_multiply_adds == 128.0 * (784 * 512 + 512 * 512 + 512 * 10));
  CHECK(fashion.activation_bytes == 128 * 3140 + 4 * (128 * (4 * 512 + 2 * 10) + 3 * (2 * 512 + 10)));

  const CostProfile amazon =
      Mlp(135909, {.hidden = {1024}, .classes = 670091, .nonzeros = 76}, 612).costs(128);
  CHECK(amazon.parameters == 1024ULL * (135909 + 670091 + 2));
  CHECK(amazon.forward_multiply_adds == 128.0 * 1024 * (76 + 670091));
}

TEST_CASE("Costs follow from the description: nothing of a model's size is allocated", "[costs]") {
  // 8e12 parameters: 32 TB that no machine has.
  const DenseOptions options{.hidden = {10000000}, .classes = 670091, .nonzeros = 76};
  const CostProfile costs = Mlp(135909, options, 612).costs(1000);
  CHECK(costs.parameters == 10000000ULL * (135909 + 670091 + 2));
  check_costs(135909, options, 1000, 612);
}

TEST_CASE("A network takes the memory that its cost profile says", "[costs]") {
  const auto options =
      GENERATE(DenseOptions{.hidden = {400, 500}, .classes = 50},
               DenseOptions{.hidden = {700}, .classes = 900, .statistics = BatchStatistics::running},
               DenseOptions{.hidden = {600, 200, 400},
                            .classes = 10,
                            .batch_norm = false,
                            .output_batch_norm = false,
                            .bias = true});
  const std::size_t before_probe = bytes_in_use();
  const std::vector<char> probe(1 << 20);
  if (bytes_in_use() - before_probe < probe.size()) {
    WARN("This build's malloc does not count (a sanitizer's): not checked");
    return;
  }
  const int capacity = GENERATE(64, 1000);
  const Mlp model(300, options, 1204);
  const CostProfile costs = model.costs(capacity);
  const std::size_t before = bytes_in_use();
  const auto network = model.network(capacity);
  const auto taken = static_cast<double>(bytes_in_use() - before);
  // The input batch is the trainer's. Small pieces may come from what malloc keeps at hand, and so not count;
  // objects and the rounding of each buffer may take some pages more.
  const std::size_t input_bytes = static_cast<std::size_t>(capacity) * 1204;
  const auto said = static_cast<double>(costs.activation_bytes + costs.workspace_bytes - input_bytes);
  CAPTURE(taken, said, capacity);
  CHECK(taken > said - 8e3);
  // The outputs and the two gradients begin and end with huge pages once they are as large as one.
  const double huge_pages = capacity == 1000 ? 3 * 2 * double{2 << 20} : 0;
  CHECK(taken < said + 80e3 + huge_pages);
  CHECK(said > 500e3);
}

namespace {

/// The backward pass as steps: all of its FLOPs, and each trainable parameter once, from the last layer to
/// the first but for shortcuts.
void check_backward_steps(const Model& model, int batch) {
  double flops = 0;
  std::vector<int> times(model.layout().trainable_size());
  const std::vector<BackwardStep> steps = model.costs(batch).backward;
  for (const BackwardStep& step : steps) {
    flops += flops_of(step.work);
    for (std::size_t i = 0; i < step.parameters.size; ++i) ++times.at(step.parameters.offset + i);
  }
  CHECK(flops == model.costs(batch).backward_flops());
  CHECK(std::ranges::all_of(times, [](int each) { return each == 1; }));
  CHECK(steps.back().parameters.offset == 0);
}

}  // namespace

TEST_CASE("The steps of a backward pass take its FLOPs and know each gradient once", "[costs]") {
  check_backward_steps(Mlp(5, {.hidden = {}, .classes = 3}, 20), 4);
  check_backward_steps(Mlp(50, {.hidden = {60, 30, 20}, .classes = 10, .bias = true}, 204), 7);
  for (const bool bottleneck : {false, true}) {
    for (const bool pre_activation : {false, true}) {
      check_backward_steps(Resnet({.input = {3, 16, 16},
                                   .sections = {2, 1, 2},
                                   .widths = {4, 8, 12},
                                   .style = {.bottleneck = bottleneck, .pre_activation = pre_activation},
                                   .dense = {.hidden = {9}, .classes = 10}},
                                  3 * 16 * 16 + 4),
                           5);
    }
  }
}

}  // namespace costs_test
