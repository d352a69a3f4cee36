// ResIST: what it trains, sends and needs, on stand-ins for residual networks.

#include "models/partition/units.hpp"
#include "models/threads.hpp"
#include "models/trainer.hpp"
#include "tests/sim/residual.hpp"

using namespace isthmus;
using namespace isthmus::testing;

namespace resist_test {
namespace {

const std::vector<int> few = {2, 2, 7, 2};  // six blocks of section 3 can be left out

Job::MakeModel residual(const std::vector<int>& sections = few) {
  return [sections](const DataDescription& data) { return std::make_unique<ResidualMlp>(data, sections); };
}

Job::MakeModel block_sizes(Index shared, Index block, int blocks) {
  return [=](const DataDescription&) { return std::make_unique<BlockSizes>(shared, block, blocks); };
}

json resist(const json& options = json::object()) {
  json protocol = {{"kind", "resist"}, {"local_steps", 4}};
  protocol.update(options);
  return protocol;
}

/// A live run with momentum, which must not outlast a round.
json live(const json& protocol, int workers, const json& changes = json::object()) {
  json scenario = scenario_with({{"numerics", "live"},
                                 {"platform", {{"workers", workers}}},
                                 {"training", {{"rounds", 6}, {"batch", 6}, {"momentum", 0.9}}},
                                 {"protocol", protocol}});
  scenario["training"]["learning_rate"] = 0.005;  // does not magnify differences of rounding
  scenario.merge_patch(changes);
  return scenario;
}

json costs(const json& protocol, int workers, int rounds) {
  json scenario = live(protocol, workers, {{"numerics", "costs"}});
  scenario["training"]["rounds"] = rounds;
  return scenario;
}

std::vector<double> column(const json& run, const char* name) {
  std::vector<double> values;
  for (const json& row : run["history"]) values.push_back(row[name].get<double>());
  return values;
}

void check_near(const std::vector<double>& found, const std::vector<double>& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    INFO("row " << i);
    CHECK(found[i] == Approx(expected[i]).epsilon(1e-5));
  }
}

/// Parameters taken out of or put into the whole vector, one worker's after the other.
std::vector<float> gathered(const std::vector<float>& whole, const Selection& part,
                            const ParameterLayout& layout) {
  std::vector<float> values(part.size());
  Transfer(part, Selection::everything(layout)).gather(whole, values);
  return values;
}

struct Oracle {
  std::vector<double> scaled, unscaled;  // test losses
};

/// ResIST without simulation, Exchange or turns: means in double precision.
Oracle oracle(const json& document, const std::vector<int>& sections = few) {
  use_one_thread();
  const PreparedWith prepared(document, residual(sections));
  const Job& job = prepared.job;
  const ParameterLayout& layout = job.model().layout();
  const json& options = prepared.scenario.protocol;
  const UnitDeal deal{.sections = options["partition_sections"].get<std::vector<int>>(),
                      .minimum_depth = options["minimum_depth"].get<int>()};
  const std::vector<int> dealt = dealt_units(layout, deal.sections);
  const float scale = std::max(1.0f / static_cast<float>(job.workers()),
                               static_cast<float>(deal.minimum_depth) / static_cast<float>(dealt.size()));
  std::vector<std::unique_ptr<Trainer>> trainers;
  for (int rank = 0; rank < job.workers(); ++rank) {
    trainers.push_back(
        std::make_unique<Trainer>(job.dataset(), job.batches(rank), job.training(), job.total_steps()));
  }
  std::vector<float> whole = job.initial_parameters();
  Oracle result;
  for (const Round& round : job.rounds()) {
    const Partition partition =
        draw_units(layout, job.workers(), deal, job.training().seed, static_cast<std::uint64_t>(round.index));
    std::vector<double> sums(whole.size());
    std::vector<int> owners(whole.size());
    for (int rank = 0; rank < job.workers(); ++rank) {
      const Selection& part = partition.part(rank);
      Trainer& trainer = *trainers[static_cast<std::size_t>(rank)];
      trainer.set_model(*job.model().subnet(part));
      copy(gathered(whole, part, layout), trainer.parameters());
      trainer.train(round.local_steps);
      std::size_t packed = 0;
      for (const BlockSelection& chosen : part.blocks()) {
        for (std::size_t i = 0; i < chosen.size(); ++i) {
          const std::size_t place = layout.blocks()[chosen.block].offset + i;
          sums[place] += static_cast<double>(trainer.parameters().data()[packed++]);
          ++owners[place];
        }
      }
    }
    for (std::size_t i = 0; i < whole.size(); ++i) {
      REQUIRE(owners[i] > 0);
      whole[i] = static_cast<float>(sums[i] / owners[i]);
    }
    const auto loss = [&](const Model& model) {
      return evaluate(model, whole, job.dataset(), job.training().evaluation_batch).mean_loss();
    };
    result.unscaled.push_back(loss(job.model()));
    result.scaled.push_back(loss(*job.model().with_scaled_units(dealt, scale)));
  }
  return result;
}

std::uint64_t bytes(std::size_t values) { return 4 * values; }

/// Units that a worker has in a round, of those that are dealt.
std::set<int> hand(const ParameterLayout& layout, const Partition& partition, int worker,
                   const std::vector<int>& dealt) {
  std::set<int> units;
  for (const BlockSelection& chosen : partition.part(worker).blocks()) {
    const int unit = layout.blocks()[chosen.block].unit;
    if (std::ranges::find(dealt, unit) != dealt.end()) units.insert(unit);
  }
  return units;
}

}  // namespace

