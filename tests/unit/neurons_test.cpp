// IST's partition of neurons, the homes of the sharded exchange, and the subnets that follow.

#include "models/partition/neurons.hpp"

#include <catch2/catch.hpp>
#include <numeric>
#include <set>

#include "models/mlp.hpp"
#include "tests/unit/reference.hpp"

using namespace isthmus;

namespace neurons_test {
namespace {

Mlp mlp(std::vector<Index> hidden, bool bias = false, BatchStatistics statistics = BatchStatistics::batch) {
  return Mlp(9, {.hidden = std::move(hidden), .classes = 4, .bias = bias, .statistics = statistics}, 40);
}

/// How often each parameter of the layout is chosen.
std::vector<int> cover(const std::vector<Selection>& parts, const ParameterLayout& layout) {
  std::vector<int> times(layout.size());
  for (const Selection& part : parts) {
    for (const BlockSelection& chosen : part.blocks()) {
      const ParameterBlock& block = layout.blocks()[chosen.block];
      for (Index i = 0; i < chosen.rows.size(); ++i) {
        for (Index j = 0; j < chosen.columns.size(); ++j) {
          ++times[block.offset +
                  static_cast<std::size_t>(chosen.rows[i] * block.columns + chosen.columns[j])];
        }
      }
    }
  }
  return times;
}

std::vector<Selection> parts_of(const Partition& partition) {
  std::vector<Selection> parts;
  for (int worker = 0; worker < partition.workers(); ++worker) parts.push_back(partition.part(worker));
  return parts;
}

/// A worker's neurons of a hidden layer (1, 2, ...).
std::vector<Index> neurons_of(const Selection& part, const ParameterLayout& layout, int hidden) {
  const auto* chosen = part.find(layout.index_of("hidden" + std::to_string(hidden) + ".weight"));
  std::vector<Index> neurons;
  for (Index i = 0; chosen && i < chosen->rows.size(); ++i) neurons.push_back(chosen->rows[i]);
  return neurons;
}

}  // namespace

TEST_CASE("Every hidden layer's neurons are dealt to exactly one worker each, evenly", "[neurons]") {
  const auto deal = GENERATE(NeuronDeal::uniform, NeuronDeal::stratified);
  const auto [workers, hidden] = GENERATE(table<int, std::vector<Index>>({{1, {5}},
                                                                          {1, {6, 7, 8}},
                                                                          {2, {5}},
                                                                          {2, {16, 8}},
                                                                          {3, {10, 11, 12}},
                                                                          {4, {33, 18}},
                                                                          {5, {5, 5}},
                                                                          {7, {7, 50}},
                                                                          {8, {64, 61}},
                                                                          {16, {100, 17}}}));
  CAPTURE(deal == NeuronDeal::uniform, workers, hidden);
  const Mlp model = mlp(hidden, true, BatchStatistics::running);
  const ParameterLayout& layout = model.layout();
  const Partition partition = draw_neurons(layout, axes_of(layout, AxisKind::neurons), workers, deal, 1, 2);
  REQUIRE(partition.workers() == workers);
  for (std::size_t layer = 0; layer < hidden.size(); ++layer) {
    std::vector<int> times(static_cast<std::size_t>(hidden[layer]));
    for (int worker = 0; worker < workers; ++worker) {
      const auto neurons = neurons_of(partition.part(worker), layout, static_cast<int>(layer) + 1);
      const auto size = static_cast<Index>(neurons.size());
      CHECK((size == hidden[layer] / workers || size == (hidden[layer] + workers - 1) / workers));
      CHECK(std::is_sorted(neurons.begin(), neurons.end()));
      for (const Index neuron : neurons) ++times[static_cast<std::size_t>(neuron)];
    }
    CHECK(times == std::vector<int>(times.size(), 1));
  }
  // A parameter belongs to a worker iff all its neurons do: what touches one layer of neurons is covered
  // once, hidden to hidden at most once, and what touches none (the output's bias and statistics) by all.
  const auto times = cover(parts_of(partition), layout);
  for (const ParameterBlock& block : layout.blocks()) {
    CAPTURE(block.name);
    const bool between =
        block.name.starts_with("hidden") && block.name.ends_with(".weight") && block.name[6] != '1';
    const bool of_all = block.name == "output.bias" || block.name.starts_with("output.norm");
    for (std::size_t i = block.offset; i < block.offset + block.size(); ++i) {
      if (between) {
        REQUIRE(times[i] <= 1);
      } else {
        REQUIRE(times[i] == (of_all ? workers : 1));
      }
    }
    const auto sharers = partition.sharers(layout.index_of(block.name)).size();
    CHECK(sharers == (of_all ? static_cast<std::size_t>(workers) : 0));
  }
}

TEST_CASE("A stratified deal gives each worker an equal share of every home", "[neurons]") {
  const auto [workers, width] =
      GENERATE(table<int, Index>({{2, 8}, {3, 18}, {4, 64}, {4, 35}, {5, 29}, {8, 64}}));
  CAPTURE(workers, width);
  const Mlp model = mlp({width});
  const Partition partition = draw_neurons(model.layout(), axes_of(model.layout(), AxisKind::neurons),
                                           workers, NeuronDeal::stratified, 3, 1);
  const auto homes = neuron_homes(model.layout(), axes_of(model.layout(), AxisKind::neurons), workers);
  for (int home = 0; home < workers; ++home) {
    const auto resident = neurons_of(homes[static_cast<std::size_t>(home)], model.layout(), 1);
    const std::set<Index> at_home(resident.begin(), resident.end());
    const auto share = static_cast<Index>(at_home.size()) / workers;
    for (int worker = 0; worker < workers; ++worker) {
      Index from_home = 0;
      for (const Index neuron : neurons_of(partition.part(worker), model.layout(), 1)) {
        from_home += at_home.contains(neuron) ? 1 : 0;
      }
      CHECK((from_home == share || from_home == share + 1));
      if (width % (Index{workers} * workers) == 0) CHECK(from_home == share);
    }
  }
}

TEST_CASE("Any neuron comes to any worker equally often, and independently of its neighbours", "[neurons]") {
  const auto deal = GENERATE(NeuronDeal::uniform, NeuronDeal::stratified);
  constexpr int workers = 4, width = 16, rounds = 4000;
  const Mlp model = mlp({width, width});
  std::vector<std::vector<int>> first(width, std::vector<int>(workers));
  int same_worker_as_next = 0, same_worker_across_layers = 0;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    const Partition partition =
        draw_neurons(model.layout(), axes_of(model.layout(), AxisKind::neurons), workers, deal, 5, round);
    std::vector<int> owner(width), owner_above(width);
    for (int worker = 0; worker < workers; ++worker) {
      for (const Index i : neurons_of(partition.part(worker), model.layout(), 1)) {
        owner[static_cast<std::size_t>(i)] = worker;
        ++first[static_cast<std::size_t>(i)][static_cast<std::size_t>(worker)];
      }
      for (const Index i : neurons_of(partition.part(worker), model.layout(), 2)) {
        owner_above[static_cast<std::size_t>(i)] = worker;
      }
    }
    same_worker_as_next += owner[3] == owner[4] ? 1 : 0;  // of two homes when stratified
    same_worker_across_layers += owner[7] == owner_above[7] ? 1 : 0;
  }
  // Each count is binomial, mean 1000, deviation 27: five of them.
  for (const auto& counts : first) {
    for (const int count : counts) CHECK(std::abs(count - rounds / workers) < 137);
  }
  // Uniform: two neurons meet with 3/15; stratified, from different homes, with 1/4.
  const double expected = deal == NeuronDeal::uniform ? rounds * 3.0 / 15 : rounds / 4.0;
  CHECK(std::abs(same_worker_as_next - expected) < 137);
  CHECK(std::abs(same_worker_across_layers - rounds / workers) < 137);
}

