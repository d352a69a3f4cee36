// Decentralised SGD: a complete graph is data parallel, the mean of all workers obeys SGD, graphs mix as
// their eigenvalues say, and take latencies and not barriers.

#include "sim/graphs/graph.hpp"
#include "tests/sim/runs.hpp"

using namespace isthmus;
using namespace isthmus::testing;

namespace d_psgd_test {
namespace {

json scenario_of(const json& protocol, int workers, long rounds, const char* numerics = "live") {
  static const TemporaryPlatform platform(star(9));
  return scenario_with({{"numerics", numerics},
                        {"platform", {{"workers", workers}, {"file", platform.options().file.string()}}},
                        {"model", {{"kind", "mlp"}, {"hidden", {16}}}},
                        {"training", {{"rounds", rounds}, {"batch", 6}}},
                        {"protocol", protocol}});
}

json on(const char* graph, const json& options = json::object()) {
  json protocol = {{"kind", "d_psgd"}, {"graph", graph}};
  protocol.update(options);
  return protocol;
}

void check_near(const std::vector<double>& found, const std::vector<double>& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i] == Approx(expected[i]).epsilon(1e-5));
}

}  // namespace

TEST_CASE("graphs: who hears is heard, weights are doubly stochastic, one peer after the other meets all") {
  for (const Graph& graph : graphs()) {
    for (const int workers : {1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 17, 30}) {
      INFO(graph.kind.name << " of " << workers);
      for (int step = 0; step < graph.period(workers); ++step) {
        std::size_t degree = graph.neighbours(0, workers, step, Direction::heard).size();
        for (int rank = 0; rank < workers; ++rank) {
          const auto heard = graph.neighbours(rank, workers, step, Direction::heard);
          const auto hearing = graph.neighbours(rank, workers, step, Direction::hearing);
          CHECK(heard.size() == degree);
          CHECK(hearing.size() == degree);
          CHECK(std::ranges::is_sorted(heard));
          for (const int other : heard) {
            REQUIRE(other != rank);
            const auto by_other = graph.neighbours(other, workers, step, Direction::hearing);
            CHECK(std::ranges::count(by_other, rank) == 1);
          }
        }
      }
      const double gap = spectral_gap(graph, workers).value();
      CHECK(gap > 0);
      CHECK(gap <= 1 + 1e-9);
    }
  }
  // A ring's second eigenvalue is (1 + 2 cos(2 pi / n)) / 3.
  CHECK_CLOSE(spectral_gap(graph_named("ring"), 8).value(),
              1 - (1 + 2 * std::cos(2 * 3.14159265358979323846 / 8)) / 3);
  CHECK(spectral_gap(graph_named("complete"), 9).value() == Approx(1));
  for (const int workers : {2, 4, 8, 16, 64})  // log2 n steps, one peer each, are the exact mean
    CHECK(spectral_gap(graph_named("one_peer_exponential"), workers).value() == Approx(1));
  CHECK(spectral_gap(graph_named("torus"), 16).value() > spectral_gap(graph_named("ring"), 16).value());
  CHECK_FALSE(spectral_gap(graph_named("ring"), 1000).has_value());
}

TEST_CASE("D-PSGD on a complete graph is local SGD of one step, and that is data parallel") {
  const json local_sgd = {{"kind", "local_sgd"}, {"local_steps", 1}, {"aggregate", "server"}};
  const auto expected = column(complete_scenario(scenario_of(local_sgd, 4, 6)), "test_loss");
  CHECK(column(complete_scenario(scenario_of(on("complete"), 4, 6)), "test_loss") == expected);
  check_near(column(complete_scenario(scenario_of(on("complete"), 4, 6)), "test_loss"),
             column(complete_scenario(scenario_of({{"kind", "data_parallel"}}, 4, 6)), "test_loss"));
  // Three steps between: local SGD of three.
  const json three = {{"kind", "local_sgd"}, {"local_steps", 3}, {"aggregate", "server"}};
  CHECK(column(complete_scenario(scenario_of(on("complete", {{"local_steps", 3}}), 4, 4)), "test_loss") ==
        column(complete_scenario(scenario_of(three, 4, 4)), "test_loss"));
}

TEST_CASE("D-PSGD alone is SGD, whichever way it mixes") {
  const auto sgd = column(complete_scenario(scenario_of({{"kind", "data_parallel"}}, 1, 6)), "test_loss");
  for (const char* mix : {"after", "beside"})
    CHECK(column(complete_scenario(scenario_of(on("ring", {{"mix", mix}}), 1, 6)), "test_loss") == sgd);
}

TEST_CASE("D-PSGD: the fewer hear each other, the further workers are apart, and all learn") {
  double last = -1;
  for (const char* graph : {"complete", "exponential", "ring"}) {
    for (const char* mix : {"after", "beside"}) {
      INFO(graph << ' ' << mix);
      const json run = complete_scenario(scenario_of(on(graph, {{"mix", mix}}), 8, 30));
      const auto losses = column(run, "test_loss");
      CHECK(losses.back() < losses.front());
      if (std::string(mix) != "after") continue;
      const double apart = column(run, "consensus_distance").back();
      CHECK(apart > last);
      last = apart;
    }
  }
}

