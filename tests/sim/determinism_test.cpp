// The same scenario gives the same bits, whatever the number of threads; costs runs measure what live ones
// do.

#include "tests/sim/runs.hpp"

using namespace isthmus;
using namespace isthmus::testing;

namespace determinism_test {
namespace {

std::vector<json> protocols() {
  return {
      {{"kind", "data_parallel"}},
      {{"kind", "data_parallel"}, {"aggregate", "tree"}},
      {{"kind", "local_sgd"}, {"local_steps", 3}, {"aggregate", "server"}},
      {{"kind", "local_sgd"}, {"local_steps", 4}, {"aggregate", "sharded"}},
      {{"kind", "local_sgd"}, {"local_steps", 3}, {"slow_momentum", 0.5}},
      {{"kind", "post_local_sgd"}, {"local_steps", 3}, {"switch_at", 0.2}},
      {{"kind", "diloco"}, {"local_steps", 3}},
      {{"kind", "streaming_diloco"}, {"local_steps", 4}, {"layers_per_fragment", 1}, {"overlap", true}},
      {{"kind", "data_parallel"}, {"compression", {{"kind", "majority_vote"}}}},
      {{"kind", "noloco"}, {"local_steps", 3}},
      {{"kind", "d_psgd"}, {"graph", "exponential"}, {"mix", "beside"}},
      {{"kind", "choco"}, {"compression", {{"kind", "qsgd"}}}},
      {{"kind", "async_sgd"}, {"servers", 2}},
      {{"kind", "fedbuff"}, {"local_steps", 2}, {"buffer", 2}, {"concurrency", 3}},
      {{"kind", "scaffold"}, {"local_steps", 2}, {"clients", 3}},
      {{"kind", "async_ist"}, {"local_steps", 3}},
      {{"kind", "sparta"}, {"share", 0.3}},
      {{"kind", "data_parallel"}, {"compression", {{"kind", "qsgd"}}}, {"bucket", "1KiB"}},
      {{"kind", "data_parallel"}, {"aggregate", "sharded"}, {"compression", {{"kind", "top_k"}}}},
      {{"kind", "diloco"}, {"local_steps", 3}, {"compression", {{"kind", "power_sgd"}}}},
      {{"kind", "ist"}, {"local_steps", 3}, {"exchange", "server"}},
      {{"kind", "ist"}, {"local_steps", 3}, {"shares", {3, 1, 2, 1, 1}}},
      {{"kind", "hist"}, {"local_steps", 2}, {"averages", 2}, {"group_size", 2}},
      {{"kind", "ist"}, {"local_steps", 4}, {"exchange", "sharded"}},
      {{"kind", "ist"}, {"local_steps", 4}, {"exchange", "sharded"}, {"compression", {{"kind", "qsgd"}}}}};
}

/// Unequal parts on unequal devices.
json live(const json& protocol) {
  return scenario_with(
      {{"platform",
        {{"workers", 5}, {"devices", {{"n-1", {{"speed", "70Mf"}}}, {"n-4", {{"speed", "2Gf"}}}}}}},
       {"model", {{"kind", "mlp"}, {"hidden", {23, 17}}, {"statistics", "running"}}},
       {"training", {{"rounds", 5}, {"momentum", 0.9}, {"charge_evaluation", true}}},
       {"numerics", "live"},
       {"protocol", protocol}});
}

}  // namespace

TEST_CASE("every measured bit is the same for 1, 2 and 4 threads, and when run again") {
  for (const json& protocol : protocols()) {
    INFO(protocol.dump());
    const json once = complete_scenario(live(protocol), 1, true);
    REQUIRE(once["history"].size() == 5);
    REQUIRE(once["history"][4]["test_loss"].is_number());
    for (const int threads : {1, 2, 4}) CHECK(complete_scenario(live(protocol), threads, true) == once);
  }
}

TEST_CASE("to record a trace changes nothing else") {
  json traced = complete_scenario(live(protocols()[0]), 1, true),
       plain = complete_scenario(live(protocols()[0]), 1);
  CHECK(traced["trace"].is_object());
  CHECK(plain["trace"].is_null());
  traced.erase("trace");
  plain.erase("trace");
  CHECK(traced == plain);
}

TEST_CASE("a costs run has the times, bytes, messages and memory of the live one, and no accuracy") {
  for (const json& protocol : protocols()) {
    for (const char* split : {"iid", "shared"}) {
      INFO(protocol.dump() << " " << split);
      json scenario = live(protocol);
      scenario["data"]["split"] = split;
      json real = complete_scenario(scenario, 2, true);
      scenario["numerics"] = "costs";
      json costs = complete_scenario(scenario, 2, true);
      for (std::size_t i = 0; i < costs["history"].size(); ++i) {
        for (const char* learned : {"train_loss", "test_loss", "test_accuracy"}) {
          CHECK(real["history"][i][learned].is_number());
          CHECK(costs["history"][i][learned].is_null());
          real["history"][i].erase(learned);
          costs["history"][i].erase(learned);
        }
        for (json* run : {&real, &costs}) (*run)["history"][i].erase("consensus_distance");  // where it is known
      }
      CHECK(costs == real);
    }
  }
}

}  // namespace determinism_test
