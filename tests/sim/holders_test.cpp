// Parts of a model that overlap: independent subnet training and subnetwork data parallelism where several
// workers have each neuron or block. With everybody local SGD and data parallelism; written out in loops;
// bytes by arithmetic.

#include <set>

#include "models/partition/neurons.hpp"
#include "models/partition/units.hpp"
#include "models/trainer.hpp"
#include "tests/sim/runs.hpp"

using namespace isthmus;
using namespace isthmus::testing;
using Catch::Matchers::Contains;

namespace holders_test {
namespace {

const json mlp = {{"kind", "mlp"}, {"hidden", {8, 12}}};
const json wide = {{"kind", "mlp"}, {"hidden", {20}}, {"statistics", "running"}};
const json cnn = {{"kind", "cnn"},
                  {"convolutions", {{{"channels", 6}, {"pool", 2}}, {{"channels", 9}}}},
                  {"hidden", {8}},
                  {"batch_norm", true}};
const json resnet = {{"kind", "resnet"}, {"sections", {1, 1, 4}}, {"widths", {4, 4, 6}}};

json scenario_of(const json& protocol, const json& model, int workers, const json& changes = json::object()) {
  json all = {{"numerics", "live"},
              {"platform", {{"workers", workers}}},
              {"model", model},
              {"training", {{"rounds", 4}, {"batch", 6}, {"evaluate_every_rounds", 1}}},
              {"protocol", protocol}};
  if (model["kind"] != "mlp") all["data"] = {{"dimensions", nullptr}, {"shape", {1, 8, 8}}};
  all.merge_patch(changes);
  return scenario_with(all);
}

std::vector<double> test_losses(const json& scenario) {
  const auto values = column(complete_scenario(scenario), "test_loss");
  REQUIRE(values.size() >= 4);
  return values;
}

json sdp(const json& options) {
  json protocol = {{"kind", "subnet_data_parallel"}};
  protocol.update(options);
  return protocol;
}

/// Of each parameter whether it is chosen.
std::vector<bool> mask_of(const Selection& part, const ParameterLayout& layout) {
  std::vector<bool> there(layout.size());
  for (const BlockSelection& chosen : part.blocks()) {
    const ParameterBlock& block = layout.blocks()[chosen.block];
    for (Index i = 0; i < chosen.rows.size(); ++i)
      for (Index j = 0; j < chosen.columns.size(); ++j)
        there[block.offset + static_cast<std::size_t>(chosen.rows[i] * block.columns + chosen.columns[j])] =
            true;
  }
  return there;
}

void check_close(const std::vector<double>& found, const std::vector<double>& expected, double margin) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i] == Approx(expected[i]).epsilon(margin));
}

}  // namespace

TEST_CASE("holders: each neuron, and each block, is held by as many as asked for") {
  const Prepared prepared(scenario_of({{"kind", "ist"}, {"local_steps", 2}}, mlp, 5));
  const ParameterLayout& layout = prepared.job.model().layout();
  const AxisSet neurons = axes_of(layout, AxisKind::neurons);
  for (int holders = 1; holders <= 5; ++holders) {
    for (const NeuronDeal deal : {NeuronDeal::uniform, NeuronDeal::stratified}) {
      const Partition parts = draw_neurons(layout, neurons, 5, deal, 1, 3, holders);
      std::vector<int> times(layout.size());
      for (int worker = 0; worker < 5; ++worker) {
        const auto mask = mask_of(parts.part(worker), layout);
        for (std::size_t i = 0; i < times.size(); ++i) times[i] += mask[i];
      }
      const ParameterBlock& first = layout.block("hidden1.weight");
      const ParameterBlock& between = layout.block("hidden2.weight");
      for (std::size_t i = first.offset; i < first.offset + first.size(); ++i) CHECK(times[i] == holders);
      // Two layers that are dealt: everything has somebody from three of five on.
      const auto begin = times.begin() + static_cast<std::ptrdiff_t>(between.offset);
      const bool covered = std::find(begin, begin + static_cast<std::ptrdiff_t>(between.size()), 0) ==
                           begin + static_cast<std::ptrdiff_t>(between.size());
      CHECK(covered == (holders >= 3));
      CHECK(parts.abandoned(layout).has_value() == !covered);
    }
  }
  const Prepared residual(scenario_of({{"kind", "resist"}, {"local_steps", 2}}, resnet, 4));
  const ParameterLayout& blocks = residual.job.model().layout();
  for (int holders = 1; holders <= 4; ++holders) {
    const Partition parts = draw_units(blocks, 4, {.holders = holders}, 1, 1);
    for (const int unit : dealt_units(blocks, {3})) {
      int times = 0;
      for (int worker = 0; worker < 4; ++worker) {
        for (const BlockSelection& chosen : parts.part(worker).blocks()) {
          if (blocks.blocks()[chosen.block].unit != unit) continue;
          ++times;
          break;
        }
      }
      CHECK(times == holders);
    }
  }
}

