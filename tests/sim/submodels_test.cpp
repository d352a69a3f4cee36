// Federated training of parts of a model, and IST of channels: with everything it is federated averaging, in
// disjoint parts IST; written out in loops; bytes, FLOPs and memory by arithmetic.

#include <set>

#include "models/partition/neurons.hpp"
#include "models/partition/units.hpp"
#include "models/trainer.hpp"
#include "tests/sim/runs.hpp"

using namespace isthmus;
using namespace isthmus::testing;
using Catch::Matchers::Contains;

namespace submodels_test {
namespace {

const json mlp = {{"kind", "mlp"}, {"hidden", {8, 12}}, {"statistics", "batch"}};
const json cnn = {{"kind", "cnn"},
                  {"convolutions", {{{"channels", 5}, {"pool", 2}}, {{"channels", 9}}}},
                  {"hidden", {7}},
                  {"batch_norm", true}};
const json resnet = {{"kind", "resnet"}, {"sections", {1, 1}}, {"widths", {6, 8}}};

json scenario_of(const json& protocol, const json& model, const json& changes = json::object()) {
  json all = {{"numerics", "live"},
              {"platform", {{"workers", 4}}},
              {"model", model},
              {"training", {{"rounds", 3}, {"batch", 6}}},
              {"protocol", protocol}};
  if (model != mlp) all["data"] = {{"dimensions", nullptr}, {"shape", {1, 8, 8}}};
  all.merge_patch(changes);
  return scenario_with(all);
}

std::vector<double> test_losses(const json& scenario) {
  const auto values = column(complete_scenario(scenario), "test_loss");
  REQUIRE(values.size() == 3);
  return values;
}

json with(json protocol, const json& more) {
  protocol.update(more);
  return protocol;
}

/// By the rules of the papers: which neurons of a hidden layer a client has in a round (from 0).
using Rule = std::function<std::set<Index>(Index size, int client, long round)>;

/// The parameters of a network whose hidden axes are cut by a rule: of each entry whether it is there.
std::vector<bool> mask_of(const ParameterLayout& layout, const Rule& rule, int client, long round) {
  std::vector<bool> there(layout.size());
  const auto has = [&](int axis, Index index) {
    const LayoutAxis& of = layout.axes()[static_cast<std::size_t>(axis)];
    return of.kind == AxisKind::fixed || rule(of.size, client, round).contains(index);
  };
  for (const ParameterBlock& block : layout.blocks()) {
    for (Index row = 0; row < block.rows; ++row)
      for (Index column = 0; column < block.columns; ++column)
        there[block.offset + static_cast<std::size_t>(row * block.columns + column)] =
            has(block.row_axis, row) && has(block.column_axis, column / block.per_column);
  }
  return there;
}

}  // namespace

TEST_CASE("sub-models: clients that have everything do federated averaging") {
  const json steps = {{"local_steps", 2}, {"clients", 3}};
  const json uneven = {{"data", {{"split", "by_label"}, {"alpha", 1}}}};
  for (const json& model : {mlp, cnn, resnet}) {
    for (const char* weights : {"equal", "samples"}) {
      const json common = with(steps, {{"weights", weights}});
      const auto expected = test_losses(scenario_of(with(common, {{"kind", "fedavg"}}), model, uneven));
      const auto check = [&](const json& protocol) {
        INFO(protocol.dump());
        const auto found = test_losses(scenario_of(with(common, protocol), model, uneven));
        REQUIRE(found.size() == expected.size());
        // Weights are divided by at another place where they are not all 1.
        const double margin = weights == std::string("equal") ? 0 : 1e-5;
        for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i] == Approx(expected[i]).epsilon(margin));
      };
      const json channels = {{"axes", {"neurons", "channels"}}};
      check(with({{"kind", "federated_dropout"}, {"keep", 1}}, channels));
      check({{"kind", "heterofl"}, {"widths", {1}}});
      check({{"kind", "fedrolex"}, {"widths", {1}}});
      check({{"kind", "fjord"}, {"widths", {1}}});
    }
  }
}

