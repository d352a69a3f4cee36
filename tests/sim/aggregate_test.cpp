// The all-reduce of a protocol as a scenario's options describe it.

#include "sim/study/trajectory_key.hpp"
#include "tests/sim/runs.hpp"

using namespace isthmus;
using namespace isthmus::testing;

namespace aggregate_test {
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

PlannedRun planned(const json& scenario) {
  return std::move(plan_study(ScenarioDocument(scenario), source_file(".")).at(0));
}

json key_of(const json& scenario) { return trajectory_key(planned(scenario)).basis; }

const json by_sites = {{"kind", "data_parallel"}, {"aggregate", "hierarchical"}};

/// On the platform of two sites of four, as it is.
json on_two_sites(json scenario, const json& workers = 8) {
  scenario["platform"] = {{"file", source_file("platforms/two-sites.xml").string()}, {"workers", workers}};
  return scenario;
}

/// 480 parameters: they divide among 2, 4 and 8 workers, and so do their parts.
json dividing(const json& protocol) {
  return scenario_with({{"model", {{"kind", "mlp"}, {"hidden", {28}}, {"batch_norm", false}}},
                        {"training", {{"rounds", 1}}},
                        {"protocol", protocol}});
}

double communication_seconds(const json& run) {
  const json& worker = run["workers"][0];
  return run["seconds"].get<double>() - worker["compute"].get<double>();
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
        closed_form(prepared.scenario.protocol, prepared.job, link);
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
    CHECK(key_of(live_with(with(protocol, {{"overlap", false}}))) == key);
    const json buckets = with(protocol, {{"bucket", "100B"}});
    const json beside = complete_scenario(live_with(buckets));
    const json after = complete_scenario(live_with(with(buckets, {{"overlap", false}})));
    CHECK(beside["seconds"] != after["seconds"]);
    CHECK(numbers(beside) == numbers(after));
    CHECK(key_of(live_with(with(protocol, {{"bucket", "100B"}}))) != key);
    CHECK(key_of(live_with(with(protocol, {{"aggregate", "tree"}}))) != key);
    CHECK(key_of(live_with(with(protocol, {{"wire_format", "fp16"}}))) != key);
  }
}

TEST_CASE("aggregate hierarchical: the closed form is what is simulated, to the bit of the bytes") {
  struct Case {
    json workers;
    json group_size;
    json network;
    const char* format;
  };
  const json interleaved = {"east-0", "west-0", "east-1", "west-1"};
  const Case cases[] = {{8, nullptr, json::object(), "fp32"},
                        {8, nullptr, json::object(), "fp16"},
                        {interleaved, nullptr, json::object(), "fp32"},
                        {8, 4, json::object(), "fp32"},
                        {8, 2, json::object(), "fp32"},        // two sites on each end of the line between
                        {8, 8, json::object(), "fp32"},        // one site
                        {8, 1, json::object(), "fp32"},        // as many as workers
                        {4, nullptr, json::object(), "fp32"},  // all in the east
                        {8, nullptr, {{"goodput", 0.8}, {"message_overhead", "1ms"}}, "fp32"},
                        {8, nullptr, {{"collective_overhead", "5ms"}, {"latency_factor", 3}}, "fp32"}};
  for (const Case& each : cases) {
    json scenario = on_two_sites(dividing(with(by_sites, {{"wire_format", each.format}})), each.workers);
    if (!each.group_size.is_null()) scenario["protocol"]["group_size"] = each.group_size;
    scenario["network"] = each.network;
    INFO(scenario["platform"].dump() << scenario["protocol"].dump() << scenario["network"].dump());
    const PlannedRun plan = planned(scenario);
    const Forecast form =
        closed_form(plan.point.scenario.protocol, *plan.job, plan.platform->slowest_link());
    const json run = complete_scenario(scenario);
    CHECK_CLOSE(communication_seconds(run), form.communication_seconds);
    for (std::size_t rank = 0; rank < run["workers"].size(); ++rank) {
      CHECK(run["workers"][rank]["bytes_sent"] == form.workers[rank].bytes_sent);
      CHECK(run["workers"][rank]["memory"] == as_json(form.workers[rank].memory));
    }
  }
  // By hand: 480 values; quarters of them inside at 100 us and 125 MB/s, and between, where four flows share
  // 12.5 MB/s, halves of these.
  const json run = complete_scenario(on_two_sites(dividing(by_sites)));
  const double inside = 3 * (100e-6 + 480 / 125e6), between = 2 * (10.1e-3 + 240 / (12.5e6 / 4));
  CHECK_CLOSE(communication_seconds(run), 2 * inside + between);
}