TEST_CASE("holders: IST of neurons that everybody has is local SGD") {
  for (const json& model : {mlp, wide, cnn}) {
    for (const char* exchange : {"server", "sharded"}) {
      const json ist = {{"kind", "ist"},
                        {"local_steps", 2},
                        {"holders", 3},
                        {"exchange", exchange},
                        {"axes", {"neurons", "channels"}}};
      const json local = {{"kind", "local_sgd"}, {"local_steps", 2}, {"aggregate", "server"}};
      check_close(test_losses(scenario_of(ist, model, 3)), test_losses(scenario_of(local, model, 3)), 1e-5);
    }
  }
}

TEST_CASE("holders: IST means over those who have a neuron, in a loop written here") {
  constexpr int workers = 4, holders = 3;
  for (const char* exchange : {"server", "sharded"}) {
    const json scenario = scenario_of({{"kind", "ist"},
                                       {"local_steps", 2},
                                       {"holders", holders},
                                       {"partition", "uniform"},
                                       {"exchange", exchange}},
                                      mlp, workers, {{"training", {{"momentum", 0.9}}}});
    const auto found = test_losses(scenario);
    const Prepared prepared(scenario);
    const Job& job = prepared.job;
    const ParameterLayout& layout = job.model().layout();
    const Selection everything = Selection::everything(layout);
    std::vector<Trainer> trainers;
    for (int rank = 0; rank < workers; ++rank)
      trainers.emplace_back(job.dataset(), job.batches(rank), job.training(), job.total_steps());
    std::vector<double> x(job.initial_parameters().begin(), job.initial_parameters().end());
    for (std::size_t round = 0; round < found.size(); ++round) {
      const Partition parts = draw_neurons(layout, axes_of(layout, AxisKind::neurons), workers,
                                           NeuronDeal::uniform, 1, round + 1, holders);
      std::vector<double> sums(x.size()), counts(x.size());
      for (int rank = 0; rank < workers; ++rank) {
        const Selection& part = parts.part(rank);
        std::vector<float> whole(x.begin(), x.end());
        Trainer& trainer = trainers[static_cast<std::size_t>(rank)];
        trainer.set_model(*job.model().subnet(part));
        Transfer(part, everything).gather(whole, trainer.parameters());
        trainer.train(2);
        Transfer(part, everything).scatter(trainer.parameters(), whole);
        const auto mine = mask_of(part, layout);
        for (std::size_t k = 0; k < x.size(); ++k) {
          sums[k] += mine[k] ? static_cast<double>(whole[k]) : 0;
          counts[k] += mine[k] ? 1 : 0;
        }
      }
      for (std::size_t k = 0; k < x.size(); ++k) {
        if (counts[k] > 0) x[k] = sums[k] / counts[k];
      }
      const std::vector<float> parameters(x.begin(), x.end());
      CHECK(found[round] ==
            Approx(evaluate(job.model(), parameters, job.dataset(), 1000).mean_loss()).epsilon(1e-5));
    }
  }
}