TEST_CASE("sub-models: disjoint ones are independent subnet training, to the bit") {
  const json axes = {"neurons", "channels"};
  for (const json& model : {mlp, cnn, resnet}) {
    const json ist = {{"kind", "ist"}, {"local_steps", 2}, {"axes", axes}};
    const json dropout = {
        {"kind", "federated_dropout"}, {"local_steps", 2}, {"disjoint", true}, {"axes", axes}};
    CHECK(test_losses(scenario_of(dropout, model)) == test_losses(scenario_of(ist, model)));
  }
}

TEST_CASE("sub-models: first neurons and channels, and moving ones, written out here") {
  constexpr long steps = 2, rounds = 3;
  constexpr int workers = 4;
  constexpr float rate = 0.1F;
  const std::vector<double> widths = {1, 0.5, 0.3};
  const auto count = [&](Index size, int client) {
    const double width = widths[static_cast<std::size_t>(client) % widths.size()];
    return static_cast<Index>(std::ceil(width * static_cast<double>(size) - 1e-9));
  };
  const Rule first = [&](Index size, int client, long) {
    std::set<Index> chosen;
    for (Index i = 0; i < count(size, client); ++i) chosen.insert(i);
    return chosen;
  };
  const Rule rolling = [&](Index size, int client, long round) {
    std::set<Index> chosen;
    for (Index i = 0; i < count(size, client); ++i) chosen.insert((round + i) % size);
    return chosen;
  };
  struct Case {
    json scenario;
    bool moves;
    std::vector<double> found;
  };
  std::vector<Case> cases;  // simulated first: no child of ours comes after convolutions here
  for (const json& model : {mlp, cnn}) {
    for (const bool moves : {false, true}) {
      const json scenario = scenario_of({{"kind", moves ? "fedrolex" : "heterofl"},
                                         {"widths", widths},
                                         {"local_steps", steps},
                                         {"weights", "samples"}},
                                        model, {{"data", {{"split", "by_label"}, {"alpha", 1}}}});
      cases.push_back({scenario, moves, test_losses(scenario)});
    }
  }
  for (const auto& [scenario, moves, found] : cases) {
    const Prepared prepared(scenario);
    const Job& job = prepared.job;
    const ParameterLayout& layout = job.model().layout();
    // Clients train the whole model, whose other parameters are zero, with the gradients of their own.
    // (A batch norm of zeros is its shift, zero, too.)
    std::vector<Trainer> trainers;
    for (int rank = 0; rank < workers; ++rank) {
      trainers.emplace_back(job.dataset(), job.batches(rank), job.training(), job.total_steps());
      trainers.back().set_model(job.model());
    }
    std::vector<double> x(job.initial_parameters().begin(), job.initial_parameters().end());
    for (long round = 0; round < rounds; ++round) {
      std::vector<double> sums(x.size()), weights(x.size());
      for (int rank = 0; rank < workers; ++rank) {
        const std::vector<bool> mine = mask_of(layout, moves ? rolling : first, rank, round);
        Trainer& trainer = trainers[static_cast<std::size_t>(rank)];
        std::vector<double> y(x.size());
        for (std::size_t k = 0; k < y.size(); ++k) y[k] = mine[k] ? x[k] : 0;
        for (long step = 0; step < steps; ++step) {
          std::copy(y.begin(), y.end(), trainer.parameters().data());
          trainer.compute_gradient();
          for (std::size_t k = 0; k < y.size(); ++k)
            y[k] -= mine[k] ? rate * trainer.gradients().data()[k] : 0;
        }
        const auto weight = static_cast<double>(job.samples_of(rank));
        for (std::size_t k = 0; k < y.size(); ++k) {
          sums[k] += mine[k] ? weight * y[k] : 0;
          weights[k] += mine[k] ? weight : 0;
        }
      }
      for (std::size_t k = 0; k < x.size(); ++k) {
        if (weights[k] > 0) x[k] = sums[k] / weights[k];
      }
      const std::vector<float> parameters(x.begin(), x.end());
      const double loss = evaluate(job.model(), parameters, job.dataset(), 1000).mean_loss();
      CHECK(found[static_cast<std::size_t>(round)] == Approx(loss).epsilon(2e-4));
    }
  }
}