TEST_CASE("aggregate hierarchical: large messages take what the closed form says, to a per cent") {
  json scenario = on_two_sites(dividing(with(by_sites, {{"overlap", false}})));
  scenario["model"] = {{"kind", "mlp"}, {"hidden", {1000, 997}}};
  const double simulated = communication_seconds(complete_scenario(scenario));
  const PlannedRun plan = planned(scenario);
  const LinkModel link = plan.platform->slowest_link();
  CHECK(closed_form(plan.point.scenario.protocol, *plan.job, link).communication_seconds ==
        Approx(simulated).epsilon(0.01));
}

TEST_CASE("aggregate hierarchical: sites are zones or groups, and are told") {
  const auto sites = [](const json& scenario) { return planned(scenario).point.chosen["sites"]; };
  const json scenario = on_two_sites(dividing(by_sites));
  CHECK(sites(scenario) == json{0, 0, 0, 0, 1, 1, 1, 1});
  CHECK(sites(on_two_sites(scenario, {"west-3", "east-0", "west-1"})) == json{0, 1, 0});
  CHECK(sites(dividing(by_sites)) == json{0, 0, 0, 0});  // a star is one site
  CHECK(sites(on_two_sites(dividing(with(by_sites, {{"group_size", 3}})))) == json{0, 0, 0, 1, 1, 1, 2, 2});
}

TEST_CASE("aggregate hierarchical: every worker has the same mean to the bit, near that of a ring") {
  for (const char* format : {"fp32", "bf16"}) {
    for (const int group_size : {4, 3}) {  // sites of one size, and of several
      INFO(format << ", groups of " << group_size);
      json results = json::array();
      for (const json& protocol :
           {with(by_sites, {{"group_size", group_size}, {"wire_format", format}}),
            json{{"kind", "data_parallel"}, {"aggregate", "ring"}, {"wire_format", format}}}) {
        const json scenario = on_two_sites(live_with(protocol));
        results.push_back(run_isolated([&] {
          json means = json::array();
          const auto aggregate = make_aggregate(Prepared::resolve(scenario).protocol);
          auto body = std::make_unique<TestProtocol>([&](Worker& worker) {
            std::vector<float> values(1001);
            for (std::size_t i = 0; i < values.size(); ++i)
              values[i] = std::sin(static_cast<float>(i + 1) * static_cast<float>(worker.rank() + 1));
            mean(*aggregate, worker.communicator(), values);
            means.push_back(values);
          });
          const Prepared prepared(scenario, std::move(body));
          REQUIRE(simulate(prepared.scenario, prepared.job, *prepared.protocol, {}).outcome ==
                  Outcome::completed);
          return means;
        }));
      }
      const json &found = results[0], &ring = results[1];
      REQUIRE(found.size() == 8);
      for (const json& values : found) CHECK(values == found[0]);
      const double rounding = std::string(format) == "fp32" ? 1e-6 : 2e-2;
      double off = 0;
      for (std::size_t i = 0; i < 1001; ++i) {
        double exact = 0;
        for (int rank = 0; rank < 8; ++rank)
          exact += std::sin(static_cast<float>(i + 1) * static_cast<float>(rank + 1)) / 8.0;
        off = std::max(off, std::abs(found[0][i].get<double>() - exact));
      }
      CHECK(off < rounding);
      CHECK(found[0] != ring[0]);  // sums are made in another order
    }
  }
}