TEST_CASE("resist: on one worker it is plain SGD with a reset each round, to the bit") {
  const json plain = complete_with(
      live({{"kind", "local_sgd"}, {"local_steps", 4}}, 1, {{"training", {{"optimizer_state", "reset"}}}}),
      residual());
  for (const char* exchange : {"peer", "server"}) {
    const json run = complete_with(live(resist({{"exchange", exchange}}), 1), residual());
    for (const char* name : {"train_loss", "test_loss", "test_accuracy"}) {
      CHECK(column(run, name) == column(plain, name));
    }
    CHECK(total(run, "bytes_sent") == 0);
  }
  CHECK(column(plain, "test_loss").front() != column(plain, "test_loss").back());
}

TEST_CASE("resist: each parameter becomes the mean over its owners, however it travels") {
  for (const int n : {2, 3, 8}) {
    for (const json& options : {json::object(), json{{"partition_sections", {1, 3, 4}}, {"minimum_depth", 3}},
                                json{{"minimum_depth", 4}}, json{{"minimum_depth", 6}}}) {
      if (n == 8 && options.contains("minimum_depth") && !options.contains("partition_sections")) continue;
      INFO(n << " workers, " << options.dump());
      json scenario = live(resist(options), n);
      const Oracle expected = oracle(scenario);
      const json peer = complete_with(scenario, residual());
      check_near(column(peer, "test_loss"), expected.scaled);
      CHECK(expected.scaled.front() != expected.scaled.back());
      scenario["protocol"]["exchange"] = "server";
      const json server = complete_with(scenario, residual());
      check_near(column(server, "test_loss"), column(peer, "test_loss"));
      check_near(column(server, "train_loss"), column(peer, "train_loss"));
      if (n == 2) CHECK(column(server, "test_loss") == column(peer, "test_loss"));
      scenario["protocol"]["scale_at_test"] = false;
      const json unscaled = complete_with(scenario, residual());
      check_near(column(unscaled, "test_loss"), expected.unscaled);
      CHECK(column(unscaled, "train_loss") == column(server, "train_loss"));
    }
  }
}

TEST_CASE("resist: with all blocks for everybody it is local SGD") {
  const json local = complete_with(
      live({{"kind", "local_sgd"}, {"local_steps", 4}}, 3, {{"training", {{"optimizer_state", "reset"}}}}),
      residual());
  const json run = complete_with(live(resist({{"minimum_depth", 6}}), 3), residual());
  check_near(column(run, "test_loss"), column(local, "test_loss"));
}

TEST_CASE("resist: warm-up rounds are local SGD's, to the bit, and blocks are dealt from then on") {
  for (const char* exchange : {"peer", "server"}) {
    const json local =
        complete_with(live({{"kind", "local_sgd"},
                            {"local_steps", 4},
                            {"aggregate", exchange == std::string("peer") ? "ring" : "server"}},
                           4, {{"training", {{"optimizer_state", "reset"}}}}),
                      residual());
    const json run =
        complete_with(live(resist({{"exchange", exchange}, {"warm_up_rounds", 3}}), 4), residual());
    for (const char* name : {"train_loss", "test_loss", "test_accuracy"}) {
      const auto found = column(run, name), expected = column(local, name);
      CHECK(std::equal(found.begin(), found.begin() + 3, expected.begin()));
    }
    CHECK(column(run, "train_loss")[3] != column(local, "train_loss")[3]);
    const std::uint64_t of_local = local["history"][2]["bytes_sent"];
    if (exchange == std::string("peer")) CHECK(run["history"][2]["bytes_sent"] == of_local);
  }
}

