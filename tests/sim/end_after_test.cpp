// Training that ends after some simulated seconds: up to there it is what it would have been, for protocols
// that wait for each other, gossip, or have servers.

#include "tests/sim/runs.hpp"

using namespace isthmus;
using namespace isthmus::testing;

namespace end_after_test {
namespace {

json scenario_of(const json& protocol, const json& changes = json::object()) {
  json all = {{"numerics", "live"},
              {"platform", {{"workers", 4}, {"devices", {{"n-2", {{"speed", "300Mf"}}}}}}},
              {"model", {{"kind", "mlp"}, {"hidden", {12}}}},
              {"training", {{"rounds", 9}, {"batch", 6}, {"evaluate_every_rounds", 1}}},
              {"protocol", protocol}};
  all.merge_patch(changes);
  return scenario_with(all);
}

json ending_after(double seconds) { return {{"training", {{"end_after_seconds", seconds}}}}; }

}  // namespace

TEST_CASE("end after: what is over then is what it would have been") {
  for (const json& protocol :
       {json{{"kind", "data_parallel"}}, json{{"kind", "data_parallel"}, {"overlap", false}},
        json{{"kind", "local_sgd"}, {"local_steps", 3}}, json{{"kind", "ist"}, {"local_steps", 3}},
        json{{"kind", "d_psgd"}, {"graph", "ring"}}, json{{"kind", "async_sgd"}, {"servers", 2}},
        json{{"kind", "fedavg"}, {"local_steps", 2}, {"clients", 2}},
        json{{"kind", "streaming_diloco"}, {"local_steps", 2}, {"layers_per_fragment", 1}}}) {
    INFO(protocol.dump());
    const json whole = complete_scenario(scenario_of(protocol));
    const auto seconds_of = [&](std::size_t row) { return whole["history"][row]["seconds"].get<double>(); };
    REQUIRE(whole["history"].size() == 9);
    // In the midst of the fifth round, and exactly at its end; from the first round on; never.
    for (const auto& [limit, rounds] : {std::pair((seconds_of(3) + seconds_of(4)) / 2, 5),
                                        std::pair(seconds_of(4), 5), std::pair(1e-9, 1), std::pair(1e9, 9)}) {
      const json run = complete_scenario(scenario_of(protocol, ending_after(limit)));
      REQUIRE(run["history"].size() == static_cast<std::size_t>(rounds));
      for (std::size_t row = 0; row < run["history"].size(); ++row)
        CHECK(run["history"][row] == whole["history"][row]);
      CHECK(run["rounds"] == rounds);
      CHECK(run["seconds"] == (rounds == 9 ? whole["seconds"] : run["history"].back()["seconds"]));
      const json costs = complete_scenario(
          scenario_of(protocol, {{"numerics", "costs"}, {"training", {{"end_after_seconds", limit}}}}));
      CHECK(costs["rounds"] == rounds);
      CHECK(costs["seconds"] == run["seconds"]);
      CHECK(costs["workers"] == run["workers"]);
    }
  }
}

TEST_CASE("end after: on a slower network less is trained") {
  const auto run_at = [](const char* bandwidth, json changes) {
    changes["platform"]["bandwidth"] = bandwidth;
    return complete_scenario(scenario_of({{"kind", "data_parallel"}}, changes));
  };
  const double half = run_at("100kBps", json::object())["seconds"].get<double>() / 2;
  const json slow = run_at("100kBps", ending_after(half)), fast = run_at("1MBps", ending_after(half));
  CHECK(slow["rounds"].get<long>() < 9);
  CHECK(slow["rounds"].get<long>() < fast["rounds"].get<long>());
}

}  // namespace end_after_test
