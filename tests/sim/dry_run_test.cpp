// What is found by running some rounds without values is what a whole run measures.

#include "sim/study/dry_run.hpp"

#include "tests/sim/runs.hpp"

using namespace isthmus;
using namespace isthmus::testing;

namespace dry_run_test {
namespace {

DryRun tried(const json& scenario) {
  constexpr Patience endless = {.processor_seconds = 1e6, .wall_seconds = 1e6};
  const std::optional<DryRun> dry = dry_run(Prepared::resolve(scenario), endless);
  REQUIRE(dry);
  return *dry;
}

std::uint64_t bytes_sent(const DryRun& dry, std::size_t rank) {
  return static_cast<std::uint64_t>(std::llround(dry.in_all([&](const DryRun::RoundCosts& costs) {
    return static_cast<double>(costs.workers[rank].bytes_sent);
  })));
}

/// Everything that a run counts; `rounds` of them were tried.
void check_whole(const json& scenario, std::size_t rounds) {
  INFO(scenario.dump());
  const DryRun dry = tried(scenario);
  const json run = complete_scenario(scenario);
  CHECK(dry.trouble.empty());
  CHECK(dry.rounds.size() == rounds);
  CHECK(dry.all_rounds == run["rounds"]);
  for (std::size_t rank = 0; rank < run["workers"].size(); ++rank) {
    INFO("worker " << rank);
    const json& worker = run["workers"][rank];
    CHECK(worker["bytes_sent"] == bytes_sent(dry, rank));
    CHECK(worker["memory"] == as_json(dry.memory_peaks[rank]));
    CHECK_CLOSE(worker["flops"].get<double>(),
                dry.in_all([&](const DryRun::RoundCosts& costs) { return costs.workers[rank].flops; }));
  }
  CHECK_CLOSE(run["paper_bytes"].get<double>(), dry.in_all(std::mem_fn(&DryRun::RoundCosts::paper_bytes)));
  CHECK_CLOSE(run["seconds"].get<double>(), dry.in_all(std::mem_fn(&DryRun::RoundCosts::seconds)));
  CHECK(total(run, "messages_sent") ==
        static_cast<std::uint64_t>(std::llround(dry.in_all([](const DryRun::RoundCosts& costs) {
          return static_cast<double>(costs.messages_sent());
        }))));
}

const std::vector<json> protocols = {
    {{"kind", "data_parallel"}, {"aggregate", "ring"}},
    {{"kind", "data_parallel"}, {"aggregate", "server"}, {"overlap", false}},
    {{"kind", "local_sgd"}, {"local_steps", 4}, {"aggregate", "tree"}, {"slow_momentum", 0.5}},
    {{"kind", "ist"}, {"local_steps", 4}, {"exchange", "server"}},
    {{"kind", "ist"}, {"local_steps", 4}, {"exchange", "sharded"}},
    {{"kind", "post_local_sgd"}, {"local_steps", 4}, {"switch_at", 0.4}}};

}  // namespace

TEST_CASE("dry run: short trainings round by round") {
  for (const json& protocol : protocols) {
    for (const int workers : {1, 4}) {
      const json scenario = scenario_with({{"protocol", protocol},
                                           {"platform", {{"workers", workers}}},
                                           {"model", {{"kind", "mlp"}, {"hidden", {16, 8}}}},
                                           {"training", {{"rounds", 4}}}});
      check_whole(scenario, 4);
      const DryRun dry = tried(scenario);
      const json run = complete_scenario(scenario);
      double end = 0;
      std::uint64_t bytes = 0;
      for (std::size_t i = 0; i < 4; ++i) {
        end += dry.rounds[i].seconds;
        bytes += dry.rounds[i].bytes_sent();
        CHECK_CLOSE(run["history"][i]["seconds"].get<double>(), end);
        CHECK(run["history"][i]["bytes_sent"] == bytes);
      }
    }
  }
}

TEST_CASE("dry run: of a long training some rounds of each kind stand for all, the shorter last one too") {
  for (const json& protocol : protocols) {
    // 240 samples x 40 epochs / (4 workers x 8) = 300 steps; with 4 a round, 75 rounds
    for (const double epochs : {40.0, 40.4}) {  // 303 steps: a last round of 3
      const bool single = protocol["kind"] == "data_parallel";
      const bool switches = protocol["kind"] == "post_local_sgd";
      const json scenario = scenario_with(
          {{"protocol", protocol},
           {"model", {{"kind", "mlp"}, {"hidden", {16, 8}}}},
           {"training", {{"rounds", nullptr}, {"epochs", epochs}, {"evaluate_every_rounds", 1000}}}});
      INFO(protocol << " for " << epochs);
      check_whole(scenario, switches ? 9 : 5);
      const DryRun dry = tried(scenario);
      const long last = single || epochs == 40 ? 4 : switches ? (303 - 122) % 4 : 303 % 4;
      CHECK(dry.rounds.back().round.local_steps == (single ? 1 : last));
      CHECK(dry.warm_up_rounds == (switches ? (epochs == 40 ? 120 : 122) : 0));
    }
  }
}

TEST_CASE("dry run: memory limits are noted and not enforced") {
  json scenario = scenario_with({{"protocol", {{"kind", "data_parallel"}}}});
  const DryRun dry = tried(scenario);
  scenario["platform"]["memory"] = "1kB";
  CHECK(run_scenario(scenario)["outcome"] == "out_of_memory");
  const DryRun limited = tried(scenario);
  CHECK(limited.trouble.empty());
  for (std::size_t rank = 0; rank < 4; ++rank)
    CHECK(as_json(limited.memory_peaks[rank]) == as_json(dry.memory_peaks[rank]));
}

TEST_CASE("dry run: on unlike links, contention included") {
  const json scenario = scenario_with({{"platform",
                                        {{"file", source_file("platforms/two-sites.xml").string()},
                                         {"workers", 8},
                                         {"bandwidth", nullptr},
                                         {"latency", nullptr}}},
                                       {"protocol", {{"kind", "data_parallel"}, {"aggregate", "sharded"}}}});
  check_whole(scenario, 2);
  const DryRun dry = tried(scenario);
  const auto seconds = first_round_seconds(Prepared::resolve(scenario));
  REQUIRE(seconds);
  CHECK(*seconds == dry.rounds.front().seconds);
}

}  // namespace dry_run_test