TEST_CASE("resist: bytes follow the draw") {
  const PreparedWith prepared(costs(resist(), 2, 1), residual());
  const ParameterLayout& layout = prepared.job.model().layout();
  std::vector<std::size_t> size_of(layout.units().size());
  for (const ParameterBlock& block : layout.blocks()) {
    if (block.unit >= 0) size_of[static_cast<std::size_t>(block.unit)] += block.size();
  }
  constexpr int rounds = 5, warm_up = 1;
  for (const int n : {2, 3, 5, 8}) {
    for (const UnitDeal& deal : {UnitDeal{}, UnitDeal{.minimum_depth = 4}, UnitDeal{{2, 3}, 3}}) {
      const std::vector<int> dealt = dealt_units(layout, deal.sections);
      std::size_t shared = layout.size();
      for (const int unit : dealt) shared -= size_of[static_cast<std::size_t>(unit)];
      json options = {{"partition_sections", deal.sections}, {"warm_up_rounds", warm_up}};
      if (deal.minimum_depth > 0) options["minimum_depth"] = deal.minimum_depth;
      INFO(n << " workers, " << options.dump());
      const auto ranks = static_cast<std::size_t>(n);
      // A ring moves 2 (n - 1) times what is shared in all.
      std::size_t peer = 2 * (ranks - 1) * layout.size(), server = peer, paper = 2 * ranks * layout.size();
      std::vector<int> resting_with(layout.units().size(), -1);  // after the warm-up with everybody
      for (int round = warm_up + 1; round <= rounds; ++round) {
        const Partition partition =
            draw_units(layout, n, deal, prepared.job.training().seed, static_cast<std::uint64_t>(round));
        peer += 2 * (ranks - 1) * shared;
        server += 2 * (ranks - 1) * shared;
        paper += 2 * ranks * shared;
        std::vector<std::set<int>> hands;
        for (int worker = 0; worker < n; ++worker) {
          hands.push_back(hand(layout, partition, worker, dealt));
        }
        for (const int unit : dealt) {
          const std::size_t size = size_of[static_cast<std::size_t>(unit)];
          int& home = resting_with[static_cast<std::size_t>(unit)];
          int lowest = -1;
          for (int worker = 0; worker < n; ++worker) {
            if (!hands[static_cast<std::size_t>(worker)].contains(unit)) continue;
            paper += 2 * size;
            if (home >= 0 && home != worker) peer += size;  // handed over
            if (lowest < 0) lowest = worker;
            if (worker != lowest) peer += size;  // to the mean
            if (worker != 0) server += 2 * size;
          }
          home = lowest;
        }
      }
      const json run = complete_with(costs(resist(options), n, rounds), residual());
      CHECK(total(run, "bytes_sent") == bytes(peer));
      CHECK(run["paper_bytes"] == static_cast<double>(bytes(paper)));
      options["exchange"] = "server";
      const json by_server = complete_with(costs(resist(options), n, rounds), residual());
      CHECK(total(by_server, "bytes_sent") == bytes(server));
      CHECK(by_server["paper_bytes"] == run["paper_bytes"]);
    }
  }
}