TEST_CASE("D-PSGD: bytes of a step, two latencies at most, live as costs") {
  const std::size_t size = Prepared(scenario_of(on("ring"), 4, 1)).job.model().layout().size();
  for (const auto& [graph, degree] :
       {std::pair{"ring", 2}, {"torus", 4}, {"complete", 8}, {"one_peer_exponential", 1}}) {
    INFO(graph);
    const json costs = complete_scenario(scenario_of(on(graph), 9, 3, "costs"));
    const json live = complete_scenario(scenario_of(on(graph), 9, 3));
    CHECK(costs["seconds"] == live["seconds"]);
    for (const json& worker : costs["workers"]) {
      CHECK(worker["bytes_sent"] == 3 * degree * 4 * size);
      CHECK(worker["bytes_received"] == worker["bytes_sent"]);
    }
  }
  // On a star, ring neighbours: 1 ms and two messages through a worker's own link of 1 MB/s.
  json ring = scenario_of(on("ring"), 9, 1, "costs");
  ring["platform"]["speed"] = "1000Tf";
  const double seconds = complete_scenario(ring)["seconds"];
  CHECK(close(seconds, 1e-3 + 2 * 4 * static_cast<double>(size) / 1e6, 1e-3));
}

TEST_CASE("SGP on graphs where all are alike is D-PSGD, and sends a weight more") {
  const auto losses = [](const json& protocol, int workers) {
    return column(complete_scenario(scenario_of(protocol, workers, 8)), "test_loss");
  };
  const json peers = {{"graph", "one_peer_exponential"}, {"local_steps", 2}};
  const json pushed = {{"kind", "sgp"}, {"graph", "one_peer_exponential"}, {"local_steps", 2}};
  CHECK(losses(pushed, 6) == losses(on("one_peer_exponential", peers), 6));  // halves are exact
  check_near(losses({{"kind", "sgp"}, {"graph", "ring"}}, 5), losses(on("ring"), 5));
  CHECK(losses({{"kind", "sgp"}}, 1) == losses({{"kind", "data_parallel"}}, 1));
  const json scenario = scenario_of({{"kind", "sgp"}}, 6, 8);
  const std::size_t size = Prepared(scenario).job.model().layout().size();
  CHECK(complete_scenario(scenario)["workers"][0]["bytes_sent"] == 8 * 4 * (size + 1));
}

TEST_CASE("CHOCO-SGD that tells all is D-PSGD, and told less is slower, but holds together") {
  const auto run = [](const json& options, long rounds, const char* numerics = "live") {
    json protocol = {{"kind", "choco"}};
    protocol.update(options);
    return complete_scenario(scenario_of(protocol, 6, rounds, numerics));
  };
  const auto losses = [&](const json& options) { return column(run(options, 8), "test_loss"); };
  const auto plain = column(complete_scenario(scenario_of(on("ring"), 6, 8)), "test_loss");
  const json whole = {{"consensus_step", 1}};
  check_near(losses(whole), plain);
  check_near(losses({{"consensus_step", 1}, {"compression", {{"kind", "top_k"}, {"share", 1}}}}), plain);
  // The mean of all obeys SGD whatever is told.
  const json kept = {{"compression", {{"kind", "top_k"}, {"share", 0.1}}}, {"consensus_step", 0.3}};
  const json told = run(kept, 30), apart = run({{"consensus_step", 0.001}}, 30), all = run(whole, 30);
  CHECK(column(told, "consensus_distance").back() < 0.5 * column(apart, "consensus_distance").back());
  CHECK(column(told, "consensus_distance").back() > column(all, "consensus_distance").back());
  CHECK(column(told, "test_loss").back() < column(told, "test_loss").front());
  CHECK(told["workers"][0]["bytes_sent"].get<double>() <
        0.25 * all["workers"][0]["bytes_sent"].get<double>());
  const json costs = run(kept, 30, "costs");
  CHECK(costs["seconds"] == told["seconds"]);
  CHECK(costs["workers"][0]["bytes_sent"] == told["workers"][0]["bytes_sent"]);
}

TEST_CASE("D-PSGD beside the gradient hides what is sent") {
  json after = scenario_of(on("ring"), 6, 5, "costs"),
       beside = scenario_of(on("ring", {{"mix", "beside"}}), 6, 5, "costs");
  for (json* scenario : {&after, &beside}) {
    (*scenario)["platform"]["speed"] = "1Mf";  // a step takes longer than the messages
    (*scenario)["platform"]["bandwidth"] = "1MBps";
  }
  const json run_after = complete_scenario(after), run_beside = complete_scenario(beside);
  const double compute = run_beside["workers"][0]["compute"];
  CHECK(close(run_beside["seconds"].get<double>(), compute, 1e-6));
  CHECK(run_after["seconds"].get<double>() > compute + 5e-3);
}

}  // namespace d_psgd_test