TEST_CASE("The same seed and round draw the same partition, others draw others", "[neurons]") {
  const Mlp model = mlp({40, 40});
  const auto drawn = [&](std::uint64_t seed, std::uint64_t round, int layer = 1) {
    const Partition partition = draw_neurons(model.layout(), axes_of(model.layout(), AxisKind::neurons), 4,
                                             NeuronDeal::uniform, seed, round);
    return neurons_of(partition.part(0), model.layout(), layer);
  };
  CHECK(drawn(1, 1) == drawn(1, 1));
  CHECK(drawn(1, 1) != drawn(1, 2));
  CHECK(drawn(1, 1) != drawn(2, 1));
  CHECK(drawn(1, 1, 1) != drawn(1, 1, 2));
}

TEST_CASE("Homes hold every parameter exactly once, evenly", "[neurons]") {
  const int workers = GENERATE(1, 2, 3, 4, 8);
  const Mlp model = mlp({10, 23}, true, BatchStatistics::running);
  const auto homes = neuron_homes(model.layout(), axes_of(model.layout(), AxisKind::neurons), workers);
  REQUIRE(homes.size() == static_cast<std::size_t>(workers));
  CHECK(cover(homes, model.layout()) == std::vector<int>(model.layout().size(), 1));
  for (const auto& home : homes) {
    const auto neurons = static_cast<Index>(neurons_of(home, model.layout(), 1).size());
    CHECK((neurons == 10 / workers || neurons == 10 / workers + 1));
    // The output layer's columns live with their neurons of the last hidden layer.
    const auto* output = home.find(model.layout().index_of("output.weight"));
    REQUIRE(output != nullptr);
    CHECK(output->rows.size() == 4);
    CHECK(output->columns.size() == static_cast<Index>(neurons_of(home, model.layout(), 2).size()));
  }
}