TEST_CASE("sub-models: of one width, FjORD is HeteroFL") {
  const json steps = {{"local_steps", 3}, {"widths", {0.5}}, {"weights", "equal"}};
  for (const json& model : {mlp, cnn})
    CHECK(test_losses(scenario_of(with(steps, {{"kind", "fjord"}}), model)) ==
          test_losses(scenario_of(with(steps, {{"kind", "heterofl"}}), model)));
}

TEST_CASE("sub-models: a part's bytes, work and memory are its own") {
  // Of 8 and 12 neurons a half: 4 and 6; 12 inputs, 4 classes; batch norms of the hidden layers.
  const std::uint64_t whole = 12 * 8 + 2 * 8 + 8 * 12 + 2 * 12 + 12 * 4,
                      half = 12 * 4 + 2 * 4 + 4 * 6 + 2 * 6 + 6 * 4;
  const json run =
      complete_scenario(scenario_of({{"kind", "heterofl"}, {"widths", {1, 0.5}}, {"local_steps", 2}}, mlp));
  const json& workers = run["workers"];
  for (const std::size_t rank : {0U, 1U, 2U, 3U}) {
    const std::uint64_t part = rank % 2 == 0 ? whole : half;
    CHECK(workers[rank]["bytes_sent"] == 3 * 4 * part);
    CHECK(workers[rank]["bytes_received"] == 3 * (8 + 4 * part));
    CHECK(workers[rank]["memory"]["parameters"] == 4 * part);
  }
  // Two thirds of one convolution's channels, all of the others: the multiply-adds that touch them.
  const auto flops = [](double width) {
    const json one = complete_scenario(
        scenario_of({{"kind", "heterofl"}, {"widths", {width}}, {"local_steps", 1}, {"axes", {"conv1"}}},
                    {{"kind", "cnn"}, {"convolutions", {{{"channels", 6}}, {{"channels", 5}}}}},
                    {{"numerics", "costs"}, {"training", {{"rounds", 1}}}}));
    return one["workers"][0]["flops"].get<double>();
  };
  // 64 pixels, 9 weights each way: forward and weight gradient of the first, all three of the second; biases
  // (forward, and their gradient) and ReLU; the optimizer's four a parameter.
  const double per_channel = 6 * 64 * (2 * 2 * 9.0 + 3 * 2 * 9 * 5 + 2 + 2);
  const double removed = flops(1) - flops(2.0 / 3);
  CHECK(removed >= 2 * per_channel);
  CHECK(removed <= 2 * (per_channel + 4 * (9 + 1 + 45)));
}

TEST_CASE("ResIST deals hidden neurons besides blocks, by peers as by a server") {
  const json model = {{"kind", "resnet"}, {"sections", {1, 4}}, {"widths", {6, 8}}, {"hidden", {10}}};
  const json resist = {{"kind", "resist"},
                       {"local_steps", 2},
                       {"partition_sections", {2}},
                       {"axes", {"neurons"}},
                       {"scale_at_test", false}};
  const json by_server = scenario_of(with(resist, {{"exchange", "server"}}), model);
  const auto peers = test_losses(scenario_of(resist, model)), server = test_losses(by_server);
  for (std::size_t i = 0; i < peers.size(); ++i) CHECK(peers[i] == Approx(server[i]).epsilon(1e-4));
  CHECK(peers != test_losses(scenario_of(with(resist, {{"axes", json::array()}}), model)));

  // A worker's part: its units, of the head its neurons, and all else.
  const Prepared prepared(by_server);
  const ParameterLayout& layout = prepared.job.model().layout();
  const AxisSet neurons = axes_of(layout, AxisKind::neurons);
  std::uint64_t sent = 0;
  for (std::uint64_t round = 1; round <= 3; ++round) {
    const Partition units = draw_units(layout, 4, {.sections = {2}}, 1, round),
                    heads = draw_neurons(layout, neurons, 4, NeuronDeal::uniform, 1, round);
    for (int worker = 1; worker < 4; ++worker)
      sent += 2 * 4 * intersection(units.part(worker), heads.part(worker)).size();
  }
  CHECK(total(complete_scenario(by_server), "bytes_sent") == sent);
}