TEST_CASE("resist: forecast and account agree, and say what varies") {
  for (const int n : {1, 3, 8}) {
    for (const json& options :
         {json::object(), json{{"minimum_depth", 4}}, json{{"exchange", "server"}},
          json{{"exchange", "server"}, {"minimum_depth", 3}}, json{{"warm_up_rounds", 1}},
          json{{"warm_up_rounds", 2}, {"exchange", "server"}}}) {
      for (const bool charged : {false, true}) {
        if (charged && n != 3) continue;
        const int rounds = 2 + options.value("warm_up_rounds", 0);
        const auto scenario = [&](int count) {
          json document = costs(resist(options), n, count);
          document["training"]["charge_evaluation"] = charged;
          return document;
        };
        INFO(scenario(rounds).dump());
        const PreparedWith prepared(scenario(rounds), residual());
        constexpr LinkModel link = {.latency_seconds = 1e-3, .bandwidth_bytes_per_second = 1e6};
        const Forecast forecast = closed_form(prepared.scenario.protocol, prepared.job, link);
        CHECK(forecast.round == rounds);
        CHECK(forecast.varies == (n > 1 && (!options.contains("exchange") || rounds > 2)));
        // Its figures are the last round's: what a run has more than one that is a round shorter.
        const json run = complete_with(scenario(rounds), residual()),
                   shorter = complete_with(scenario(rounds - 1), residual());
        for (std::size_t rank = 0; rank < static_cast<std::size_t>(n); ++rank) {
          INFO("worker " << rank);
          const Forecast::Worker& expected = forecast.workers[rank];
          const json &all = run["workers"][rank], &before = shorter["workers"][rank];
          CHECK(all["memory"] == as_json(expected.memory));
          CHECK(all["flops"].get<double>() - before["flops"].get<double>() ==
                Approx(expected.flops +
                       (charged && rank == 0 ? prepared.job.model().costs(1).forward_flops() * 60 : 0)));
          if (charged) continue;
          CHECK(all["bytes_sent"].get<std::uint64_t>() - before["bytes_sent"].get<std::uint64_t>() ==
                expected.bytes_sent);
        }
        CHECK(run["paper_bytes"].get<double>() - shorter["paper_bytes"].get<double>() ==
              Approx(forecast.paper_bytes));
      }
    }
  }
}

TEST_CASE("resist: the papers' Table 1, from the ledger") {
  struct Row {
    int workers, minimum;
    double gigabytes;
  };
  for (const Row& row : {Row{2, 11, 0.454}, Row{4, 6, 0.720}, Row{8, 4, 1.289}}) {
    for (const char* exchange : {"peer", "server"}) {
      INFO(row.workers << " workers, " << exchange);
      const auto model = block_sizes(15'422'116, 1'180'672, 22);
      const json scenario =
          costs(resist({{"minimum_depth", row.minimum}, {"exchange", exchange}}), row.workers, 3);
      const json run = complete_with(scenario, model);
      const double of_round = run["paper_bytes"].get<double>() / 3;
      CHECK(of_round == 2.0 * 4 * row.workers * (15'422'116 + row.minimum * 1'180'672.0));
      CHECK(std::abs(of_round / 1e9 - row.gigabytes) < 0.0006);  // the first is 0.45455
      const PreparedWith prepared(scenario, model);
      CHECK(closed_form(prepared.scenario.protocol, prepared.job, {}).paper_bytes == of_round);
      CHECK(prepared.job.model().layout().size() == 41'396'900);
    }
    const json local = complete_with(costs({{"kind", "local_sgd"}, {"local_steps", 50}}, row.workers, 1),
                                     block_sizes(15'422'116, 1'180'672, 22));
    CHECK(local["paper_bytes"] == 2.0 * 4 * row.workers * 41'396'900);
  }
}

TEST_CASE("resist: between peers nobody holds the whole network") {
  for (const int n : {2, 4, 8}) {
    INFO(n);
    const auto model = block_sizes(15'422'116, 1'180'672, 22);
    const json full = complete_with(costs({{"kind", "local_sgd"}, {"local_steps", 4}}, n, 2),
                                    model)["workers"][0]["memory"];
    const json run = complete_with(costs(resist(), n, 5), model);
    for (const json& worker : run["workers"]) {
      const json& memory = worker["memory"];
      const auto sum = [](const json& parts) {
        std::uint64_t bytes_in_use = 0;
        for (const json& part : parts) bytes_in_use += part.get<std::uint64_t>();
        return bytes_in_use;
      };
      CHECK(memory["gradients"] < full["gradients"]);
      CHECK(memory["optimizer"] < full["optimizer"]);
      CHECK(sum(memory) < sum(full));
    }
  }
}

TEST_CASE("resist: a device too small for local SGD's replica is large enough for a part") {
  const auto model = block_sizes(15'422'116, 1'180'672, 22);
  const auto outcome = [&](const json& protocol) {
    json scenario = costs(protocol, 4, 3);
    scenario["platform"]["memory"] = "500MB";
    return run_isolated([&] {
      const PreparedWith prepared(scenario, model);
      return as_json(simulate(prepared.scenario, prepared.job, *prepared.protocol, {}));
    })["outcome"];
  };
  CHECK(outcome({{"kind", "local_sgd"}, {"local_steps", 4}}) == "out_of_memory");
  CHECK(outcome({{"kind", "data_parallel"}}) == "out_of_memory");
  CHECK(outcome(resist({{"minimum_depth", 6}})) == "completed");
}