TEST_CASE("A subnet's parameters are its part of the whole, in the same order", "[neurons][subnet]") {
  const auto [workers, hidden] = GENERATE(
      table<int, std::vector<Index>>({{1, {6, 5}}, {2, {7}}, {2, {8, 6}}, {3, {10, 7, 5}}, {4, {4, 9}}}));
  const auto deal = GENERATE(NeuronDeal::uniform, NeuronDeal::stratified);
  CAPTURE(workers, hidden);
  const Mlp model = mlp(hidden, true, BatchStatistics::running);
  const ParameterLayout& layout = model.layout();
  const Partition partition = draw_neurons(layout, axes_of(layout, AxisKind::neurons), workers, deal, 1, 1);
  std::vector<float> whole(layout.size());
  std::iota(whole.begin(), whole.end(), 0.0f);
  for (int worker = 0; worker < workers; ++worker) {
    const Selection& part = partition.part(worker);
    const auto subnet = model.subnet(part);
    REQUIRE(subnet->layout().size() == part.size());
    std::vector<float> packed(part.size());
    Transfer(part, Selection::everything(layout)).gather(whole, packed);
    for (const ParameterBlock& block : subnet->layout().blocks()) {
      const ParameterBlock& origin = layout.block(block.name);
      const BlockSelection& chosen = *part.find(layout.index_of(block.name));
      CAPTURE(block.name);
      REQUIRE(block.trainable == origin.trainable);
      const auto values = as_matrix(ConstValues(packed), block),
                 source = as_matrix(ConstValues(whole), origin);
      REQUIRE(values.rows() == chosen.rows.size());
      REQUIRE(values.cols() == chosen.columns.size());
      for (Index i = 0; i < values.rows(); ++i) {
        for (Index j = 0; j < values.cols(); ++j)
          REQUIRE(values(i, j) == source(chosen.rows[i], chosen.columns[j]));
      }
    }
  }
  if (workers == 1) {
    CHECK(model.subnet(partition.part(0))->layout() == layout);
    CHECK(cover({partition.part(0)}, layout) == std::vector<int>(layout.size(), 1));
  }
}

