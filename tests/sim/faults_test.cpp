// What goes off and comes back: protocols with servers go on, others fail and say who was lost; whatever the
// schedule, a run ends, in the same way each time.

#include "tests/sim/runs.hpp"

using namespace isthmus;
using namespace isthmus::testing;
using Catch::Matchers::Contains;

namespace faults_test {
namespace {

/// Steps of about 1 ms, messages of about 2 ms.
json scenario_of(const json& protocol, const json& faults, const json& changes = json::object()) {
  json all = {{"platform", {{"workers", 4}, {"speed", "10Mf"}, {"faults", faults}}},
              {"training", {{"rounds", 40}, {"evaluate_every_rounds", 10}}},
              {"protocol", protocol}};
  all.merge_patch(changes);
  return scenario_with(all);
}

const std::vector<json> survivors = {
    {{"kind", "async_sgd"}},
    {{"kind", "async_sgd"}, {"servers", 2}},
    {{"kind", "async_local_sgd"}, {"local_steps", 2}},
    {{"kind", "fedbuff"}, {"local_steps", 2}, {"buffer", 2}, {"concurrency", 3}},
    {{"kind", "fedbuff"}, {"local_steps", 2}, {"buffer", 2}, {"hand_out", "at_update"}},
    {{"kind", "quorum"}, {"local_steps", 2}, {"quorum", 2}},
    {{"kind", "easgd"}, {"local_steps", 2}},
    {{"kind", "fedavg"}, {"local_steps", 2}, {"clients", 3}},
    {{"kind", "heterofl"}, {"local_steps", 2}, {"clients", 3}, {"widths", {1, 0.5}}},
    {{"kind", "async_ist"}, {"local_steps", 2}},
};

long steps_of(const json& run, int rank) {
  return run["workers"][static_cast<std::size_t>(rank)]["local_steps"];
}

json refused(const json& faults) {
  return input_error_of([&] {
    plan_study(ScenarioDocument(scenario_of({{"kind", "async_sgd"}}, faults)), source_file("."));
  });
}

}  // namespace

TEST_CASE("a worker that is lost comes back and goes on, and others do its work meanwhile") {
  for (const json& protocol : survivors) {
    INFO(protocol.dump());
    const json whole = complete_scenario(scenario_of(protocol, json::array()));
    const double seconds = whole["seconds"];
    const auto with = [&](const json& fault) {
      const json run = complete_scenario(scenario_of(protocol, json::array({fault})));
      if (protocol["kind"] != "fedavg" && protocol["kind"] != "heterofl")  // whose rounds do with what there is
        CHECK(run["history"].back()["samples"] == whole["history"].back()["samples"]);
      CHECK(run["rounds"] == 40);
      return run;
    };
    const double quarter = seconds / 4;
    const json away = with({{"host", "n-1"}, {"at_seconds", quarter}, {"for_seconds", quarter}});
    CHECK(away["losses"] == 1);
    CHECK(steps_of(away, 1) < steps_of(whole, 1));
    const json for_good = with({{"host", "n-1"}, {"at_seconds", quarter}});
    CHECK(for_good["losses"] == 1);
    CHECK(steps_of(for_good, 1) < steps_of(away, 1));
    CHECK(steps_of(for_good, 0) > steps_of(for_good, 1));
    // It joins late: it is off from the start.
    const json late = with({{"host", "n-3"}, {"at_seconds", 0}, {"for_seconds", seconds / 2}});
    CHECK(steps_of(late, 3) > 0);
    CHECK(steps_of(late, 3) < steps_of(late, 0));
    CHECK(late["losses"] == 0);
  }
}

TEST_CASE("a worker whose link is off tries again, and comes back") {
  for (const json& protocol : survivors) {
    INFO(protocol.dump());
    const double seconds = complete_scenario(scenario_of(protocol, json::array()))["seconds"];
    const std::string link = "*1*";
    const json run = complete_scenario(
        scenario_of(protocol, {{{"link", link}, {"at_seconds", seconds / 4}, {"for_seconds", seconds / 4}}}));
    CHECK(run["losses"] >= 1);
    CHECK(run["rounds"] == 40);
  }
}

TEST_CASE("who cannot do without it fails, and says who was lost") {
  const json lost = {{{"host", "n-1"}, {"at_seconds", 0.02}}};
  for (const json& protocol :
       {json{{"kind", "data_parallel"}}, json{{"kind", "local_sgd"}, {"local_steps", 2}},
        json{{"kind", "d_psgd"}}, json{{"kind", "scaffold"}, {"local_steps", 2}},
        json{{"kind", "async_sgd"}, {"most_ahead", 2}}}) {
    const json run = run_scenario(scenario_of(protocol, lost));
    CHECK(run["outcome"] == "failed");
    CHECK(run["message"] == "worker 1: its host n-1 was turned off");
  }
  const json run =
      run_scenario(scenario_of({{"kind", "async_sgd"}}, {{{"host", "n-4"}, {"at_seconds", 0.02}}}));
  CHECK(run["outcome"] == "failed");
  CHECK(run["message"] == "server 0: its host n-4 was turned off");
}

TEST_CASE("random schedules of failures: every run ends, alike each time, with sound accounts") {
  Random random = random_stream(1, "schedules");
  const auto draw = [&](double least, double most) {
    return least * std::pow(most / least, static_cast<double>(uniform(random)));
  };
  int completed = 0, failed = 0;
  long losses = 0;
  for (int schedule = 0; schedule < 60; ++schedule) {
    const json& protocol = survivors[static_cast<std::size_t>(schedule) % survivors.size()];
    json faults = json::array();
    const int count = 1 + static_cast<int>(uniform(random) * 3);
    for (int i = 0; i < count; ++i) {
      const std::string host = "n-" + std::to_string(static_cast<int>(uniform(random) * 5));
      const bool link = uniform(random) < 0.3F, again = uniform(random) < 0.5F;
      json fault = {{link ? "link" : "host", link ? "*" + host.substr(2) + "*" : host}};
      if (host == "n-4" && !link && uniform(random) < 0.7F) fault["host"] = "n-[0-3]";
      if (again) {
        fault["mean_seconds_between"] = draw(0.05, 3);
        fault["mean_seconds_to_repair"] = draw(0.001, 0.3);
      } else {
        fault["at_seconds"] = draw(1e-4, 1);
        if (uniform(random) < 0.7F) fault["for_seconds"] = draw(1e-4, 1);
      }
      faults.push_back(fault);
    }
    const bool live = schedule % 3 == 0;
    const json scenario = scenario_of(
        protocol, faults,
        {{"numerics", live ? "live" : "costs"}, {"training", {{"seed", schedule + 1}, {"rounds", 12}}}});
    INFO(scenario.dump());
    const json run = run_scenario(scenario);
    CHECK(run == run_scenario(scenario, 2));
    INFO(run["message"]);
    losses += run["losses"].get<long>();
    if (run["outcome"] == "completed") {
      ++completed;
      CHECK(run["rounds"] == 12);
      CHECK(run["lost_samples"] >= 0);
      for (const json& worker : run["workers"]) {
        const double busy = worker["compute"].get<double>() + worker["communication"].get<double>() +
                            worker["idle"].get<double>();
        CHECK(busy <= run["seconds"].get<double>() * (1 + 1e-9) + 1e-9);
      }
    } else {
      ++failed;
      const std::string message = run["message"];
      CHECK((message.find("turned off") != std::string::npos ||
             message.find("off from the start") != std::string::npos ||
             message.find("nobody") != std::string::npos ||
             message.find("all workers are lost") != std::string::npos));
    }
  }
  CHECK(completed >= 30);
  CHECK(failed >= 2);
  CHECK(losses >= 100);
}

TEST_CASE("by chance things go off as often as said, and sites as a whole") {
  const json often = {{{"host", "n-[0-3]"}, {"mean_seconds_between", 0.3}, {"mean_seconds_to_repair", 0.1}}};
  const json run = complete_scenario(scenario_of(
      {{"kind", "async_sgd"}}, often, {{"training", {{"rounds", 4000}, {"evaluate_every_rounds", 4000}}}}));
  const double expected = 4 * run["seconds"].get<double>() / 0.4;
  CHECK(run["losses"].get<double>() > 0.8 * expected);
  CHECK(run["losses"].get<double>() < 1.2 * expected);

  // Of two sites with two workers each one goes off, for good.
  json two = scenario_of(
      {{"kind", "async_sgd"}}, {{{"site", "?"}, {"at_seconds", 0.01}}},
      {{"platform", {{"file", source_file("platforms/two-sites.xml").string()}, {"servers", "beside"}}}});
  for (const char* each : {"bandwidth", "latency"}) two["platform"].erase(each);
  const PlatformReport report = inspect_platform(source_file("platforms/two-sites.xml"));
  two["platform"]["faults"][0]["site"] = report.hosts.back().zone;
  const std::size_t hosts = report.hosts.size();
  two["platform"]["workers"] = {report.hosts[0].name, report.hosts[1].name, report.hosts[hosts - 2].name,
                                report.hosts[hosts - 1].name};
  CHECK(complete_scenario(two)["losses"] == 2);
}

TEST_CASE("faults that make no sense are refused by name") {
  CHECK_THAT(refused({{{"host", "n-99"}, {"at_seconds", 1}}}),
             Contains("/platform/faults/0/host: found \"n-99\", which matches nothing in"));
  CHECK_THAT(refused({{{"at_seconds", 1}}}),
             Contains("/platform/faults/0: exactly one of \"host\", \"link\""));
  CHECK_THAT(refused({{{"host", "n-1"}}}), Contains("/platform/faults/0: exactly one of \"at_seconds\""));
  CHECK_THAT(refused({{{"host", "n-1"}, {"at_seconds", 1}, {"mean_seconds_to_repair", 1}}}),
             Contains("/platform/faults/0/mean_seconds_to_repair: goes with"));
  CHECK_THAT(refused({{{"host", "n-1"}, {"mean_seconds_between", 1}}}),
             Contains("/platform/faults/0/mean_seconds_to_repair: goes with"));
  CHECK_THAT(refused({{{"host", "n-1"},
                       {"mean_seconds_between", 1},
                       {"mean_seconds_to_repair", 1},
                       {"for_seconds", 1}}}),
             Contains("/platform/faults/0/for_seconds: is of use only"));
  CHECK_THAT(refused({{{"host", "n-1"}, {"at_seconds", -1}}}), Contains("/platform/faults/0/at_seconds"));
}

}  // namespace faults_test