TEST_CASE("resist: who talks") {
  const auto talk = [](const json& options, int n) {
    const auto protocol = PreparedWith(costs(resist(options), n, 2), residual()).protocol->talking_pairs(n);
    return std::set<RankPair>(protocol.begin(), protocol.end());
  };
  const auto all = all_pairs(4);
  CHECK(talk(json::object(), 4) == std::set<RankPair>(all.begin(), all.end()));
  CHECK(talk({{"exchange", "server"}}, 3) == std::set<RankPair>{{0, 1}, {1, 0}, {0, 2}, {2, 0}});
  CHECK(talk(json::object(), 1).empty());
}

TEST_CASE("resist: the same bits for any number of threads, and the same costs without numerics") {
  for (const char* exchange : {"peer", "server"}) {
    json scenario =
        live(resist({{"exchange", exchange}, {"minimum_depth", 3}, {"warm_up_rounds", 2}}), 5,
             {{"platform", {{"devices", {{"n-1", {{"speed", "70Mf"}}}, {"n-4", {{"speed", "2Gf"}}}}}}},
              {"training", {{"charge_evaluation", true}}}});
    json once = complete_with(scenario, residual());
    for (const int threads : {1, 2, 4}) CHECK(complete_with(scenario, residual(), threads) == once);
    scenario["numerics"] = "costs";
    json phantom = complete_with(scenario, residual());
    for (json* run : {&once, &phantom}) {
      for (json& row : (*run)["history"]) {
        for (const char* learned : {"train_loss", "test_loss", "test_accuracy"}) row.erase(learned);
      }
    }
    CHECK(phantom == once);
  }
}

TEST_CASE("resist: what does not fit is refused") {
  const auto refusal = [](const json& options, const Job::MakeModel& model, const json& training = {}) {
    json scenario = costs(resist(options), 2, 4);
    if (training.is_object()) scenario["training"].update(training);
    return input_error_of([&] { PreparedWith(scenario, model); });
  };
  const Job::MakeModel no_blocks = [](const DataDescription& data) {
    return make_model({{"kind", "mlp"}, {"hidden", {8}}, {"batch_norm", true}, {"statistics", "batch"}},
                      data);
  };
  CHECK(refusal(json::object(), no_blocks) == "/model: has no residual blocks that resist could deal out");
  CHECK(
      refusal({{"partition_sections", {3, 5}}}, residual()) ==
      "/protocol/partition_sections/1: found 5, a section of the model without a block that can be left out");
  CHECK(refusal({{"minimum_depth", 7}}, residual()) ==
        "/protocol/minimum_depth: found 7, but only 6 blocks are dealt out");
  CHECK(refusal({{"warm_up_rounds", 4}}, residual()) ==
        "/protocol/warm_up_rounds: found 4, but training has 4 rounds; at least one must come after the "
        "warm-up");
  CHECK(refusal({{"share_strided", false}}, residual()) ==
        "/protocol/share_strided: found false, but block 3.1 changes the shape of what passes through it: no "
        "identity "
        "could stand in for it, so every worker must have it; allowed is true");
  CHECK(refusal(json::object(), residual(), {{"optimizer_state", "keep"}}) ==
        "/training/optimizer_state: found \"keep\"; resist allows only \"reset\": after a round a worker's "
        "network "
        "is another one");
  CHECK(
      refusal(json::object(), residual(), {{"momentum", 0.9}, {"optimizer_state", "average"}}) ==
      "/training/optimizer_state: found \"average\"; resist allows only \"reset\": after a round a worker's "
      "network "
      "is another one");
  CHECK_NOTHROW(
      PreparedWith(costs(resist({{"share_strided", false}, {"partition_sections", {1}}}), 2, 4), residual()));
}

TEST_CASE("resist: training learns") {
  const json run = complete_with(
      live(resist(), 4,
           {{"training", {{"rounds", 60}, {"learning_rate", 0.03}}}, {"data", {{"difficulty", 0.2}}}}),
      residual());
  CHECK(run["history"].back()["test_accuracy"] > 0.8);
}

}  // namespace resist_test
