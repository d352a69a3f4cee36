// Unequal shares of neurons: equal ones are IST, and adapted ones (AdapTrain) make unlike devices finish
// together.

#include "tests/sim/runs.hpp"

using namespace isthmus;
using namespace isthmus::testing;

namespace ist_shares_test {
namespace {

json ist(const json& options = json::object()) {
  json protocol = {{"kind", "ist"}, {"local_steps", 3}};
  protocol.update(options);
  return protocol;
}

json scenario_of(const json& protocol, const json& devices = json::object(), const char* numerics = "live") {
  return scenario_with({{"numerics", numerics},
                        {"platform", {{"workers", 4}, {"devices", devices}}},
                        {"model", {{"kind", "mlp"}, {"hidden", {40, 24}}}},
                        {"training", {{"rounds", 9}, {"batch", 6}}},
                        {"protocol", protocol}});
}

json without_time(json run) {
  json history = json::array();
  for (const json& row : run["history"])
    history.push_back({row["round"], row["test_loss"], row["bytes_sent"]});
  return history;
}

std::vector<double> compute_seconds(const json& run) {
  std::vector<double> seconds;
  for (const json& worker : run["workers"]) seconds.push_back(worker["compute"]);
  return seconds;
}

}  // namespace

TEST_CASE("IST with equal shares is IST, to the bit") {
  for (const char* exchange : {"server", "sharded"}) {
    const json plain = complete_scenario(scenario_of(ist({{"exchange", exchange}})));
    const json equal =
        complete_scenario(scenario_of(ist({{"exchange", exchange}, {"shares", {2, 2, 2, 2}}})));
    CHECK(equal["history"] == plain["history"]);
    CHECK(equal["workers"] == plain["workers"]);
  }
}

TEST_CASE("AdapTrain on equal devices is IST, but for the bytes of its times") {
  const json plain = complete_scenario(scenario_of(ist()));
  const json adapted = complete_scenario(scenario_of(ist({{"adapt_every", 2}})));
  REQUIRE(adapted["history"].size() == plain["history"].size());
  for (std::size_t row = 0; row < plain["history"].size(); ++row)
    CHECK(adapted["history"][row]["test_loss"] == plain["history"][row]["test_loss"]);
  // After rounds 2, 4, 6 and 8 three workers tell 8 bytes each, and hear 32.
  CHECK(total(adapted, "bytes_sent") - total(plain, "bytes_sent") == 4 * 3 * (8 + 32));
}

TEST_CASE("IST with given shares: work and memory by them, live as costs") {
  const json shares = ist({{"shares", {4, 2, 1, 1}}});
  const json run = complete_scenario(scenario_of(shares)),
             costs = complete_scenario(scenario_of(shares, {}, "costs"));
  CHECK(run["seconds"] == costs["seconds"]);
  const auto of = [&](std::size_t worker, const char* key) {
    return run["workers"][worker][key].get<double>();
  };
  CHECK(of(0, "flops") > of(1, "flops"));
  CHECK(of(1, "flops") > of(2, "flops"));
  CHECK(of(2, "flops") == of(3, "flops"));
  CHECK(run["workers"][0]["memory"]["gradients"] > run["workers"][1]["memory"]["gradients"]);
  const json learnt = run["history"];
  CHECK(learnt.back()["test_loss"].get<double>() < learnt.front()["test_loss"].get<double>());
}

TEST_CASE("AdapTrain lets unlike devices compute equally long") {
  const json devices = {{"n-0", {{"speed", "4Gf"}}}, {"n-3", {{"speed", "500Mf"}}}};
  const auto spread = [&](const json& protocol) {
    const std::vector<double> seconds =
        compute_seconds(complete_scenario(scenario_of(protocol, devices, "costs")));
    return *std::ranges::max_element(seconds) / *std::ranges::min_element(seconds);
  };
  CHECK(spread(ist()) > 7);
  CHECK(spread(ist({{"adapt_every", 1}})) < 0.5 * spread(ist()));
  CHECK(Prepared(scenario_of(ist({{"adapt_every", 1}}))).protocol->depends_on_timing());
  CHECK_FALSE(Prepared(scenario_of(ist({{"shares", {1, 2, 3, 4}}}))).protocol->depends_on_timing());
  // What is learnt follows from the devices, and is the same to the bit however many threads train.
  const json adapted = ist({{"adapt_every", 2}});
  const json one = complete_scenario(scenario_of(adapted, devices), 1),
             two = complete_scenario(scenario_of(adapted, devices), 2);
  CHECK(one["history"] == two["history"]);
  CHECK(without_time(one) != without_time(complete_scenario(scenario_of(adapted))));
}

TEST_CASE("shares of another number than there are workers are refused") {
  CHECK(input_error_of([&] {
          const Prepared prepared(scenario_of(ist({{"shares", {1, 2}}})));
          prepared.protocol->require_fit(prepared.job);
        }) == "/protocol/shares: found 2 numbers; expected one for each of the 4 workers");
}

}  // namespace ist_shares_test
