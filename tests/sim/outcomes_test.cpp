// What can become of a run: completed, out_of_memory, deadlock, failed; none hangs or aborts.

#include "sim/study/dry_run.hpp"
#include "tests/sim/runs.hpp"

using namespace isthmus;
using namespace isthmus::testing;

namespace outcomes_test {
namespace {

/// A file beside temporary platforms that lives as long as this object.
class TemporaryProfile {
 public:
  explicit TemporaryProfile(const std::string& text)
      : path_(std::filesystem::temp_directory_path() /
              ("isthmus-" + std::to_string(::getpid()) + ".profile")) {
    std::ofstream(path_) << text;
  }
  TemporaryProfile(const TemporaryProfile&) = delete;
  TemporaryProfile& operator=(const TemporaryProfile&) = delete;
  ~TemporaryProfile() { std::filesystem::remove(path_); }
  std::string name() const { return path_.filename().string(); }

 private:
  std::filesystem::path path_;
};

/// Three hosts in a full mesh; attributes go to host b and to the link of a and b.
std::string mesh(const std::string& host_attributes, const std::string& link_attributes) {
  return R"(<zone id="z" routing="Full"><host id="a" speed="1Gf"/><host id="b" speed="1Gf" )" +
         host_attributes + R"(/><host id="c" speed="1Gf"/><link id="ab" bandwidth="1MBps" latency="1ms" )" +
         link_attributes + R"(/>
         <link id="bc" bandwidth="1MBps" latency="1ms"/><link id="ca" bandwidth="1MBps" latency="1ms"/>
         <route src="a" dst="b"><link_ctn id="ab"/></route><route src="b" dst="c"><link_ctn id="bc"/></route>
         <route src="c" dst="a"><link_ctn id="ca"/></route></zone>)";
}

json on(const TemporaryPlatform& platform, const json& changes = json::object()) {
  json scenario = scenario_with(changes);
  scenario["platform"] = {{"file", platform.options().file.string()}, {"workers", 3}};
  return scenario;
}

const std::vector<json> protocols = {{{"kind", "data_parallel"}},
                                     {{"kind", "local_sgd"}, {"local_steps", 5}, {"aggregate", "server"}},
                                     {{"kind", "ist"}, {"local_steps", 5}, {"exchange", "server"}},
                                     {{"kind", "ist"}, {"local_steps", 5}, {"exchange", "sharded"}},
                                     {{"kind", "local_sgd"}, {"local_steps", 5}, {"slow_momentum", 0.5}},
                                     {{"kind", "post_local_sgd"}, {"local_steps", 5}, {"switch_at", 0.1}}};

}  // namespace

TEST_CASE("out of memory: data parallel does not fit where IST does, the breakdown says why") {
  json scenario = scenario_with(
      {{"model", {{"kind", "mlp"}, {"hidden", {4096, 1024}}}}, {"platform", {{"memory", "15MB"}}}});
  const json run = run_scenario(scenario);
  CHECK(run["outcome"] == "out_of_memory");
  const json& error = run["out_of_memory"];
  CHECK(error["limit"] == 15000000);
  CHECK(error["rank"] == 0);
  CHECK(error["host"] == "n-0");
  const std::size_t bytes = 4 * (12 * 4096 + 4096 * 1024 + 1024 * 4 + 2 * (4096 + 1024));
  CHECK(error["need"]["parameters"] == bytes);
  CHECK(error["need"]["data"] == 60 * (12 * 4 + 4));
  CHECK(run["message"].get<std::string>().find("parameters " + std::to_string(bytes)) != std::string::npos);
  CHECK(run["message"].get<std::string>().find("15000000") != std::string::npos);
  CHECK(run["history"].empty());

  scenario["protocol"] = {{"kind", "ist"}, {"local_steps", 3}, {"exchange", "sharded"}};
  const json fits = complete_scenario(scenario);
  for (const json& worker : fits["workers"]) CHECK(worker["memory_limit"] == 15000000);
}

TEST_CASE("out of memory: a run fits in exactly its forecast and not in a byte less") {
  for (const char* numerics : {"costs", "live"}) {
    for (const json& protocol : protocols) {
      json scenario = scenario_with({{"protocol", protocol},
                                     {"numerics", numerics},
                                     {"model", {{"kind", "mlp"}, {"hidden", {50, 30}}}}});
      INFO(scenario.dump());
      const Prepared prepared(scenario);
      const Forecast forecast = closed_form(prepared.scenario.protocol, prepared.job, {});
      for (const std::size_t rank : {std::size_t{0}, std::size_t{3}}) {
        const std::uint64_t need = forecast.workers[rank].memory.total();
        const std::string host = "n-" + std::to_string(rank);
        scenario["platform"]["devices"] = {{host, {{"memory", std::to_string(need) + "B"}}}};
        complete_scenario(scenario);
        scenario["platform"]["devices"] = {{host, {{"memory", std::to_string(need - 1) + "B"}}}};
        const json run = run_scenario(scenario);
        CHECK(run["outcome"] == "out_of_memory");
        CHECK(run["out_of_memory"]["rank"] == rank);
        CHECK(run["out_of_memory"]["need"] == as_json(forecast.workers[rank].memory));
      }
    }
  }
}

