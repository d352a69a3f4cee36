#pragma once

// Helpers of the tests that run a scenario, each in a child process: what it measured comes back as JSON.

#include <cmath>
#include <functional>
#include <memory>
#include <set>

#include "sim/collectives/all_reduce.hpp"
#include "sim/core/replica.hpp"
#include "sim/protocols/protocol.hpp"
#include "sim/scenario/resolve.hpp"
#include "sim/simgrid/simulation.hpp"
#include "sim/study/plan.hpp"
#include "sim/study/resolve_aggregate.hpp"
#include "tests/sim/closed_forms.hpp"
#include "tests/sim/simulation.hpp"

namespace isthmus::testing {

using nlohmann::json;

/// Four workers on a full-duplex star of 1 MBps and 1 ms, each of 1 Gf, costs only; 2 rounds of a small
/// network.
inline json small_scenario() {
  return {
      {"name", "test"},
      {"platform",
       {{"file", source_file("platforms/star-8.xml").string()},
        {"workers", 4},
        {"bandwidth", "1MBps"},
        {"latency", "1ms"},
        {"speed", "1Gf"}}},
      {"data",
       {{"set", "synthetic"}, {"dimensions", 12}, {"classes", 4}, {"samples", 240}, {"test_samples", 60}}},
      {"model", {{"kind", "mlp"}, {"hidden", {16}}}},
      {"training", {{"batch", 8}, {"rounds", 2}, {"evaluate_every_rounds", 1}, {"learning_rate", 0.1}}},
      {"numerics", "costs"},
      {"protocol", {{"kind", "data_parallel"}}}};
}

/// The small scenario with members replaced; null removes one. `protocol` and `model` are replaced as a
/// whole.
inline json scenario_with(const json& changes) {
  json scenario = small_scenario();
  for (const char* whole : {"protocol", "model"}) {
    if (changes.contains(whole)) scenario[whole] = json::object();
  }
  scenario.merge_patch(changes);
  return scenario;
}

/// An all-reduce with the usual options.
inline std::unique_ptr<Collective> all_reduce_named(const std::string& name) {
  return make_collective(CollectiveKind::all_reduce, name, {});
}

/// A protocol whose workers run a function, and then end all rounds with the initial parameters.
class TestProtocol final : public Protocol {
 public:
  using Body = std::function<void(Worker&)>;
  explicit TestProtocol(Body body) : body_(std::move(body)) {}

  RoundPlan round_plan() const override { return {}; }
  void run(Worker& worker) const override {
    body_(worker);
    const Job& job = worker.job();
    std::vector<float> parameters = job.live() ? job.initial_parameters() : std::vector<float>();
    const Values values = job.live() ? Values(parameters) : Values::phantom(job.model().layout().size());
    for (const Round& round : job.rounds()) worker.end_round(round, values);
  }
  std::vector<RankPair> talking_pairs(int workers) const override { return all_pairs(workers); }

 private:
  Body body_;
};

/// A column of a run's history.
inline std::vector<double> column(const json& run, const char* name) {
  std::vector<double> values;
  for (const json& row : run["history"]) values.push_back(row[name].get<double>());
  return values;
}

/// Made once, when a test begins: its children have it.
inline const Checker& test_checker() {
  static const Checker checker(complete_schema());
  return checker;
}
inline const bool checker_is_there = !test_checker().view().at_root(nullptr).empty();

/// A scenario made ready as the `run` command does it.
struct Prepared {
  explicit Prepared(const json& document, std::unique_ptr<Protocol> own_protocol = nullptr)
      : Prepared(resolve(document), std::move(own_protocol)) {}
  explicit Prepared(Scenario resolved, std::unique_ptr<Protocol> own_protocol = nullptr)
      : scenario(std::move(resolved)),
        protocol(own_protocol ? std::move(own_protocol) : make_protocol(scenario.protocol)),
        job(scenario.data, scenario.model, scenario.training, scenario.platform.workers,
            protocol->round_plan(), scenario.live) {}

  static Scenario resolve(const json& document) {
    Point point = resolve_points(ScenarioDocument(document), test_checker(), source_file(".")).at(0);
    KnownPlatforms platforms;
    AggregateResolver(platforms).resolve(point);
    return point.scenario;
  }