TEST_CASE("Subnets have the closed form's size", "[neurons][subnet]") {
  // P_sub = (D H1 + sum Hi Hi+1 / n + HL C + 2 sum Hi) / n, for widths that divide.
  const auto [workers, inputs, hidden, classes] =
      GENERATE(table<int, Index, std::vector<Index>, Index>({{2, 784, {512, 512}, 10},
                                                             {4, 784, {512, 512}, 10},
                                                             {8, 4096, {4096}, 35},
                                                             {4, 100, {64, 32, 16}, 7}}));
  const Mlp model(inputs, {.hidden = hidden, .classes = classes}, 0);
  Index between = 0, neurons = hidden.back();
  for (std::size_t i = 0; i + 1 < hidden.size(); ++i) {
    between += hidden[i] * hidden[i + 1];
    neurons += hidden[i];
  }
  const Index expected =
      (inputs * hidden.front() + between / workers + hidden.back() * classes + 2 * neurons) / workers;
  for (const auto deal : {NeuronDeal::uniform, NeuronDeal::stratified}) {
    const Partition partition =
        draw_neurons(model.layout(), axes_of(model.layout(), AxisKind::neurons), workers, deal, 1, 1);
    for (int worker = 0; worker < workers; ++worker) {
      CHECK(partition.part(worker).size() == static_cast<std::size_t>(expected));
      CHECK(model.subnet(partition.part(worker))->layout().size() == static_cast<std::size_t>(expected));
    }
  }
}

TEST_CASE("Shares of neurons: whole numbers as near as they can be, none below one", "[neurons]") {
  using Counts = std::vector<Index>;
  CHECK(neuron_counts(10, {1, 1, 1, 1}) == Counts{3, 3, 2, 2});
  CHECK(neuron_counts(12, {3, 2, 1}) == Counts{6, 4, 2});
  CHECK(neuron_counts(12, {0.3, 0.2, 0.1}) == Counts{6, 4, 2});
  CHECK(neuron_counts(10, {98, 1, 1}) == Counts{8, 1, 1});
  CHECK(neuron_counts(3, {10, 1, 1}) == Counts{1, 1, 1});
  CHECK(neuron_counts(5, {1}) == Counts{5});
  Random random(5);
  for (int time = 0; time < 200; ++time) {
    std::vector<double> shares(1 + random() % 9);
    for (double& share : shares) share = 0.001 + static_cast<double>(random() % 1000);
    const Index size = static_cast<Index>(shares.size() + random() % 100);
    const Counts counts = neuron_counts(size, shares);
    CHECK(std::accumulate(counts.begin(), counts.end(), Index{0}) == size);
    const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
    const bool lifted = std::ranges::any_of(
        shares, [&](double share) { return share / sum * static_cast<double>(size) < 1; });
    for (std::size_t i = 0; i < counts.size(); ++i) {
      CHECK(counts[i] >= 1);
      if (!lifted)
        CHECK(std::abs(static_cast<double>(counts[i]) - shares[i] / sum * static_cast<double>(size)) < 1);
    }
  }
}

TEST_CASE("Unequal shares: every neuron is dealt to exactly one worker, to each as many as it is due",
          "[neurons]") {
  const auto deal = GENERATE(NeuronDeal::uniform, NeuronDeal::stratified);
  const Mlp model = mlp({23, 40}, true);
  const ParameterLayout& layout = model.layout();
  const std::vector<double> shares = {4, 1, 2, 1};
  const Partition partition = draw_neurons(layout, axes_of(layout, AxisKind::neurons), shares, deal, 1, 2);
  for (const int hidden : {1, 2}) {
    const Index size = hidden == 1 ? 23 : 40;
    std::set<Index> all;
    for (int worker = 0; worker < 4; ++worker) {
      const std::vector<Index> neurons = neurons_of(partition.part(worker), layout, hidden);
      CHECK(static_cast<Index>(neurons.size()) ==
            neuron_counts(size, shares)[static_cast<std::size_t>(worker)]);
      all.insert(neurons.begin(), neurons.end());
    }
    CHECK(static_cast<Index>(all.size()) == size);
  }
}

}  // namespace neurons_test
