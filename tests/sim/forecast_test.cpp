// What a protocol says of a round before it runs is what the ledger counts when it does.

#include "tests/sim/runs.hpp"

using namespace isthmus;
using namespace isthmus::testing;

namespace forecast_test {
namespace {

constexpr LinkModel worker_link = {.latency_seconds = 1e-3,
                                   .bandwidth_bytes_per_second = 1e6};  // of the small scenario
constexpr long rounds = 3;

std::vector<json> all_protocols() {
  std::vector<json> protocols;
  for (const char* form : {"ring", "tree", "server", "sharded"}) {
    protocols.push_back({{"kind", "data_parallel"}, {"aggregate", form}});
    protocols.push_back({{"kind", "local_sgd"}, {"local_steps", 3}, {"aggregate", form}});
  }
  for (const char* partition : {"uniform", "stratified"}) {
    protocols.push_back(
        {{"kind", "ist"}, {"local_steps", 3}, {"exchange", "server"}, {"partition", partition}});
  }
  protocols.push_back({{"kind", "local_sgd"}, {"local_steps", 3}, {"slow_momentum", 0.5}});
  protocols.push_back({{"kind", "local_sgd"}, {"local_steps", 3}, {"slow_learning_rate", 0.5}});
  protocols.push_back(
      {{"kind", "ist"}, {"local_steps", 3}, {"exchange", "sharded"}, {"partition", "stratified"}});
  return protocols;
}

void check_forecast(const json& scenario) {
  INFO(scenario.dump());
  const json run = complete_scenario(scenario);
  const Prepared prepared(scenario);
  const Forecast forecast = closed_form(prepared.scenario.protocol, prepared.job, worker_link);
  const auto n = static_cast<std::size_t>(prepared.job.workers());
  const auto times = static_cast<std::uint64_t>(prepared.job.rounds().size());
  REQUIRE(forecast.workers.size() == n);
  for (std::size_t rank = 0; rank < n; ++rank) {
    INFO("worker " << rank);
    const json& worker = run["workers"][rank];
    CHECK(worker["bytes_sent"] == times * forecast.workers[rank].bytes_sent);
    CHECK_CLOSE(worker["flops"].get<double>(), static_cast<double>(times) * forecast.workers[rank].flops);
    CHECK(worker["memory"] == as_json(forecast.workers[rank].memory));
  }
  CHECK_CLOSE(run["paper_bytes"].get<double>(), static_cast<double>(times) * forecast.paper_bytes);
}

}  // namespace

TEST_CASE("forecast: bytes, FLOPs, memory by part, and the papers' bytes") {
  const std::vector<json> models = {
      {{"kind", "mlp"}, {"hidden", {16}}},
      {{"kind", "mlp"}, {"hidden", {13, 9}}, {"batch_norm", false}},
      {{"kind", "mlp"}, {"hidden", {11, 10, 23}}, {"bias", true}, {"statistics", "running"}}};
  const std::vector<json> trainings = {
      json::object(),
      {{"momentum", 0.9}},
      {{"momentum", 0.9}, {"nesterov", true}, {"weight_decay", 1e-4}, {"batch", 5}},
      {{"optimizer", {{"kind", "adamw"}}}, {"clip_gradient_norm", 1}}};
  for (const json& protocol : all_protocols()) {
    for (const int n : {1, 2, 3, 8}) {
      for (std::size_t i = 0; i < trainings.size(); ++i) {
        json scenario =
            scenario_with({{"platform", {{"workers", n}}},
                           {"model", models[i % models.size()]},
                           {"protocol", protocol},
                           {"data", {{"in_memory", i != 1}, {"split", i == 2 ? "shared" : "iid"}}}});
        scenario["training"].update(trainings[i]);
        scenario["training"]["rounds"] = rounds;
        check_forecast(scenario);
      }
    }
  }
}

TEST_CASE("forecast: momentum that is averaged, too") {
  for (const char* form : {"ring", "tree", "server", "sharded"}) {
    for (const int n : {1, 2, 4}) {
      json scenario = scenario_with(
          {{"platform", {{"workers", n}}},
           {"model", {{"kind", "mlp"}, {"hidden", {32, 16}}, {"statistics", "running"}}},
           {"training", {{"rounds", rounds}, {"momentum", 0.9}, {"optimizer_state", "average"}}},
           {"protocol", {{"kind", "local_sgd"}, {"local_steps", 3}, {"aggregate", form}}}});
      check_forecast(scenario);
    }
  }
}

TEST_CASE("forecast: of post-local SGD, rounds before and after the switch, also in 16 bits") {
  for (const char* format : {"fp32", "bf16"}) {
    for (const char* form : {"ring", "server"}) {
      for (const json& training : {json::object(), json{{"momentum", 0.9}, {"optimizer_state", "average"}}}) {
        json scenario =
            scenario_with({{"model", {{"kind", "mlp"}, {"hidden", {32, 16}}, {"statistics", "running"}}},
                           {"protocol",
                            {{"kind", "post_local_sgd"},
                             {"local_steps", 3},
                             {"switch_at", 0.3},
                             {"slow_momentum", 0.5},
                             {"aggregate", form},
                             {"wire_format", format}}}});
        scenario["training"].update(training);
        scenario["training"]["rounds"] = 7;
        INFO(scenario.dump());
        const json run = complete_scenario(scenario);
        const Prepared prepared(scenario);
        const Forecast after = closed_form(prepared.scenario.protocol, prepared.job, worker_link);
        REQUIRE(after.before.size() == 1);
        const Forecast& before = after.before.front();
        CHECK(after.round == 5);
        CHECK(before.round == 1);
        for (std::size_t rank = 0; rank < after.workers.size(); ++rank) {
          const json& worker = run["workers"][rank];
          CHECK(worker["bytes_sent"] ==
                4 * before.workers[rank].bytes_sent + 3 * after.workers[rank].bytes_sent);
          CHECK_CLOSE(worker["flops"].get<double>(),
                      4 * before.workers[rank].flops + 3 * after.workers[rank].flops);
          CHECK(worker["memory"] == as_json(after.workers[rank].memory));
        }
        CHECK_CLOSE(run["paper_bytes"].get<double>(), 4 * before.paper_bytes + 3 * after.paper_bytes);
        const auto seconds = [](const Forecast& round) { return round.round_seconds(round.workers[0], 1e9); };
        CHECK_CLOSE(run["seconds"].get<double>(), 4 * seconds(before) + 3 * seconds(after));
      }
    }
  }
}

TEST_CASE(
    "forecast: sharded IST with a uniform partition, whose overlaps with homes are those of the first "
    "round") {
  for (const int n : {2, 3, 8}) {
    check_forecast(scenario_with(
        {{"platform", {{"workers", n}}},
         {"model", {{"kind", "mlp"}, {"hidden", {40, 17}}}},
         {"training", {{"rounds", 1}}},
         {"protocol",
          {{"kind", "ist"}, {"local_steps", 2}, {"exchange", "sharded"}, {"partition", "uniform"}}}}));
  }
}

TEST_CASE("forecast: communication seconds, where work divides evenly") {
  for (const json& protocol : all_protocols()) {
    for (const int n : {1, 2, 4}) {
      const json scenario = scenario_with({{"platform", {{"workers", n}}},
                                           {"model", {{"kind", "mlp"}, {"hidden", {32, 16}}}},
                                           {"training", {{"rounds", rounds}}},
                                           {"protocol", protocol}});
      INFO(scenario.dump());
      const Prepared prepared(scenario);
      const Forecast forecast = closed_form(prepared.scenario.protocol, prepared.job, worker_link);
      const double compute = forecast.workers[0].flops / 1e9;
      CHECK((n == 1) == (forecast.communication_seconds == 0));
      CHECK_CLOSE(complete_scenario(scenario)["seconds"].get<double>(),
                  rounds * (compute + forecast.communication_seconds));
    }
  }
}

TEST_CASE("forecast: 64 workers and sparse data") {
  json scenario = scenario_with(
      {{"platform", {{"file", source_file("platforms/fat-tree-64.xml").string()}, {"workers", 64}}},
       {"model", {{"kind", "mlp"}, {"hidden", {640, 100}}}},
       {"data", {{"dimensions", 1000}, {"nonzeros", 7}}}});
  for (const json& protocol : all_protocols()) {
    scenario["protocol"] = protocol;
    check_forecast(scenario);
  }
}

}  // namespace forecast_test