  Scenario scenario;
  std::unique_ptr<Protocol> protocol;
  Job job;
};

inline json as_json(const MemoryUse& use) {
  json parts = json::object();
  for (std::size_t i = 0; i < memory_part_names.size(); ++i) {
    parts[std::string(memory_part_names[i])] = use[static_cast<MemoryPart>(i)];
  }
  return parts;
}

inline json as_json(const RunResult& run) {
  static const std::vector<std::string> outcomes = {"completed", "out_of_memory", "deadlock", "failed"};
  const auto optional = [](const auto& value) { return value ? json(*value) : json(); };
  json history = json::array(), workers = json::array(), links = json::object();
  for (const HistoryRow& row : run.history) {
    history.push_back({{"round", row.round},
                       {"local_steps", row.local_steps},
                       {"samples", row.samples},
                       {"seconds", row.simulated_seconds},
                       {"bytes_sent", row.bytes_sent},
                       {"train_loss", optional(row.train_loss)},
                       {"test_loss", optional(row.test_loss)},
                       {"test_accuracy", optional(row.test_accuracy)},
                       {"consensus_distance", optional(row.consensus_distance)},
                       {"staleness_mean", optional(row.staleness_mean)},
                       {"staleness_max", optional(row.staleness_max)},
                       {"precision_at_3", optional(row.precision_at_3)},
                       {"precision_at_5", optional(row.precision_at_5)}});
  }
  for (const WorkerResult& worker : run.workers) {
    workers.push_back({{"host", worker.host},
                       {"compute", worker.ledger.compute_seconds},
                       {"communication", worker.ledger.communication_seconds},
                       {"idle", worker.ledger.idle_seconds},
                       {"bytes_sent", worker.ledger.bytes_sent},
                       {"bytes_received", worker.ledger.bytes_received},
                       {"messages_sent", worker.ledger.messages_sent},
                       {"flops", worker.ledger.flops},
                       {"memory", as_json(worker.memory_peak)},
                       {"memory_limit", optional(worker.memory_limit_bytes)},
                       {"joules", optional(worker.energy_joules)},
                       {"launch_bound", worker.ledger.computing.launch},
                       {"compute_bound", worker.ledger.computing.compute},
                       {"memory_bound", worker.ledger.computing.memory},
                       {"local_steps", worker.ledger.local_steps},
                       {"is_server", worker.is_server}});
  }
  for (const LinkResult& link : run.links) {
    links[link.link.name] = {{"bytes", link.bytes}, {"busy_seconds", link.busy_seconds}};
  }
  json result = {{"outcome", outcomes[static_cast<std::size_t>(run.outcome)]},
                 {"message", run.message},
                 {"seconds", run.simulated_seconds},
                 {"rounds", run.rounds},
                 {"paper_bytes", run.paper_bytes},
                 {"history", history},
                 {"workers", workers},
                 {"links", links},
                 {"trace", run.trace},
                 {"lost_samples", optional(run.lost_samples)},
                 {"losses", run.losses},
                 {"staleness", json::object()}};
  for (const auto& [staleness, updates] : run.staleness)
    result["staleness"][std::to_string(staleness)] = updates;
  if (run.out_of_memory) {
    const OutOfMemory& error = *run.out_of_memory;
    result["out_of_memory"] = {{"host", error.host},
                               {"rank", error.rank},
                               {"need", as_json(error.need)},
                               {"limit", error.limit_bytes}};
  }
  return result;
}

/// What a scenario measures.
inline json run_scenario(const json& document, int threads = 1, bool trace = false) {
  const Scenario scenario = Prepared::resolve(document);  // here, as the schema is kept for the next one
  return run_isolated([&] {
    const Prepared prepared(scenario);
    return as_json(
        simulate(prepared.scenario, prepared.job, *prepared.protocol, {.threads = threads, .trace = trace}));
  });
}

/// The same; the test fails unless the run completes.
inline json complete_scenario(const json& document, int threads = 1, bool trace = false) {
  INFO(document.dump());
  json result = run_scenario(document, threads, trace);
  INFO(result["message"]);
  REQUIRE(result["outcome"] == "completed");
  return result;
}

/// What a scenario measures when each worker runs `body`; what that returns is `returned`, by rank.
inline json run_workers(const json& document, const std::function<json(Worker&)>& body) {
  const Scenario scenario = Prepared::resolve(document);
  return run_isolated([&] {
    json returned = json::array();
    auto protocol = std::make_unique<TestProtocol>([&](Worker& worker) {
      json value = body(worker);
      returned[static_cast<std::size_t>(worker.rank())] = std::move(value);
    });
    const Prepared prepared(scenario, std::move(protocol));
    json result = as_json(simulate(prepared.scenario, prepared.job, *prepared.protocol, {}));
    result["returned"] = returned;
    return result;
  });
}

/// A full-duplex (or, with "SHARED", half-duplex) star of so many hosts.
inline std::string star(int hosts, const std::string& sharing = "SPLITDUPLEX") {
  return R"(<cluster id="star" prefix="n-" suffix="" speed="1Gf" bw="1MBps" lat="500us" radical="0-)" +
         std::to_string(hosts - 1) + R"(" sharing_policy=")" + sharing + R"("/>)";
}

inline bool close(double found, double expected, double relative = 1e-9) {
  return std::abs(found - expected) <= relative * std::abs(expected);
}

#define CHECK_CLOSE(found, expected)                                              \
  do {                                                                            \
    const double found_value = (found), expected_value = (expected);              \
    INFO(#found " is " << found_value << " for " << expected_value << ", off by " \
                       << (found_value / expected_value - 1));                    \
    CHECK(isthmus::testing::close(found_value, expected_value));                  \
  } while (false)

/// The sum of a number over all workers.
inline std::uint64_t total(const json& run, const std::string& key) {
  std::uint64_t sum = 0;
  for (const json& worker : run["workers"]) sum += worker[key].get<std::uint64_t>();
  return sum;
}

}  // namespace isthmus::testing
