// A replayed run, and one that was resumed in the middle, measure what the live one does, to the bit: for
// every protocol and exchange, on platforms with shared links, profiles and different devices.

#include <catch2/catch.hpp>

#include "sim/study/content_hash.hpp"
#include "sim/study/provenance.hpp"
#include "sim/study/trajectory_key.hpp"
#include "sim/study/trajectory_store.hpp"
#include "tests/sim/runs.hpp"

using namespace isthmus;
using namespace isthmus::testing;

namespace replay_test {
namespace {

/// Keeps the states after each round in which all workers could be kept.
class KeepAll final : public TrajectoryKeeper {
 public:
  bool due() override { return true; }
  void keep(const Trajectory& trajectory) override { kept.push_back(trajectory); }
  std::vector<Trajectory> kept;
};

/// The run computed from the start; from each state that was kept; and replayed as a whole: all in one child,
/// as SimGrid allows one simulation only, each in a grandchild.
void check_replay(const json& document) {
  INFO(document.dump());
  const TrajectoryKey key{"test", document};
  const auto folder =
      std::filesystem::temp_directory_path() / ("isthmus-replay-" + std::to_string(::getpid()));
  const TrajectoryStore store(folder);
  std::filesystem::remove_all(folder);

  const json live = run_isolated([&] {
    const Prepared prepared(document);
    KeepAll keeper;
    const RunResult result = simulate(prepared.scenario, prepared.job, *prepared.protocol,
                                      {.threads = 2, .trace = true}, {}, &keeper);
    store.write(key, result.trajectory);
    for (std::size_t i = 0; i < keeper.kept.size(); ++i) {
      store.write({"kept-" + std::to_string(i), document}, keeper.kept[i]);
    }
    return json{{"run", as_json(result)}, {"kept", keeper.kept.size()}};
  });
  REQUIRE(live["run"]["outcome"] == "completed");
  REQUIRE(live["run"]["history"].back()["test_accuracy"].is_number());
  REQUIRE(live["kept"] >= 2);

  const auto from = [&](const std::string& name, bool needs_data) {
    return run_isolated([&] {
      const Trajectory recorded = store.read({name, document});
      REQUIRE(recorded.rounds > 0);
      const Scenario scenario = Prepared::resolve(document);
      const auto protocol = make_protocol(scenario.protocol);
      Job job(scenario.data, scenario.model, scenario.training, scenario.platform.workers,
              protocol->round_plan(), needs_data);
      job.set_shard_samples(recorded.shard_samples);
      return as_json(simulate(scenario, job, *protocol, {.trace = true}, recorded));
    });
  };
  CHECK(from("test", false) == live["run"]);
  const auto kept = live["kept"].get<std::size_t>();
  for (const std::size_t i : {std::size_t{0}, kept / 2, kept - 1}) {
    INFO("resumed from state " << i << " of " << kept);
    CHECK(from("kept-" + std::to_string(i), true) == live["run"]);
  }
  std::filesystem::remove_all(folder);
}

json live_scenario(const json& protocol, const json& changes = json::object()) {
  json all = {{"numerics", "live"},
              {"training", {{"rounds", 5}, {"evaluate_every_rounds", 2}, {"momentum", 0.9}}},
              {"protocol", protocol}};
  all.update(changes, true);
  return scenario_with(all);
}

json residual() {
  json scenario = {
      {"model", {{"kind", "resnet"}, {"sections", {2, 2, 3}}, {"widths", {4, 4, 8}}}},
      {"data", {{"set", "synthetic"}, {"shape", {1, 8, 8}}, {"augment", {{"flip", true}, {"pad_crop", 1}}}}}};
  scenario["data"]["dimensions"] = nullptr;
  return scenario;
}

}  // namespace

TEST_CASE("data parallel and local SGD replay and resume to the bit", "[replay]") {
  for (const char* aggregate : {"ring", "ring_chunked", "tree", "halving_doubling", "server", "sharded"}) {
    check_replay(live_scenario({{"kind", "data_parallel"}, {"aggregate", aggregate}}));
    check_replay(live_scenario({{"kind", "local_sgd"}, {"local_steps", 3}, {"aggregate", aggregate}}));
  }
  for (const int group_size : {2, 3}) {
    check_replay(live_scenario(
        {{"kind", "data_parallel"}, {"aggregate", "hierarchical"}, {"group_size", group_size}}));
  }
  check_replay(live_scenario({{"kind", "local_sgd"}, {"local_steps", 3}, {"wire_format", "bf16"}}));
  for (const char* state : {"keep", "reset"}) {
    check_replay(live_scenario({{"kind", "local_sgd"}, {"local_steps", 2}},
                               {{"training", {{"optimizer_state", state}, {"charge_evaluation", true}}}}));
  }
}

TEST_CASE("slow and averaged momentum, and post-local SGD, replay and resume to the bit", "[replay]") {
  const json averaged = {{"training", {{"optimizer_state", "average"}}}};
  const json slow = {{"local_steps", 3}, {"slow_momentum", 0.6}, {"slow_learning_rate", 0.8}};
  json local = slow, post_local = slow;
  local["kind"] = "local_sgd";
  check_replay(live_scenario(local));
  check_replay(live_scenario(local, averaged));
  post_local.update({{"kind", "post_local_sgd"}, {"switch_at", 0.2}, {"aggregate", "tree"}});
  check_replay(live_scenario(post_local, averaged));
  post_local["switch_at"] = 0.5;
  check_replay(
      live_scenario(post_local, {{"model", {{"kind", "mlp"}, {"hidden", {16}}, {"statistics", "running"}}}}));
  check_replay(live_scenario({{"kind", "post_local_sgd"}, {"local_steps", 3}},
                             {{"training", {{"optimizer_state", "reset"}, {"charge_evaluation", true}}}}));
}

TEST_CASE("adaptive and outer optimizers replay and resume to the bit", "[replay]") {
  const json adaptive = {
      {"training", {{"momentum", nullptr}, {"optimizer", {{"kind", "adamw"}}}, {"clip_gradient_norm", 0.5}}}};
  const json outer = {{"kind", "sgd"}, {"momentum", 0.9}, {"nesterov", true}};
  for (const json& protocol :
       {json{{"kind", "data_parallel"}}, json{{"kind", "ist"}, {"local_steps", 3}},
        json{{"kind", "local_sgd"}, {"local_steps", 3}, {"outer_optimizer", outer}},
        json{{"kind", "local_sgd"}, {"local_steps", 3}, {"outer_optimizer", {{"kind", "adam"}}}}}) {
    json scenario = live_scenario(protocol);
    scenario.merge_patch(adaptive);
    check_replay(scenario);
    if (protocol["kind"] != "local_sgd") continue;
    scenario["training"]["optimizer_state"] = "average";
    check_replay(scenario);
  }
}

TEST_CASE("DiLoCo, its streaming form, NoLoCo and SPARTA replay and resume to the bit", "[replay]") {
  for (const json& protocol :
       {json{{"kind", "diloco"}, {"local_steps", 3}}, json{{"kind", "noloco"}, {"local_steps", 3}},
        json{{"kind", "sparta"}, {"share", 0.2}}, json{{"kind", "d_psgd"}, {"graph", "ring"}},
        json{{"kind", "d_psgd"}, {"graph", "one_peer_exponential"}, {"mix", "beside"}},
        json{{"kind", "sgp"}, {"graph", "exponential"}}, json{{"kind", "choco"}, {"local_steps", 2}},
        json{{"kind", "choco"}, {"compression", {{"kind", "top_k"}}}},
        json{{"kind", "streaming_diloco"}, {"local_steps", 4}, {"layers_per_fragment", 1}},
        json{{"kind", "streaming_diloco"},
             {"local_steps", 4},
             {"layers_per_fragment", 1},
             {"overlap", true},
             {"mixing", 0.3},
             {"evaluate", "replicas"},
             {"compression", {{"kind", "top_k"}}}}}) {
    json scenario =
        live_scenario(protocol, {{"model", {{"kind", "mlp"}, {"hidden", {16}}, {"statistics", "running"}}},
                                 {"training", {{"momentum", nullptr}, {"optimizer", {{"kind", "adamw"}}}}}});
    check_replay(scenario);
  }
}

TEST_CASE("compressed means replay and resume to the bit", "[replay]") {
  for (const json& compression :
       {json{{"kind", "top_k"}}, json{{"kind", "qsgd"}}, json{{"kind", "sign"}, {"error_feedback", "ef21"}},
        json{{"kind", "power_sgd"}, {"start_round", 2}}, json{{"kind", "perm_k"}},
        json{{"kind", "majority_vote"}, {"momentum", 0.9}}, json{{"kind", "demo"}, {"kept", 2}}}) {
    check_replay(
        live_scenario({{"kind", "data_parallel"}, {"compression", compression}, {"bucket", "1KiB"}}));
    check_replay(live_scenario({{"kind", "diloco"}, {"local_steps", 3}, {"compression", compression}}));
  }
  check_replay(live_scenario(
      {{"kind", "data_parallel"}, {"aggregate", "sharded"}, {"compression", {{"kind", "top_k"}}}}));
  check_replay(live_scenario({{"kind", "hist"}, {"local_steps", 2}, {"averages", 2}, {"group_size", 2}}));
  check_replay(live_scenario({{"kind", "ist"}, {"local_steps", 3}, {"compression", {{"kind", "qsgd"}}}}));
}

TEST_CASE("IST replays and resumes to the bit", "[replay]") {
  for (const char* exchange : {"server", "sharded"}) {
    for (const char* partition : {"uniform", "stratified"}) {
      check_replay(live_scenario(
          {{"kind", "ist"}, {"local_steps", 3}, {"exchange", exchange}, {"partition", partition}},
          {{"training", {{"charge_evaluation", true}}}}));
    }
  }
}

TEST_CASE("overlapping parts, and sparse samples, replay and resume to the bit", "[replay]") {
  const json sparse = {{"data", {{"nonzeros", 3}, {"labels_per_sample", 2}}}};
  check_replay(live_scenario({{"kind", "ist"}, {"local_steps", 3}, {"holders", 2}}, sparse));
  check_replay(live_scenario({{"kind", "subnet_data_parallel"}, {"deal", "blocks"}}, residual()));
}

TEST_CASE("ResIST replays and resumes to the bit", "[replay]") {
  for (const json& exchange :
       {json{{"exchange", "peer"}}, json{{"exchange", "server"}}, json{{"aggregate", "tree"}},
        json{{"aggregate", "hierarchical"}, {"group_size", 2}}}) {
    json protocol = {
        {"kind", "resist"}, {"local_steps", 2}, {"partition_sections", {2, 3}}, {"warm_up_rounds", 1}};
    protocol.update(exchange);
    check_replay(live_scenario(protocol, residual()));
  }
}

TEST_CASE("replay holds on shared links, profiles, different devices and drawn shards", "[replay]") {
  const json by_label = {{"data", {{"split", "by_label"}, {"alpha", 0.5}}}};
  for (const char* platform : {"two-sites.xml", "heterogeneous.xml", "wan-10-regions.xml"}) {
    json changes = by_label;
    changes["platform"] = {{"file", source_file(std::string("platforms/") + platform).string()},
                           {"bandwidth", nullptr},
                           {"latency", nullptr},
                           {"speed", nullptr}};
    check_replay(live_scenario({{"kind", "local_sgd"}, {"local_steps", 3}}, changes));
    check_replay(live_scenario({{"kind", "ist"}, {"local_steps", 3}, {"exchange", "sharded"}}, changes));
  }
}

TEST_CASE("replay holds where speed, bandwidth and latency change over time", "[replay]") {
  std::vector<std::filesystem::path> profiles;
  // SimGrid takes a profile file for one resource only.
  const auto profile = [&](const std::string& name, const std::string& text) {
    const std::string file = "isthmus-" + std::to_string(::getpid()) + "-" + name;
    profiles.push_back(std::filesystem::temp_directory_path() / file);
    std::ofstream(profiles.back()) << text;
    return file;
  };
  std::string hosts, links, routes;
  for (const std::string i : {"0", "1", "2"}) {
    hosts += "<host id=\"h" + i + "\" speed=\"1Gf\" speed_file=\"" +
             profile("speed-" + i, "0.0 1.0\n0.0005 0.3\nLOOPAFTER 0.001\n") + "\"/>";
    links += "<link id=\"l" + i + "\" bandwidth=\"1MBps\" latency=\"1ms\" bandwidth_file=\"" +
             profile("bandwidth-" + i, "0.0 1e6\n0.004 2e5\nLOOPAFTER 0.01\n") + "\" latency_file=\"" +
             profile("latency-" + i, "0.0 0.001\n0.01 0.004\nLOOPAFTER 0.02\n") + "\"/>";  // half duplex
    for (const std::string j : {"0", "1", "2"}) {
      if (i >= j) continue;
      routes += "<route src=\"h" + i + "\" dst=\"h" + j + "\"><link_ctn id=\"l" + i + "\"/><link_ctn id=\"l" +
                j + "\"/></route>";
    }
  }
  const TemporaryPlatform platform("<zone id=\"z\" routing=\"Full\">" + hosts + links + routes + "</zone>");
  json changes;
  changes["platform"] = {{"file", platform.options().file.string()},
                         {"workers", 3},
                         {"bandwidth", nullptr},
                         {"latency", nullptr},
                         {"speed", nullptr}};
  check_replay(live_scenario({{"kind", "data_parallel"}, {"aggregate", "sharded"}}, changes));
  check_replay(live_scenario({{"kind", "ist"}, {"local_steps", 3}, {"exchange", "server"}}, changes));
  for (const auto& file : profiles) std::filesystem::remove(file);
}

TEST_CASE("replay: a trajectory belongs to one system's arithmetic") {
  const auto planned = std::move(
      plan_study(ScenarioDocument(live_scenario({{"kind", "data_parallel"}})), source_file(".")).at(0));
  const TrajectoryKey key = trajectory_key(planned);
  CHECK(key.name == content_hash(key.basis.dump()));
  const json build = build_provenance();
  CHECK(!build.at("simgrid").get<std::string>().empty());  // decides when, not what is learnt
  for (const char* part :
       {"numerics_version", "compiler", "build_type", "onednn", "instruction_set", "eigen", "boost"}) {
    INFO(part);
    json elsewhere = key.basis;
    CHECK(elsewhere.at("arithmetic").at(part) == build.at(part));
    elsewhere["arithmetic"][part] = "another";
    CHECK(content_hash(elsewhere.dump()) != key.name);
  }
}

}  // namespace replay_test
