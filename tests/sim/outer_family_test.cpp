// DiLoCo, NoLoCo and SPARTA against the protocols that they become, and against arithmetic.

#include "tests/sim/runs.hpp"

using namespace isthmus;
using namespace isthmus::testing;

namespace outer_family_test {
namespace {

json live(const json& protocol, int workers, long rounds) {
  return scenario_with({{"numerics", "live"},
                        {"platform", {{"workers", workers}}},
                        {"model", {{"kind", "mlp"}, {"hidden", {16}}, {"statistics", "running"}}},
                        {"training", {{"rounds", rounds}, {"batch", 6}}},
                        {"protocol", protocol}});
}

std::vector<double> losses(const json& run) {
  std::vector<double> values;
  for (const json& row : run["history"]) values.push_back(row["test_loss"].get<double>());
  return values;
}

std::vector<double> test_losses(const json& protocol, int workers, long rounds) {
  return losses(complete_scenario(live(protocol, workers, rounds)));
}

void check_near(const std::vector<double>& found, const std::vector<double>& expected, double tolerance) {
  REQUIRE(found.size() == expected.size());
  REQUIRE(found.size() > 2);
  for (std::size_t i = 0; i < found.size(); ++i) {
    INFO("row " << i);
    CHECK(found[i] == Approx(expected[i]).epsilon(tolerance));
  }
}

json with(json protocol, const json& options) {
  protocol.update(options);
  return protocol;
}

const json diloco = {{"kind", "diloco"}, {"local_steps", 3}};
const json local_sgd = {{"kind", "local_sgd"}, {"local_steps", 3}};
const json noloco = {{"kind", "noloco"}, {"local_steps", 3}};

/// Values of the model of small_scenario().
std::size_t model_size(const json& scenario) { return Prepared(scenario).job.model().layout().size(); }

}  // namespace

TEST_CASE("DiLoCo is local SGD with Nesterov's momentum outside") {
  const json nesterov = {{"kind", "sgd"}, {"learning_rate", 0.7}, {"momentum", 0.9}, {"nesterov", true}};
  const json expected = complete_scenario(live(with(local_sgd, {{"outer_optimizer", nesterov}}), 3, 6));
  const json found = complete_scenario(live(diloco, 3, 6));
  CHECK(losses(found) == losses(expected));
  CHECK(found["seconds"] == expected["seconds"]);
  CHECK(found["workers"] == expected["workers"]);
}

TEST_CASE("DiLoCo with plain steps of 1 is local SGD, and of one step data parallel") {
  const json plain = {{"outer_optimizer", {{"kind", "sgd"}, {"learning_rate", 1}}}};
  check_near(test_losses(with(diloco, plain), 3, 6), test_losses(local_sgd, 3, 6), 1e-5);
  // Data parallel does not take the mean of running statistics.
  const auto without_statistics = [&](const json& protocol) {
    json scenario = live(protocol, 3, 6);
    scenario["model"]["statistics"] = "batch";
    return losses(complete_scenario(scenario));
  };
  check_near(without_statistics(with(with(diloco, plain), {{"local_steps", 1}})),
             without_statistics({{"kind", "data_parallel"}}), 1e-5);
}

const json streaming = {
    {"kind", "streaming_diloco"}, {"local_steps", 4}, {"layers_per_fragment", 1}, {"delay", 0}};

TEST_CASE("Streaming DiLoCo of one fragment, without delay and mixing, is DiLoCo to the bit") {
  const json one = {{"layers_per_fragment", 9}, {"mixing", 0}};
  const json same_steps = with(diloco, {{"local_steps", 4}});
  CHECK(test_losses(with(streaming, one), 3, 6) == test_losses(same_steps, 3, 6));
  const json sparse = {{"compression", {{"kind", "top_k"}, {"share", 0.2}}}};
  CHECK(test_losses(with(with(streaming, one), sparse), 3, 6) == test_losses(with(same_steps, sparse), 3, 6));
  // Layer by layer, in rank order, the same sums are made.
  const json by_layer = {{"overlap", true}, {"aggregate", "server"}};
  CHECK(test_losses(with(with(streaming, one), by_layer), 3, 6) ==
        test_losses(with(same_steps, {{"aggregate", "server"}}), 3, 6));
}

TEST_CASE(
    "Streaming DiLoCo: fragments without delay and mixing end as DiLoCo's layers would, and all learn") {
  const std::vector<double> whole = test_losses(with(diloco, {{"local_steps", 4}}), 3, 8);
  for (const json& options :
       {json{{"mixing", 0}}, json{{"mixing", 0}, {"delay", 1}}, json{{"delay", 1}, {"mixing", 0.5}},
        json{{"delay", 1},
             {"overlap", true},
             {"compression", {{"kind", "e3m0"}}},
             {"aggregate", "sharded"}}}) {
    INFO(options);
    const std::vector<double> found = test_losses(with(streaming, options), 3, 8);
    CHECK(found != whole);
    CHECK(found.back() < found.front());
    CHECK(std::abs(found.back() - whole.back()) < 0.35 * whole.front());
  }
}

TEST_CASE("Streaming DiLoCo that mixes nothing in trains each worker alone") {
  const json alone = with(streaming, {{"mixing", 1}, {"evaluate", "replicas"}});
  // As SPARTA that hardly ever exchanges anything.
  json by_itself = live({{"kind", "sparta"}, {"share", 1e-12}}, 3, 24);
  by_itself["training"]["evaluate_every_rounds"] = 4;
  check_near(test_losses(alone, 3, 6), losses(complete_scenario(by_itself)), 1e-5);
}

TEST_CASE("Streaming DiLoCo: numbers depend on the delay and not on the network") {
  const json delayed = with(streaming, {{"delay", 1}});
  json slow = live(delayed, 3, 5), fast = slow;
  slow["platform"]["bandwidth"] = "1kBps";
  fast["platform"]["bandwidth"] = "1GBps";
  const json on_slow = complete_scenario(slow), on_fast = complete_scenario(fast);
  CHECK(losses(on_slow) == losses(on_fast));
  CHECK(on_slow["seconds"].get<double>() > 10 * on_fast["seconds"].get<double>());
  CHECK(losses(on_fast) != test_losses(streaming, 3, 5));
}

TEST_CASE("Streaming DiLoCo: bytes of a round are DiLoCo's, and a delay hides their time") {
  const auto costs = [](const json& protocol, const char* bandwidth) {
    return complete_scenario(scenario_with(
        {{"platform", {{"workers", 4}, {"bandwidth", bandwidth}, {"latency", "1us"}, {"speed", "100Mf"}}},
         {"training", {{"rounds", 3}}},
         {"protocol", protocol}}));
  };
  const json whole = costs(with(diloco, {{"local_steps", 12}}), "10MBps");
  for (const bool overlap : {false, true}) {
    json in_parts = with(streaming, {{"local_steps", 12}, {"overlap", overlap}});
    const json at_once = costs(in_parts, "10MBps");
    CHECK(total(at_once, "bytes_sent") == total(whole, "bytes_sent"));
    in_parts["delay"] = 3;
    const json delayed = costs(in_parts, "10MBps");
    CHECK(total(delayed, "bytes_sent") == total(whole, "bytes_sent"));
    CHECK(delayed["seconds"].get<double>() < at_once["seconds"].get<double>());
    // All exchanges fit beside three steps: what is left are computing and the last round's mixing.
    CHECK(delayed["workers"][0]["idle"].get<double>() + delayed["workers"][0]["communication"].get<double>() <
          0.5 * (at_once["workers"][0]["idle"].get<double>() +
                 at_once["workers"][0]["communication"].get<double>()));
  }
}

TEST_CASE("Streaming DiLoCo: what does not go together is refused by name") {
  const auto refusal = [](const json& options) {
    return input_error_of([&] {
      const Prepared prepared(live(with(streaming, options), 2, 2));
      prepared.protocol->require_fit(prepared.job);
    });
  };
  CHECK(refusal({{"delay", 2}}) ==
        "/protocol/delay: found 2, but each of the model's 2 fragments has a turn of 2 of the local steps; "
        "allowed: "
        "less than that");
}

TEST_CASE("NoLoCo of two workers is DiLoCo with heavy-ball momentum") {
  const json heavy_ball = {{"outer_optimizer", {{"kind", "sgd"}, {"learning_rate", 0.7}, {"momentum", 0.5}}}};
  check_near(test_losses(noloco, 2, 8), test_losses(with(local_sgd, heavy_ball), 2, 8), 1e-5);
}

TEST_CASE("NoLoCo alone, with steps of 1 and no momentum, is SGD") {
  const json plain = {{"outer_learning_rate", 1}, {"outer_momentum", 0}};
  check_near(test_losses(with(noloco, plain), 1, 6), test_losses(local_sgd, 1, 6), 1e-5);
}

TEST_CASE("NoLoCo's first round is local SGD's in the mean over all, and then it learns") {
  // The mean over all workers of their pairs' means is the mean of all.
  const json free = {{"outer_momentum", 0}, {"outer_learning_rate", 1}};
  const std::vector<double> pulled = test_losses(with(noloco, free), 4, 8);
  CHECK(pulled.front() == Approx(test_losses(local_sgd, 4, 8).front()).epsilon(1e-5));
  CHECK(pulled.back() < pulled.front());
}

TEST_CASE("NoLoCo: bytes and time of a pair") {
  for (const int workers : {2, 3, 4, 7}) {
    CAPTURE(workers);
    json scenario = scenario_with({{"platform", {{"workers", workers}}}, {"protocol", noloco}});
    scenario["training"]["rounds"] = 5;
    const auto bytes = 8 * static_cast<double>(model_size(scenario));  // phi and theta - phi
    const json run = complete_scenario(scenario);
    double all = 0;
    for (const json& worker : run["workers"]) {
      const double sent = worker["bytes_sent"];
      all += sent;
      const double meetings = sent / bytes;
      CHECK(meetings == std::floor(meetings));
      CHECK(worker["bytes_received"] == sent);
      if (workers % 2 == 0) CHECK(meetings == 5);
      // Full duplex, no link is shared.
      CHECK_CLOSE(worker["communication"].get<double>(), meetings * (1e-3 + bytes / 1e6));
    }
    CHECK(all == 5 * (workers / 2 * 2) * bytes);
    CHECK(run["paper_bytes"] == 2 * all);  // up and down, and nothing where nobody is met
  }
}

TEST_CASE("SPARTA of all parameters is local SGD with one step") {
  const json all = {{"kind", "sparta"}, {"share", 1}};
  const json one_step = with(local_sgd, {{"local_steps", 1}});
  for (const char* aggregate : {"ring", "server", "sharded"}) {
    CAPTURE(aggregate);
    const json by = {{"aggregate", aggregate}};
    const json found = complete_scenario(live(with(all, by), 4, 6));
    const json expected = complete_scenario(live(with(one_step, by), 4, 6));
    CHECK(losses(found) == losses(expected));
    CHECK(found["seconds"] == expected["seconds"]);
    CHECK(found["workers"][1]["bytes_sent"] == expected["workers"][1]["bytes_sent"]);
  }
}

TEST_CASE("SPARTA sends its share of the parameters, and no indices") {
  const auto bytes = [](double share) {
    json scenario =
        scenario_with({{"protocol", {{"kind", "sparta"}, {"share", share}, {"aggregate", "ring"}}}});
    scenario["training"]["rounds"] = 100;
    return complete_scenario(scenario)["workers"][0]["bytes_sent"].get<double>();
  };
  const double all = bytes(1);
  for (const double share : {0.5, 0.1, 0.02}) {
    // Drawn: so many of some 300 parameters, a hundred times.
    const double deviation = std::sqrt((1 - share) / (share * 300 * 100));
    CAPTURE(share, deviation);
    CHECK(bytes(share) / all == Approx(share).epsilon(4 * deviation));
  }
}

TEST_CASE("SPARTA alone is SGD") {
  check_near(test_losses({{"kind", "sparta"}, {"share", 0.3}}, 1, 6),
             test_losses(with(local_sgd, {{"local_steps", 1}}), 1, 6), 1e-6);
}

TEST_CASE("What two weights more take of a device's memory") {
  const auto memory = [](const json& protocol) {
    return complete_scenario(scenario_with({{"protocol", protocol}}))["workers"][0]["memory"];
  };
  const json plain = memory(local_sgd);
  const double size = 4 * static_cast<double>(model_size(small_scenario()));
  CHECK(memory(noloco)["optimizer"].get<double>() == plain["optimizer"].get<double>() + 2 * size);
  CHECK(memory(diloco)["optimizer"].get<double>() == plain["optimizer"].get<double>() + 2 * size);
}

}  // namespace outer_family_test
