// The all-reduce of a protocol as a scenario's options describe it.

#include "sim/study/trajectory_key.hpp"
#include "tests/sim/runs.hpp"

using namespace isthmus;
using namespace isthmus::testing;

namespace {

const json chunked = {{"kind", "data_parallel"}, {"aggregate", "ring_chunked"}};

json with(json protocol, const json& options) {
  protocol.update(options);
  return protocol;
}

json live_with(const json& protocol) {
  return scenario_with({{"numerics", "live"}, {"training", {{"rounds", 4}}}, {"protocol", protocol}});
}

/// What was learnt, without when and by how many messages.
json numbers(const json& run) {
  json rows = json::array();
  for (const json& row : run["history"])
    rows.push_back({row["train_loss"], row["test_loss"], row["test_accuracy"]});
  return rows;
}

json key_of(json scenario) {
  const std::vector<PlannedRun> runs = plan_study(ScenarioDocument(scenario), source_file("."));
  return trajectory_key(runs.at(0)).basis;
}

}  // namespace

TEST_CASE("aggregate: chunks have the size on the wire that the scenario says") {
  // 12 x 28 + 28 + 28 x 4 + 4 = 480 parameters: slices of 120 on 4 workers.
  const json scenario = scenario_with({{"model", {{"kind", "mlp"}, {"hidden", {28}}, {"batch_norm", false}}},
                                       {"data", {{"dimensions", 12}}},
                                       {"training", {{"rounds", 1}}}});
  const auto messages = [&](const json& options) {
    json changed = scenario;
    changed["protocol"] = with(chunked, options);
    const json run = complete_scenario(changed);
    const Prepared prepared(changed);
    const LinkModel link{.latency_seconds = 1e-3, .bandwidth_bytes_per_second = 1e6};
    const Forecast planned =
        forecast(*prepared.protocol, prepared.job, link, wire_format_of(prepared.scenario.protocol));
    CHECK_CLOSE(run["seconds"].get<double>(), planned.workers[0].flops / 1e9 + planned.communication_seconds);
    CHECK(run["workers"][0]["bytes_sent"] == planned.workers[0].bytes_sent);
    CHECK(run["workers"][0]["memory"] == as_json(planned.workers[0].memory));
    return run["workers"][0]["messages_sent"].get<int>();
  };
  REQUIRE(Prepared(scenario).job.model().layout().trainable_size() == 480);
  CHECK(messages({{"chunks_in_flight", 1}}) == 6);
  CHECK(messages({{"chunks_in_flight", 3}}) == 6 * 3);
  CHECK(messages({{"chunks_in_flight", 2}, {"chunk", "120B"}}) == 6 * 4);
  CHECK(messages({{"chunks_in_flight", 2}, {"chunk", "120B"}, {"wire_format", "fp16"}}) == 6 * 2);
  CHECK(messages({{"chunks_in_flight", 1}, {"chunk", "1B"}}) == 6 * 120);  // a value at least
}

TEST_CASE("aggregate: what is learnt does not depend on chunks, to the bit, and one trajectory serves all") {
  for (const char* format : {"fp32", "bf16"}) {
    const json protocol = with(chunked, {{"wire_format", format}});
    const json usual = complete_scenario(live_with(protocol));
    REQUIRE(usual["history"].back()["test_accuracy"].is_number());
    const json small =
        complete_scenario(live_with(with(protocol, {{"chunk", "40B"}, {"chunks_in_flight", 7}})));
    CHECK(small["seconds"] != usual["seconds"]);
    CHECK(numbers(small) == numbers(usual));
    const json key = key_of(live_with(protocol));
    CHECK(key_of(live_with(with(protocol, {{"chunk", "40B"}}))) == key);
    CHECK(key_of(live_with(with(protocol, {{"chunks_in_flight", 7}}))) == key);
    CHECK(key_of(live_with(with(protocol, {{"aggregate", "tree"}}))) != key);
    CHECK(key_of(live_with(with(protocol, {{"wire_format", "fp16"}}))) != key);
  }
}
