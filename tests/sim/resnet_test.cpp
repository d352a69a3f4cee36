// Protocols on real residual networks.

#include "tests/sim/runs.hpp"

using namespace isthmus;
using namespace isthmus::testing;

namespace resnet_test {
namespace {

json images(const json& protocol, int workers, const json& training = json::object()) {
  json scenario =
      scenario_with({{"numerics", "live"},
                     {"platform", {{"workers", workers}}},
                     {"data", {{"shape", {1, 8, 8}}, {"dimensions", nullptr}, {"samples", 240}}},
                     {"model", {{"kind", "resnet"}, {"sections", {1, 1, 4}}, {"widths", {8, 16, 32}}}},
                     {"training", {{"batch", 8}, {"rounds", 4}, {"learning_rate", 0.02}, {"momentum", 0.9}}},
                     {"protocol", protocol}});
  scenario["training"].merge_patch(training);
  return scenario;
}

json resist(const json& options = json::object()) {
  json protocol = {{"kind", "resist"}, {"local_steps", 3}};
  protocol.merge_patch(options);
  return protocol;
}

/// What training gave, without what the network did to it.
json losses(const json& run) {
  REQUIRE(run["outcome"] == "completed");
  json rows = json::array();
  for (const json& row : run["history"])
    rows.push_back({row["train_loss"], row["test_loss"], row["test_accuracy"]});
  return rows;
}

}  // namespace

TEST_CASE("resnet: resist on one worker is plain SGD with a reset each round, to the bit") {
  const json plain = images({{"kind", "local_sgd"}, {"local_steps", 3}}, 1, {{"optimizer_state", "reset"}});
  CHECK(losses(run_scenario(images(resist(), 1))) == losses(run_scenario(plain)));
}

TEST_CASE("resnet: peers and a server train the same, and threads change nothing") {
  const json peer = run_scenario(images(resist(), 3));
  CHECK(losses(run_scenario(images(resist(), 3), 2)) == losses(peer));
  const json server = losses(run_scenario(images(resist({{"exchange", "server"}}), 3)));
  const json by_peers = losses(peer);
  for (std::size_t round = 0; round < server.size(); ++round) {
    for (std::size_t i = 0; i < 2; ++i) {
      CHECK(server[round][i].get<double>() == Approx(by_peers[round][i].get<double>()).epsilon(1e-3));
    }
  }
}

TEST_CASE("resnet: with every block for everybody resist is local SGD") {
  const json local = losses(
      run_scenario(images({{"kind", "local_sgd"}, {"local_steps", 3}}, 2, {{"optimizer_state", "reset"}})));
  const json all = losses(run_scenario(images(resist({{"minimum_depth", 3}}), 2)));
  for (std::size_t round = 0; round < all.size(); ++round) {
    CHECK(all[round][0].get<double>() == Approx(local[round][0].get<double>()).epsilon(1e-3));
  }
}

TEST_CASE("resnet: nobody holds more than its sub-network") {
  const json whole = run_scenario(images({{"kind", "local_sgd"}, {"local_steps", 3}}, 4));
  const json parts = run_scenario(images(resist(), 4));
  for (std::size_t rank = 0; rank < 4; ++rank) {
    CHECK(parts["workers"][rank]["memory"]["gradients"] < whole["workers"][rank]["memory"]["gradients"]);
    CHECK(parts["workers"][rank]["memory"]["optimizer"] < whole["workers"][rank]["memory"]["optimizer"]);
  }
}

TEST_CASE("resnet: costs runs send and take what live ones do") {
  json counted = images(resist(), 4);
  const json live = run_scenario(counted);
  counted["numerics"] = "costs";
  const json costs = run_scenario(counted);
  CHECK(costs["seconds"] == live["seconds"]);
  CHECK(costs["workers"] == live["workers"]);
  CHECK(costs["links"] == live["links"]);
}

}  // namespace resnet_test
