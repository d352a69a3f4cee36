// Extreme classification: sparse samples with sets of labels under protocols.

#include "tests/sim/runs.hpp"

using namespace isthmus;
using namespace isthmus::testing;

namespace sparse_runs_test {
namespace {

json scenario_of(const json& protocol, const char* numerics, int hidden = 12) {
  return scenario_with({{"numerics", numerics},
                        {"platform", {{"workers", 4}}},
                        {"data",
                         {{"dimensions", 80},
                          {"classes", 50},
                          {"nonzeros", 7},
                          {"labels_per_sample", 3},
                          {"samples", 600},
                          {"test_samples", 200},
                          {"difficulty", 0.2},
                          {"in_memory", true}}},
                        {"model", {{"kind", "mlp"}, {"hidden", {hidden}}}},
                        {"training", {{"rounds", 40}, {"batch", 8}, {"learning_rate", 0.5}}},
                        {"protocol", protocol}});
}

}  // namespace

TEST_CASE("extreme classification: live as costs, with precision at 1, 3 and 5") {
  for (const json& protocol :
       {json{{"kind", "data_parallel"}}, json{{"kind", "ist"}, {"local_steps", 3}, {"exchange", "sharded"}},
        json{{"kind", "heterofl"}, {"local_steps", 3}}}) {
    INFO(protocol.dump());
    const json live = complete_scenario(scenario_of(protocol, "live"));
    const json costs = complete_scenario(scenario_of(protocol, "costs"));
    CHECK(live["seconds"] == costs["seconds"]);
    CHECK(live["workers"] == costs["workers"]);
    const json& last = live["history"].back();
    for (const char* precision : {"test_accuracy", "precision_at_3", "precision_at_5"})
      CHECK((last[precision] > 0.02 && last[precision] < 1));
    CHECK(last["test_loss"] < live["history"].front()["test_loss"]);
    CHECK(costs["history"].back()["precision_at_3"].is_null());
    // With three labels each at most three of five can be right.
    CHECK(last["precision_at_5"] <= 0.6);
  }
  const json one_each = complete_scenario(scenario_with({{"numerics", "live"}}));
  CHECK(one_each["history"].back()["precision_at_3"].is_null());
}

}  // namespace sparse_runs_test
