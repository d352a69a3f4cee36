// Whole rounds on the textbook network against closed forms.

#include "tests/sim/runs.hpp"

using namespace isthmus;
using namespace isthmus::testing;

namespace times_test {
namespace {

constexpr double latency = 1e-3, bandwidth = 1e6, speed = 1e9;  // of the small scenario

// The small network: 12 inputs, 16 hidden neurons (scale and shift), 4 classes; no biases.
constexpr std::size_t parameters = 12 * 16 + 2 * 16 + 16 * 4;

/// Multiply-adds of the matrices three times (twice in the first layer, which needs no gradient of its
/// input), batch norm with ReLU 7 and 10 operations an element, without affine 6 and 9, softmax 5 a class and
/// its gradient, and plain SGD 2 a parameter: as the model says for itself.
double step_flops(const json& scenario) {
  const Prepared prepared(scenario);
  return prepared.job.model().costs(prepared.job.training().batch).gradient_flops() + 2.0 * parameters;
}

double seconds_of(const json& scenario) { return complete_scenario(scenario)["seconds"]; }

json ist(const std::string& exchange, int steps) {
  return {{"kind", "ist"}, {"local_steps", steps}, {"exchange", exchange}};
}

}  // namespace

TEST_CASE("a step's FLOPs are counted as documented") {
  constexpr double batch = 8, first = 12 * 16, second = 16 * 4, hidden = 16, classes = 4;
  const double linear = batch * (2 * first + 2 * first + 2 * second + 4 * second);
  const double norms = batch * (17 * hidden + 15 * classes);
  const double total = step_flops(small_scenario()), sgd = 2.0 * parameters;
  CHECK(total - linear - norms - sgd >= 0);  // softmax and loss are the rest
  CHECK(total - linear - norms - sgd <= 10 * batch * classes);
}

TEST_CASE("rounds of data parallel and local SGD: compute, then all-reduce") {
  for (const int n : {1, 2, 4, 8}) {  // 288 parameters are divisible by all
    const double bytes = 4.0 * parameters;
    const int steps = n == 1 ? 0 : n == 2 ? 1 : n == 4 ? 2 : 3;
    const std::map<std::string, double> communication = {
        {"ring", 2 * (n - 1) * (latency + bytes / n / bandwidth)},
        {"tree", 2 * steps * (latency + bytes / bandwidth)},
        {"server", n == 1 ? 0 : 2 * (latency + (n - 1) * bytes / bandwidth)},
        {"sharded", n == 1 ? 0 : 2 * (latency + (n - 1) * bytes / n / bandwidth)}};
    for (const auto& [form, seconds] : communication) {
      INFO(form << " on " << n);
      json scenario = scenario_with({{"platform", {{"workers", n}}}, {"training", {{"rounds", 5}}}});
      const double step = step_flops(scenario) / speed;
      scenario["protocol"] = {{"kind", "data_parallel"}, {"aggregate", form}};
      CHECK_CLOSE(seconds_of(scenario), 5 * (step + seconds));
      scenario["protocol"] = {{"kind", "local_sgd"}, {"local_steps", 7}, {"aggregate", form}};
      CHECK_CLOSE(seconds_of(scenario), 5 * (7 * step + seconds));
    }
  }
}

TEST_CASE("rounds of IST: dispatch, compute, collect") {
  for (const int n : {1, 2, 4, 8}) {
    // n workers' equal parts of the hidden layer.
    const double part = 4.0 * parameters / n;
    json scenario = scenario_with({{"platform", {{"workers", n}}}, {"training", {{"rounds", 3}}}});
    json subnet = scenario;
    subnet["model"]["hidden"] = {16 / n};
    const Prepared small(subnet);
    const double step = (small.job.model().costs(8).gradient_flops() +
                         2.0 * static_cast<double>(small.job.model().layout().size())) /
                        speed;
    const double server = n == 1 ? 0 : 2 * (latency + (n - 1) * part / bandwidth);
    const double sharded = n == 1 ? 0 : 2 * (latency + (n - 1) * part / n / bandwidth);
    scenario["protocol"] = ist("server", 6);
    CHECK_CLOSE(seconds_of(scenario), 3 * (6 * step + server));
    if (n == 8) continue;  // 2 neurons at each home cannot be dealt to 8 workers evenly
    scenario["protocol"] = ist("sharded", 6);
    CHECK_CLOSE(seconds_of(scenario), 3 * (6 * step + sharded));
  }
}

TEST_CASE("the slowest device decides when a synchronous round ends") {
  json scenario = scenario_with({{"training", {{"rounds", 4}}}});
  const double step = step_flops(scenario), ring = 2 * 3 * (latency + parameters * 4.0 / 4 / bandwidth);
  scenario["platform"]["devices"] = {{"n-2", {{"speed", "250Mf"}}}, {"n-1", {{"speed", "500Mf"}}}};
  CHECK_CLOSE(seconds_of(scenario), 4 * (step / 250e6 + ring));
  // The speeds of the platform file: workers 0 and 7 have 100 and 5 Gf.
  scenario["platform"] = {{"file", source_file("platforms/heterogeneous.xml").string()},
                          {"workers", {"n-0", "n-7"}},
                          {"bandwidth", "1MBps"},
                          {"latency", "1ms"}};
  CHECK_CLOSE(seconds_of(scenario), 4 * (step / 5e9 + 2 * (latency + parameters * 4.0 / 2 / bandwidth)));
}

TEST_CASE("a round over two sites: flows share the slow link between them, each way for itself") {
  constexpr std::size_t count = 250000;
  constexpr double bytes = 4.0 * count, one_way = 50e-6 + 10e-3 + 50e-6, between = 100e6 / 8, local = 125e6;
  const auto run = [&](std::vector<RankPair> messages) {
    json scenario = scenario_with({{"training", {{"rounds", 1}}}});
    scenario["platform"] = {{"file", source_file("platforms/two-sites.xml").string()},
                            {"workers", {"east-0", "east-1", "west-0", "west-1"}}};
    const json result = run_workers(scenario, [&](Worker& worker) {
      std::vector<Request> requests;
      for (const auto& [from, to] : messages) {
        if (from == worker.rank())
          requests.push_back(worker.communicator().start_send(to, Values::phantom(count)));
        if (to == worker.rank())
          requests.push_back(worker.communicator().start_receive(from, Values::phantom(count)));
      }
      worker.communicator().wait_all(requests);
      return json();
    });
    REQUIRE(result["outcome"] == "completed");
    return result["seconds"].get<double>();
  };
  CHECK_CLOSE(run({{0, 2}}), one_way + bytes / between);
  CHECK_CLOSE(run({{0, 2}, {1, 3}}), one_way + 2 * bytes / between);
  CHECK_CLOSE(run({{0, 2}, {3, 1}}), one_way + bytes / between);
  CHECK_CLOSE(run({{0, 1}}), 100e-6 + bytes / local);
}

TEST_CASE("what happens to the network happens to the round") {
  const auto seconds = [](const json& changes) {
    json scenario = scenario_with({{"protocol", {{"kind", "local_sgd"}, {"local_steps", 3}}}});
    scenario.merge_patch(changes);
    return seconds_of(scenario);
  };
  const json wide = {{"model", {{"hidden", {4096}}}},
                     {"platform", {{"latency", "0ms"}, {"speed", "1000Pf"}}}};
  const auto with_bandwidth = [&](const char* quantity) {
    json changes = wide;
    changes["platform"]["bandwidth"] = quantity;
    return seconds(changes);
  };
  CHECK(close(with_bandwidth("2MBps"), with_bandwidth("1MBps") / 2, 1e-6));
  const auto with_latency = [&](const char* quantity) {
    return seconds({{"platform", {{"latency", quantity}, {"bandwidth", "1000Tbps"}, {"speed", "1000Pf"}}}});
  };
  CHECK(close(with_latency("2s"), 2 * with_latency("1s"), 1e-6));
  const auto with_steps = [&](int steps) {
    return seconds({{"platform", {{"latency", "0ms"}, {"bandwidth", "1000Tbps"}}},
                    {"protocol", {{"local_steps", steps}}}});
  };
  CHECK(close(with_steps(30), 10 * with_steps(3), 1e-6));
}

}  // namespace times_test