TEST_CASE("holders: IST's bytes and memory go with what a worker has") {
  // Of 20 neurons two fifths: 12 inputs, 4 classes, no biases; a batch norm's shift, scale and statistics.
  const auto parameters = [](std::uint64_t hidden) { return 12 * hidden + 4 * hidden + 4 * hidden; };
  const json model = {{"kind", "mlp"}, {"hidden", {20}}, {"statistics", "running"}};
  for (const std::uint64_t holders : {1, 2, 5}) {
    const json run =
        complete_scenario(scenario_of({{"kind", "ist"}, {"local_steps", 2}, {"holders", holders}}, model, 5));
    const Prepared prepared(scenario_of({{"kind", "ist"}, {"local_steps", 2}}, model, 5));
    const std::uint64_t common = prepared.job.model().layout().size() - parameters(20);
    const std::uint64_t part = parameters(4 * holders) + common;
    CHECK(total(run, "bytes_sent") == 4 * 2 * 4 * 4 * part);  // rounds, ways, workers, bytes
    CHECK(run["workers"][1]["memory"]["parameters"] == 4 * part);
  }
}

TEST_CASE("subnetwork data parallelism: with everything it is data parallelism") {
  const json momentum = {{"training", {{"momentum", 0.9}, {"weight_decay", 0.01}}}};
  for (const json& model : {mlp, wide, cnn, resnet}) {
    const json options = model == resnet ? json{{"deal", "blocks"}} : json{{"axes", {"neurons", "channels"}}};
    for (const int workers : {1, 3}) {
      json protocol = sdp(options);
      protocol["holders"] = workers;
      const json whole = {{"kind", "data_parallel"}, {"aggregate", "sharded"}};
      check_close(test_losses(scenario_of(protocol, model, workers, momentum)),
                  test_losses(scenario_of(whole, model, workers, momentum)), workers == 1 ? 0 : 1e-5);
    }
  }
}

TEST_CASE("subnetwork data parallelism: mean gradients over those who have a parameter, written out here") {
  constexpr int workers = 4;
  for (const auto& [model, holders] : {std::pair(wide, 2), std::pair(mlp, 3), std::pair(resnet, 2)}) {
    const bool blocks = model == resnet;
    for (const char* optimizer : {"sgd", "adamw"}) {
      json options = {{"holders", holders}, {"scale_at_test", false}};
      if (blocks) options["deal"] = "blocks";
      json training = {{"optimizer", {{"kind", optimizer}}}};
      if (optimizer == std::string("sgd")) training["optimizer"]["momentum"] = 0.9;
      const json scenario = scenario_of(sdp(options), model, workers, {{"training", training}});
      const auto found = test_losses(scenario);
      const Prepared prepared(scenario);
      const Job& job = prepared.job;
      const ParameterLayout& layout = job.model().layout();
      const Selection everything = Selection::everything(layout);
      const Partition parts = blocks ? draw_units(layout, workers, {.holders = holders}, 1, 0)
                                     : draw_neurons(layout, axes_of(layout, AxisKind::neurons), workers,
                                                    NeuronDeal::uniform, 1, 0, holders);
      std::vector<Trainer> trainers;
      for (int rank = 0; rank < workers; ++rank) {
        trainers.emplace_back(job.dataset(), job.batches(rank), job.training(), job.total_steps());
        trainers.back().set_model(*job.model().subnet(parts.part(rank)));
        Transfer(parts.part(rank), everything).gather(job.initial_parameters(), trainers.back().parameters());
      }
      for (std::size_t round = 0; round < found.size(); ++round) {
        std::vector<float> sums(layout.size()), counts(layout.size()), whole(layout.size());
        for (int rank = 0; rank < workers; ++rank) {
          Trainer& trainer = trainers[static_cast<std::size_t>(rank)];
          trainer.compute_gradient();
          std::vector<float> own(trainer.parameters().size());
          copy(trainer.gradients(), Values(own).first(trainer.gradients().size()));
          std::vector<float> spread(layout.size());
          Transfer(parts.part(rank), everything).scatter(own, spread);
          const auto mine = mask_of(parts.part(rank), layout);
          for (std::size_t k = 0; k < spread.size(); ++k) {
            sums[k] += spread[k];
            counts[k] += mine[k] ? 1 : 0;
          }
        }
        for (std::size_t k = 0; k < sums.size(); ++k) sums[k] /= std::max(1.0F, counts[k]);
        for (int rank = workers - 1; rank >= 0; --rank) {  // of running statistics the lowest rank's count
          Trainer& trainer = trainers[static_cast<std::size_t>(rank)];
          std::vector<float> own(trainer.parameters().size());
          Transfer(parts.part(rank), everything).gather(sums, own);
          copy(ConstValues(own).first(trainer.gradients().size()), trainer.gradients());
          trainer.apply_gradient();
          Transfer(parts.part(rank), everything).scatter(trainer.parameters(), whole);
        }
        CHECK(found[round] ==
              Approx(evaluate(job.model(), whole, job.dataset(), 1000).mean_loss()).epsilon(1e-4));
      }
    }
  }
}

