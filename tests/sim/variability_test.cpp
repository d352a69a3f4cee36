// Local steps that do not all take the same: times change, nothing else does.

#include "models/device/variability.hpp"

#include "tests/sim/runs.hpp"

using namespace isthmus;
using namespace isthmus::testing;

namespace variability_test {
namespace {

const json varied = {
    {"jitter", 0.2}, {"spread", 0.3}, {"slow_share", 0.2}, {"slow_factor", 5}, {"slow_steps", 2}};
const VariabilityOptions options = {
    .jitter = 0.2, .spread = 0.3, .slow_share = 0.2, .slow_factor = 5, .slow_steps = 2};

json with(const json& variability, const json& protocol, bool live = false) {
  return scenario_with({{"protocol", protocol},
                        {"numerics", live ? "live" : "costs"},
                        {"platform", {{"variability", variability}}},
                        {"training", {{"rounds", 4}, {"seed", 5}}}});
}

}  // namespace

TEST_CASE("variability: every worker computes for its own steps' time") {
  for (const json& protocol : std::vector<json>{{{"kind", "local_sgd"}, {"local_steps", 3}},
                                                {{"kind", "data_parallel"}},
                                                {{"kind", "data_parallel"}, {"overlap", false}}}) {
    const long steps = protocol["kind"] == "local_sgd" ? 12 : 4;
    const json usual = complete_scenario(with(json::object(), protocol)),
               run = complete_scenario(with(varied, protocol));
    for (int rank = 0; rank < 4; ++rank) {
      const auto seconds = [&](const json& of) {
        return of["workers"][static_cast<std::size_t>(rank)]["compute"].get<double>();
      };
      INFO(protocol << " rank " << rank);
      CHECK_CLOSE(seconds(run), seconds(usual) * Variability(options, 5, rank).slowdown(steps));
    }
    CHECK(run["workers"][0]["flops"] == usual["workers"][0]["flops"]);
  }
}

TEST_CASE("variability: what is learnt does not depend on it, to the bit") {
  for (const json& protocol :
       std::vector<json>{{{"kind", "ist"}, {"local_steps", 2}}, {{"kind", "data_parallel"}}}) {
    const json usual = complete_scenario(with(json::object(), protocol, true)),
               run = complete_scenario(with(varied, protocol, true));
    CHECK(run["seconds"] != usual["seconds"]);
    for (std::size_t row = 0; row < usual["history"].size(); ++row) {
      for (const char* column : {"test_loss", "train_loss", "test_accuracy", "bytes_sent"})
        CHECK(run["history"][row][column] == usual["history"][row][column]);
    }
    // And with values or without, it takes the same.
    CHECK(run["seconds"] == complete_scenario(with(varied, protocol))["seconds"]);
  }
}

TEST_CASE("variability: a round waits for its slowest worker") {
  json scenario = with({{"spread", 0.5}}, {{"kind", "local_sgd"}, {"local_steps", 3}});
  const json usual = complete_scenario(with(json::object(), scenario["protocol"]));
  const json run = complete_scenario(scenario);
  double slowest = 0;
  for (int rank = 0; rank < 4; ++rank)
    slowest = std::max(slowest, Variability({.spread = 0.5}, 5, rank).slowdown(1));
  const double compute = usual["workers"][0]["compute"];
  CHECK_CLOSE(run["seconds"].get<double>(), usual["seconds"].get<double>() + compute * (slowest - 1));
}

}  // namespace variability_test