TEST_CASE("out of memory in the middle of a collective ends all workers") {
  const json run = run_workers(scenario_with({{"platform", {{"memory", "1MB"}}}}), [](Worker& worker) {
    Communicator& comm = worker.communicator();
    if (comm.rank() != 2) {
      comm.receive(2, Values::phantom(10));
      return json("received");
    }
    const Buffer first = comm.buffer(200000), second = comm.buffer(200000);
    return json("not reached");
  });
  CHECK(run["outcome"] == "out_of_memory");
  CHECK(run["out_of_memory"]["host"] == "n-2");
  CHECK(run["out_of_memory"]["need"]["buffers"] == 1600000);
  for (const json& returned : run["returned"]) CHECK(returned.is_null());
}

TEST_CASE("deadlock: workers that wait for each other") {
  const json all = run_workers(small_scenario(), [](Worker& worker) {
    worker.communicator().receive((worker.rank() + 1) % worker.size(), Values::phantom(5));
    return json();
  });
  CHECK(all["outcome"] == "deadlock");
  CHECK_FALSE(all["message"].get<std::string>().empty());
  CHECK(all["rounds"] == 0);
  // One that waits for a message of a worker that is done.
  const json one = run_workers(small_scenario(), [](Worker& worker) {
    if (worker.rank() == 0) worker.communicator().receive(1, Values::phantom(5));
    return json();
  });
  CHECK(one["outcome"] == "deadlock");
}

TEST_CASE("failed: a protocol that throws, in the message its words and the worker") {
  for (const char* numerics : {"costs", "live"}) {
    const json run = run_workers(scenario_with({{"numerics", numerics}}), [](Worker& worker) -> json {
      Replica replica(worker);
      replica.initialise();
      replica.train(2);
      if (worker.rank() == 2) throw std::runtime_error("no such luck");
      worker.communicator().receive(2, Values::phantom(5));
      return "not reached";
    });
    CHECK(run["outcome"] == "failed");
    CHECK(run["message"] == "worker 2: no such luck");
    CHECK(run["rounds"] == 0);
  }
}

TEST_CASE("failed: a host that is turned off") {
  const TemporaryProfile profile("0 1\n0.01 0\n");
  const TemporaryPlatform platform(mesh("state_file=\"" + profile.name() + "\"", ""));
  for (const json& protocol : protocols) {
    for (const char* numerics : {"costs", "live"}) {
      INFO(protocol.dump() << " " << numerics);
      const json run = run_scenario(
          on(platform, {{"protocol", protocol}, {"numerics", numerics}, {"training", {{"rounds", 50}}}}));
      CHECK(run["outcome"] == "failed");
      CHECK_FALSE(run["message"].get<std::string>().empty());
      CHECK(run["rounds"] < 50);
      CHECK(run["seconds"] <= 0.02);
    }
  }
  // Workers that do not depend on it go on to the end; the run failed all the same.
  const json run = run_workers(on(platform), [](Worker& worker) {
    Replica(worker).train(1000);
    return json("done");
  });
  CHECK(run["outcome"] == "failed");
  CHECK(run["returned"] == json{"done", nullptr, "done"});
  CHECK_THAT(run["message"].get<std::string>(), Catch::Contains("turned off"));
}

TEST_CASE("failed: a host that is off from the start") {
  const TemporaryProfile profile("0 0\n");
  const TemporaryPlatform platform(mesh("state_file=\"" + profile.name() + "\"", ""));
  for (const json& protocol : protocols) {
    const json run = run_scenario(on(platform, {{"protocol", protocol}}));
    CHECK(run["outcome"] == "failed");
    CHECK(run["message"] == "worker 1: its host b is off from the start");
    CHECK(run["rounds"] == 0);
    CHECK(run["workers"].size() == 3);
    const std::optional<DryRun> dry =
        dry_run(Prepared::resolve(on(platform, {{"protocol", protocol}})), {.wall_seconds = 1e6});
    REQUIRE(dry);
    CHECK(dry->rounds.empty());
    CHECK(run["message"] == dry->trouble);
  }
}

TEST_CASE("failed: a host that goes off at any moment, in a message, while it computes, or beside both") {
  for (const double off_seconds : {1e-6, 1e-5, 1e-4, 1e-3, 2e-3, 3e-3, 5e-3, 0.01, 0.02}) {
    const TemporaryProfile profile("0 1\n" + std::to_string(off_seconds) + " 0\n");
    const TemporaryPlatform platform(mesh("state_file=\"" + profile.name() + "\"", ""));
    for (const char* aggregate : {"ring", "tree", "server", "ring_chunked"}) {
      for (const bool overlap : {false, true}) {
        INFO(off_seconds << ' ' << aggregate << ' ' << overlap);
        const json run = run_scenario(
            on(platform,
               {{"protocol", {{"kind", "data_parallel"}, {"aggregate", aggregate}, {"overlap", overlap}}},
                {"training", {{"rounds", 50}}}}));
        CHECK(run["outcome"] == "failed");
        CHECK(run["message"] == "worker 1: its host b was turned off");
      }
    }
  }
}

