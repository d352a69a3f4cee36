// Which rounds there are, which of them are evaluated, and what the history says of them.

#include <algorithm>

#include "tests/sim/runs.hpp"

using namespace isthmus;
using namespace isthmus::testing;

namespace rounds_test {
namespace {

/// 4 workers with batches of 8 of 240 samples: 7.5 steps an epoch.
json training(const json& options, int local_steps = 1) {
  json scenario = scenario_with({{"protocol", {{"kind", "local_sgd"}, {"local_steps", local_steps}}}});
  scenario["training"] = {{"batch", 8}};
  scenario["training"].update(options);
  return scenario;
}

std::vector<Round> rounds_of(const json& scenario) {
  const Rounds rounds = Prepared(scenario).job.rounds();
  std::vector<Round> all;
  for (const Round& round : rounds) all.push_back(round);
  CHECK(rounds.size() == static_cast<long>(all.size()));
  CHECK(rounds.evaluations() == std::ranges::count_if(all, &Round::evaluated));
  return all;
}

std::vector<long> evaluated(const std::vector<Round>& rounds) {
  std::vector<long> indices;
  for (const Round& round : rounds) {
    if (round.evaluated) indices.push_back(round.index);
  }
  return indices;
}

std::vector<long> steps(const std::vector<Round>& rounds) {
  std::vector<long> local_steps;
  for (const Round& round : rounds) local_steps.push_back(round.local_steps);
  return local_steps;
}

using Longs = std::vector<long>;

}  // namespace

TEST_CASE("rounds: so many as asked for, or as many as fill the epochs") {
  CHECK(steps(rounds_of(training({{"rounds", 3}}, 5))) == Longs{5, 5, 5});
  CHECK(steps(rounds_of(training({{"epochs", 2}}, 5))) == Longs{5, 5, 5});
  CHECK(steps(rounds_of(training({{"epochs", 2}}, 4))) == Longs{4, 4, 4, 3});  // the last one is shorter
  CHECK(steps(rounds_of(training({{"epochs", 2}}, 100))) == Longs{15});
  CHECK(rounds_of(training({{"epochs", 2}})).size() == 15);
  CHECK(rounds_of(training({{"epochs", 0.4}})).size() == 3);
  CHECK(rounds_of(training({{"epochs", 1.2}})).size() == 9);
  CHECK(rounds_of(training({{"epochs", 1}})).size() == 8);      // 7.5 to the nearest
  CHECK(rounds_of(training({{"epochs", 0.001}})).size() == 1);  // never none
  CHECK(rounds_of(training(json::object())).size() == 8);       // one epoch unless said otherwise
}

TEST_CASE("rounds: those that begin before a switch are of one step, by steps or by rounds") {
  const auto switched = [](json options, double switch_at, int local_steps) {
    json scenario = training(options, local_steps);
    scenario["protocol"]["kind"] = "post_local_sgd";
    scenario["protocol"]["switch_at"] = switch_at;
    return rounds_of(scenario);
  };
  CHECK(steps(switched({{"epochs", 2}}, 0.2, 5)) == Longs{1, 1, 1, 5, 5, 2});
  CHECK(steps(switched({{"epochs", 2}}, 0.21, 5)) == Longs{1, 1, 1, 1, 5, 5, 1});
  CHECK(steps(switched({{"rounds", 4}}, 0.3, 4)) == Longs{1, 1, 1, 4});  // of 7 steps, 2 are before 0.3
  for (const double switch_at : {0.07, 0.2, 0.3, 0.5, 0.7, 0.93}) {
    for (const int local_steps : {1, 2, 7, 30}) {
      for (const long length : {1L, 2L, 10L, 15L, 100L}) {
        INFO(switch_at << " of " << length << ", " << local_steps << " steps");
        const auto begins_early = [&](long step, long total) {
          return static_cast<double>(step) / static_cast<double>(total) < switch_at - 1e-12;
        };
        // By rounds: as many single steps as can begin before the switch of what that makes the training.
        long single = 0;
        while (single < length && begins_early(single, single + 1 + (length - single - 1) * local_steps))
          ++single;
        Longs expected(static_cast<std::size_t>(length), local_steps);
        std::fill_n(expected.begin(), single, 1);
        CHECK(steps(switched({{"rounds", length}}, switch_at, local_steps)) == expected);
        // By epochs, of 7.5 steps each.
        const long total = 15 * length;
        expected.clear();
        for (long done = 0; done < total; done += expected.back())
          expected.push_back(begins_early(done, total) ? 1 : std::min<long>(local_steps, total - done));
        CHECK(steps(switched({{"epochs", 2 * length}}, switch_at, local_steps)) == expected);
      }
    }
  }
}

TEST_CASE("rounds: numbered, counted, and the last one known") {
  const auto rounds = rounds_of(training({{"epochs", 2}}, 4));
  long so_far = 0;
  for (std::size_t i = 0; i < rounds.size(); ++i) {
    CHECK(rounds[i].index == static_cast<long>(i) + 1);
    CHECK(rounds[i].steps_so_far == (so_far += rounds[i].local_steps));
    CHECK(rounds[i].last == (i + 1 == rounds.size()));
  }
  CHECK(so_far == 15);
}

TEST_CASE("rounds: evaluated every so many, and at the end") {
  CHECK(evaluated(rounds_of(training({{"rounds", 10}, {"evaluate_every_rounds", 3}}))) == Longs{3, 6, 9, 10});
  CHECK(evaluated(rounds_of(training({{"rounds", 6}, {"evaluate_every_rounds", 3}}))) == Longs{3, 6});
  CHECK(evaluated(rounds_of(training({{"rounds", 2}, {"evaluate_every_rounds", 3}}))) == Longs{2});
  // Epochs end within rounds: the first round that reaches each counts. 7.5 steps an epoch.
  CHECK(evaluated(rounds_of(training({{"epochs", 4}}))) == Longs{8, 15, 23, 30});
  CHECK(evaluated(rounds_of(training({{"epochs", 4}, {"evaluate_every_epochs", 2}}))) == Longs{15, 30});
  CHECK(evaluated(rounds_of(training({{"epochs", 2}, {"evaluate_every_epochs", 0.2}}))) ==
        Longs{2, 3, 5, 6, 8, 9, 11, 12, 14, 15});
  CHECK(evaluated(rounds_of(training({{"epochs", 3}}, 10))) == Longs{1, 2, 3});  // steps 10, 20, 23
  // A round of several epochs is evaluated once.
  CHECK(evaluated(rounds_of(training({{"epochs", 8}}, 20))) == Longs{1, 2, 3});
  CHECK(evaluated(rounds_of(training({{"epochs", 4}, {"evaluate_every_epochs", 0.01}}))).size() == 30);
  // One tenth has no exact double; no multiple of it is missed for that.
  json tenths = training({{"epochs", 3}, {"evaluate_every_epochs", 0.1}});
  tenths["training"]["batch"] = 6;  // 10 steps an epoch
  CHECK(evaluated(rounds_of(tenths)).size() == 30);
}

TEST_CASE("history: a row an evaluated round, counted over all workers") {
  json scenario = training({{"epochs", 2}, {"evaluate_every_rounds", 2}}, 4);
  scenario["numerics"] = "live";
  const json run = complete_scenario(scenario);
  const json& history = run["history"];
  REQUIRE(history.size() == 2);
  CHECK(history[0]["round"] == 2);
  CHECK(history[0]["local_steps"] == 8);
  CHECK(history[0]["samples"] == 8 * 4 * 8);
  CHECK(history[1]["round"] == 4);
  CHECK(history[1]["local_steps"] == 15);
  CHECK(history[1]["samples"] == 15 * 4 * 8);
  CHECK(run["rounds"] == 4);
  // Equal messages every round: half of the bytes by half of the rounds; and steps 8 of 15 of the compute.
  CHECK(history[1]["bytes_sent"] == total(run, "bytes_sent"));
  CHECK(2 * history[0]["bytes_sent"].get<std::uint64_t>() == history[1]["bytes_sent"]);
  const double communication = run["workers"][0]["communication"], compute = run["workers"][0]["compute"];
  CHECK_CLOSE(history[0]["seconds"].get<double>(), communication / 2 + compute * 8 / 15);
  CHECK(history[1]["seconds"] == run["seconds"]);
}

TEST_CASE("history: training loss is the mean since the last row") {
  json scenario = training({{"rounds", 4}, {"evaluate_every_rounds", 1}}, 3);
  scenario["numerics"] = "live";
  const json every = complete_scenario(scenario)["history"];
  scenario["training"]["evaluate_every_rounds"] = 2;
  const json second = complete_scenario(scenario)["history"];
  REQUIRE(every.size() == 4);
  REQUIRE(second.size() == 2);
  const auto loss = [](const json& row) { return row["train_loss"].get<double>(); };
  CHECK(loss(second[0]) == Approx((loss(every[0]) + loss(every[1])) / 2).epsilon(1e-9));
  CHECK(loss(second[1]) == Approx((loss(every[2]) + loss(every[3])) / 2).epsilon(1e-9));
  CHECK(second[1]["test_loss"] == every[3]["test_loss"]);
  CHECK(second[0]["test_accuracy"] == every[1]["test_accuracy"]);
}

TEST_CASE("evaluation is off the clock unless charged: then it costs a forward pass and what it gathers") {
  constexpr double latency = 1e-3, bandwidth = 1e6, speed = 1e9;
  const json evaluating = {{"rounds", 5}, {"evaluate_every_rounds", 2}, {"batch", 8}};  // three
  for (const bool sharded : {false, true}) {
    json scenario = scenario_with(
        {{"protocol", {{"kind", "ist"}, {"local_steps", 2}, {"exchange", sharded ? "sharded" : "server"}}}});
    scenario["training"] = evaluating;
    const Prepared prepared(scenario);
    const double forward = prepared.job.model().costs(1).forward_flops() * 60 / speed;
    const double elsewhere = sharded ? 4.0 * 288 * 3 / 4 : 0;
    const double gather = sharded ? latency + elsewhere / bandwidth : 0;
    const json free = complete_scenario(scenario);
    scenario["training"]["charge_evaluation"] = true;
    const json charged = complete_scenario(scenario);
    CHECK_CLOSE(charged["seconds"].get<double>(), free["seconds"].get<double>() + 3 * (forward + gather));
    CHECK(total(charged, "bytes_sent") ==
          total(free, "bytes_sent") + static_cast<std::uint64_t>(3 * elsewhere));
    CHECK_CLOSE(charged["workers"][0]["compute"].get<double>(),
                free["workers"][0]["compute"].get<double>() + 3 * forward);
    CHECK(charged["workers"][1]["compute"] == free["workers"][1]["compute"]);
    // A row is written before it is tested: it does not have its own evaluation in it.
    CHECK(charged["history"][0]["seconds"] == free["history"][0]["seconds"]);
    CHECK_CLOSE(charged["history"][2]["seconds"].get<double>(),
                free["seconds"].get<double>() + 2 * (forward + gather));
  }
}

TEST_CASE("progress is reported every round") {
  const json seen = run_isolated([] {
    json scenario = training({{"rounds", 5}, {"evaluate_every_rounds", 2}});
    scenario["numerics"] = "live";
    const Prepared prepared(scenario);
    json reports = json::array();
    const RunResult result =
        simulate(prepared.scenario, prepared.job, *prepared.protocol,
                 {.threads = 2, .progress = [&](const Round& round, const HistoryRow& so_far) {
                    reports.push_back({round.index, so_far.local_steps, so_far.simulated_seconds > 0});
                  }});
    return reports;
  });
  REQUIRE(seen.size() == 5);
  for (int round = 1; round <= 5; ++round)
    CHECK(seen[static_cast<std::size_t>(round - 1)] == json{round, round, true});
}

TEST_CASE("rounds: a thousand million of them take neither memory nor time to plan") {
  const Rounds rounds =
      Prepared(training({{"rounds", 1'000'000'000}, {"evaluate_every_rounds", 7}}, 3)).job.rounds();
  CHECK(rounds.size() == 1'000'000'000);
  CHECK(rounds.evaluations() == 142'857'143);
  CHECK((*rounds.begin()).local_steps == 3);
}

}  // namespace rounds_test