TEST_CASE("subnetwork data parallelism: bytes, memory, and tests by share") {
  const json model = {{"kind", "mlp"}, {"hidden", {20}}, {"bias", true}, {"batch_norm", false}};
  // 10 of 20 neurons; every 1/4 of the neurons has its means made by one worker, so have the 4 biases.
  const json protocol = sdp({{"holders", 2}});
  const json costs = complete_scenario(scenario_of(protocol, model, 4, {{"numerics", "costs"}}));
  const json run = complete_scenario(scenario_of(protocol, model, 4));
  CHECK(total(run, "bytes_sent") == total(costs, "bytes_sent"));
  CHECK(run["seconds"] == costs["seconds"]);
  const Prepared prepared(scenario_of(protocol, model, 4));
  const ParameterLayout& layout = prepared.job.model().layout();
  const AxisSet neurons = axes_of(layout, AxisKind::neurons);
  const Partition parts = draw_neurons(layout, neurons, 4, NeuronDeal::uniform, 1, 0, 2);
  const auto homes = neuron_homes(layout, neurons, 4);
  std::uint64_t values = 0;
  for (int worker = 0; worker < 4; ++worker)
    values += parts.part(worker).size() -
              intersection(parts.part(worker), homes[static_cast<std::size_t>(worker)]).size();
  CHECK(total(run, "bytes_sent") == 4 * 2 * 4 * values);
  const std::uint64_t part = 12 * 10 + 10 + 10 * 4 + 4;
  for (int worker = 0; worker < 4; ++worker) CHECK(parts.part(worker).size() == part);
  CHECK(run["workers"][2]["memory"]["parameters"] == 4 * part);
  CHECK(run["workers"][2]["memory"]["gradients"] == 4 * (part + homes[2].size()));
  // Tested by share, half of each neuron counts.
  const json bare = sdp({{"holders", 2}, {"scale_at_test", false}});
  CHECK(test_losses(scenario_of(bare, model, 4)) != test_losses(scenario_of(protocol, model, 4)));
  CHECK(run["history"].back()["test_loss"].get<double>() < run["history"].front()["test_loss"].get<double>());
}

TEST_CASE("holders: what cannot be is refused") {
  const auto refused = [](const json& protocol, const json& model, const char* place, const char* words) {
    const std::string message = input_error_of([&] {
      const Prepared prepared(scenario_of(protocol, model, 4));
      prepared.protocol->require_fit(prepared.job);
    });
    INFO(message);
    CHECK_THAT(message, Contains(place) && Contains(words));
  };
  refused({{"kind", "ist"}, {"local_steps", 1}, {"holders", 5}}, mlp, "/protocol/holders", "only 4 workers");
  refused(sdp({{"holders", 5}}), mlp, "/protocol/holders", "only 4 workers");
  refused(sdp({{"holders", 2}}), mlp, "/protocol/holders", "hidden2.weight");
  refused(sdp({{"deal", "blocks"}}), mlp, "/model", "no residual blocks");
  refused(sdp({{"deal", "blocks"}, {"partition_sections", {2}}}), resnet, "/protocol/partition_sections/0",
          "without a block");
  refused({{"kind", "ist"}, {"local_steps", 1}, {"holders", 2}, {"shares", {1, 1, 1, 1}}}, mlp,
          "/protocol/shares", "holders");
  CHECK_NOTHROW(Prepared(scenario_of(sdp({{"holders", 3}}), mlp, 4))
                    .protocol->require_fit(Prepared(scenario_of(sdp({{"holders", 3}}), mlp, 4)).job));
}

}  // namespace holders_test