TEST_CASE("aggregate hierarchical: what is learnt depends on sites, not on how they were named") {
  const json zones = on_two_sites(live_with(by_sites));
  const json groups = on_two_sites(live_with(with(by_sites, {{"group_size", 4}})));
  json star = live_with(with(by_sites, {{"group_size", 4}}));
  star["platform"]["workers"] = 8;
  CHECK(key_of(zones) == key_of(groups));
  CHECK(key_of(zones) == key_of(star));
  CHECK(numbers(complete_scenario(zones)) == numbers(complete_scenario(star)));
  CHECK(key_of(zones) != key_of(on_two_sites(live_with(with(by_sites, {{"group_size", 2}})))));
}

TEST_CASE("aggregate auto: each all-reduce is simulated for a round, and the fastest is the run") {
  json scenario = on_two_sites(dividing({{"kind", "local_sgd"}, {"local_steps", 2}, {"aggregate", "auto"}}));
  scenario["model"] = {{"kind", "mlp"}, {"hidden", {1000}}};
  const json chosen = planned(scenario).point.chosen;
  CHECK(chosen["simulated_round_seconds"].size() == 7);
  CHECK(chosen["aggregate"] == "hierarchical");  // the line between the sites is slow
  for (const auto& [name, seconds] : chosen["simulated_round_seconds"].items()) {
    INFO(name);
    json named = scenario;
    named["protocol"]["aggregate"] = name;
    const json run = complete_scenario(named);
    CHECK(run["seconds"] == seconds);
    CHECK(run["seconds"] >= chosen["simulated_round_seconds"]["hierarchical"]);
    if (name == "hierarchical") CHECK(complete_scenario(scenario) == run);
  }
  // Three and one are no sites to choose, nor is a star.
  for (const json& workers : {json{"east-0", "east-1", "east-2", "west-0"}, json(4)}) {
    const json none = planned(on_two_sites(scenario, workers)).point.chosen;
    CHECK(none["simulated_round_seconds"].size() == 6);
    CHECK_FALSE(none.contains("sites"));
  }
}

TEST_CASE(
    "aggregate auto: on unlike links a server may win, though no closed form of the slowest pair says so") {
  // The way between b and c is slow, and only a ring, a tree or shards must take it.
  const TemporaryPlatform triangle(
      "<zone id=\"z\" routing=\"Full\"><host id=\"a\" speed=\"1Gf\"/><host id=\"b\" speed=\"1Gf\"/>"
      "<host id=\"c\" speed=\"1Gf\"/><link id=\"ab\" bandwidth=\"1Gbps\" latency=\"1ms\"/>"
      "<link id=\"ac\" bandwidth=\"1Gbps\" latency=\"1ms\"/><link id=\"bc\" bandwidth=\"1Mbps\" "
      "latency=\"1ms\"/>"
      "<route src=\"a\" dst=\"b\"><link_ctn id=\"ab\"/></route><route src=\"a\" dst=\"c\"><link_ctn "
      "id=\"ac\"/></route>"
      "<route src=\"b\" dst=\"c\"><link_ctn id=\"bc\"/></route></zone>");
  json scenario = dividing({{"kind", "data_parallel"}, {"aggregate", "auto"}});
  scenario["model"] = {{"kind", "mlp"}, {"hidden", {1000}}};
  scenario["platform"] = {{"file", triangle.options().file.string()}, {"workers", 3}};
  const json chosen = planned(scenario).point.chosen;
  const json& seconds = chosen["simulated_round_seconds"];
  CHECK((chosen["aggregate"] == "server" || chosen["aggregate"] == "tree"));
  CHECK(seconds["server"] < 0.1 * seconds["ring"].get<double>());
  CHECK(seconds["server"] < 0.1 * seconds["sharded"].get<double>());
}

TEST_CASE(
    "aggregate auto: what does not fit is not chosen, and where nothing does the run says so") {
  json scenario = on_two_sites(dividing({{"kind", "data_parallel"}, {"aggregate", "auto"}}));
  scenario["platform"]["memory"] = "1B";
  const json none = planned(scenario).point.chosen;
  CHECK(none["aggregate"] == "ring");  // the run itself says what it lacks
  CHECK(none["simulated_round_seconds"]["ring"].is_null());
}

}  // namespace aggregate_test