TEST_CASE("sub-models: what does not fit is refused") {
  const auto refusal = [](const json& protocol, const json& model, const json& changes = json::object()) {
    return input_error_of(
        [&] { plan_study(ScenarioDocument(scenario_of(protocol, model, changes)), source_file(".")); });
  };
  const json steps = {{"local_steps", 2}};
  CHECK(refusal(with(steps, {{"kind", "ist"}, {"axes", {"hidden3"}}}), mlp) ==
        "/protocol/axes/0: found \"hidden3\"; the model has hidden1 (neurons), hidden2 (neurons)");
  CHECK(
      refusal(with(steps, {{"kind", "ist"}}), resnet) ==
      "/model: has no neurons that ist could deal out (see \"axes\" in the protocol); it has stem (streams), "
      "section1.block1.channels1 (channels), section2 (streams), section2.block1.channels1 (channels)");
  CHECK(refusal(with(steps, {{"kind", "federated_dropout"}, {"disjoint", true}}), mlp,
                {{"model", {{"hidden", {3}}}}}) ==
        "/model: hidden1 has 3 neurons, too few for federated_dropout on 4 clients at work: each needs at "
        "least one");
  CHECK(refusal({{"kind", "resist"}, {"partition_sections", {1}}, {"axes", {"neurons"}}},
                {{"kind", "resnet"}, {"sections", {2, 1}}, {"widths", {6, 8}}, {"hidden", {9, 9}}}) ==
        "/protocol/axes: nobody would have all of hidden2.weight in a round, and workers hand on only what "
        "they have; allowed with \"exchange\": \"server\"");
  CHECK_THAT(refusal(with(steps, {{"kind", "fjord"}}), mlp, {{"training", {{"momentum", 0.9}}}}),
             Contains("/training/optimizer: remembers something"));
  CHECK_THAT(refusal(with(steps, {{"kind", "heterofl"}}), mlp, {{"training", {{"optimizer_state", "keep"}}}}),
             Contains("/training/optimizer_state"));
}

TEST_CASE("IST: in tests dealt channels count by a worker's share, if asked to") {
  // A network of one worker has everything; of four, each block's second convolution counts for a quarter.
  const json ist = {{"kind", "ist"}, {"local_steps", 2}, {"axes", {"channels"}}, {"scale_at_test", true}};
  const json scenario = scenario_of(ist, resnet);
  const Prepared prepared(scenario);
  const ParameterLayout& layout = prepared.job.model().layout();
  std::vector<float> parameters(layout.size(), 1), expected = parameters;
  scale_readers(layout, axes_of(layout, AxisKind::channels), 0.25F, parameters);
  for (const ParameterBlock& block : layout.blocks()) {
    if (!block.name.ends_with("conv2.weight")) continue;
    std::fill_n(expected.begin() + static_cast<std::ptrdiff_t>(block.offset), block.size(), 0.25F);
  }
  CHECK(parameters == expected);
  const auto scaled = test_losses(scenario),
             whole = test_losses(scenario_of(with(ist, {{"scale_at_test", false}}), resnet));
  CHECK(scaled != whole);
  json alone = {{"platform", {{"workers", 1}}}};
  CHECK(test_losses(scenario_of(ist, resnet, alone)) ==
        test_losses(scenario_of(with(ist, {{"scale_at_test", false}}), resnet, alone)));
}

TEST_CASE("sub-models: widths that rounds draw are drawn without favour") {
  const json run = complete_scenario(scenario_of(
      {{"kind", "heterofl"}, {"widths", {1, 0.5}}, {"widths_of", "rounds"}, {"local_steps", 1}}, mlp,
      {{"numerics", "costs"}, {"training", {{"rounds", 60}, {"evaluate_every_rounds", 60}}}}));
  const double whole = 280 * 4.0, half = 116 * 4.0;
  for (const std::size_t rank : {0U, 1U, 2U, 3U}) {
    const double mean = run["workers"][rank]["bytes_sent"].get<double>() / 60;
    const double share = (mean - half) / (whole - half);
    CHECK(share > 0.3);
    CHECK(share < 0.7);
  }
}

}  // namespace submodels_test