TEST_CASE("failed: a link that goes off") {
  const TemporaryProfile profile("0 1\n0.01 0\n");
  const TemporaryPlatform platform(mesh("", "state_file=\"" + profile.name() + "\""));
  for (const json& protocol : protocols) {
    for (const char* numerics : {"costs", "live"}) {
      INFO(protocol.dump() << " " << numerics);
      const json run = run_scenario(
          on(platform, {{"protocol", protocol}, {"numerics", numerics}, {"training", {{"rounds", 50}}}}));
      CHECK(run["outcome"] == "failed");
      CHECK_THAT(run["message"].get<std::string>(),
                 Catch::Contains("a message ") && Catch::Contains(" was lost"));
      CHECK(run["rounds"] < 50);
    }
  }
}

TEST_CASE("completed: one worker, without a message") {
  for (const json& protocol : protocols) {
    const json run =
        complete_scenario(scenario_with({{"platform", {{"workers", 1}}}, {"protocol", protocol}}));
    CHECK(run["workers"][0]["messages_sent"] == 0);
    CHECK(run["links"].empty());
    CHECK_CLOSE(run["seconds"].get<double>(), run["workers"][0]["compute"].get<double>());
  }
}

TEST_CASE("completed: 64 workers count costs alike") {
  json scenario = scenario_with(
      {{"platform", {{"file", source_file("platforms/fat-tree-64.xml").string()}, {"workers", 64}}},
       {"model", {{"kind", "mlp"}, {"hidden", {4096, 4096}}}}});
  for (const json& protocol : protocols) {
    scenario["protocol"] = protocol;
    const json run = complete_scenario(scenario);
    CHECK(run["rounds"] == 2);
    CHECK(run["workers"].size() == 64);
    CHECK(total(run, "bytes_sent") == total(run, "bytes_received"));
  }
}

TEST_CASE("IST refuses what it cannot train") {
  const auto refusal = [](const json& changes) {
    json scenario = scenario_with({{"platform", {{"workers", 8}}}, {"protocol", protocols[2]}});
    scenario.merge_patch(changes);
    const Prepared prepared(scenario);
    return input_error_of([&] { prepared.protocol->require_fit(prepared.job); });
  };
  CHECK_THAT(refusal({{"model", {{"hidden", {7}}}}}),
             Catch::Contains("/model: ") && Catch::Contains("too few"));
  CHECK_THAT(refusal({{"model", {{"hidden", json::array()}}}}),
             Catch::Contains("has no neurons that ist could deal out"));
  CHECK_THAT(refusal({{"training", {{"optimizer_state", "keep"}}}}),
             Catch::StartsWith("/training/optimizer_state"));
  const Prepared fits(scenario_with({{"platform", {{"workers", 8}}},
                                     {"protocol", protocols[2]},
                                     {"model", {{"kind", "mlp"}, {"hidden", {8}}}}}));
  CHECK_NOTHROW(fits.protocol->require_fit(fits.job));
}

TEST_CASE("a framework's own memory: a context, log-probabilities, gradients in buckets") {
  const auto memory = [](const json& framework, const char* protocol) {
    json changes = {{"protocol", {{"kind", protocol}}}, {"training", {{"framework_memory", framework}}}};
    if (protocol == std::string("local_sgd")) changes["protocol"]["local_steps"] = 2;
    const json run = complete_scenario(scenario_with(changes));
    return run["workers"][0]["memory"];
  };
  // 8 samples a batch, 4 classes; 12 inputs, 16 hidden neurons with scale and shift, 4 outputs.
  constexpr long context = 1L << 20, losses = 2 * 4 * 8 * 4, gradients = 4 * (12 * 16 + 2 * 16 + 16 * 4);
  for (const char* protocol : {"data_parallel", "local_sgd"}) {
    const json none = memory(nullptr, protocol), all = memory({{"context", "1MiB"}}, protocol);
    const bool buckets = protocol == std::string("data_parallel");
    const auto more = [&](const char* part) { return all[part].get<long>() - none[part].get<long>(); };
    CHECK(more("buffers") == context + (buckets ? gradients : 0));
    CHECK(more("activations") == losses);
    for (const char* part : {"parameters", "gradients", "optimizer", "data"}) CHECK(more(part) == 0);
    CHECK(memory({{"context", "0B"}, {"loss_copies", false}, {"gradient_buckets", false}}, protocol) == none);
  }
}

}  // namespace outcomes_test
