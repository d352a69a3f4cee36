// HIST: of one site it is local SGD, of sites of one worker IST, to the bit; bytes by arithmetic.

#include "models/partition/neurons.hpp"
#include "tests/sim/runs.hpp"

using namespace isthmus;
using namespace isthmus::testing;

namespace hist_test {
namespace {

json scenario_of(const json& protocol, int workers, long rounds, long evaluate_every = 1,
                 const char* numerics = "live") {
  return scenario_with(
      {{"numerics", numerics},
       {"platform", {{"workers", workers}}},
       {"model", {{"kind", "mlp"}, {"hidden", {21, 14}}, {"statistics", "running"}}},
       {"training", {{"rounds", rounds}, {"batch", 6}, {"evaluate_every_rounds", evaluate_every}}},
       {"protocol", protocol}});
}

std::vector<double> test_losses(const json& scenario) {
  return column(complete_scenario(scenario), "test_loss");
}

json hist(const json& options) {
  json protocol = {{"kind", "hist"}, {"local_steps", 2}};
  protocol.update(options);
  return protocol;
}

}  // namespace

TEST_CASE("HIST of one site is local SGD") {
  const json local_sgd = {{"kind", "local_sgd"}, {"local_steps", 2}};
  const json one_site = hist({{"group_size", 4}, {"averages", 3}});
  CHECK(test_losses(scenario_of(one_site, 4, 5)) == test_losses(scenario_of(local_sgd, 4, 15, 3)));
}

TEST_CASE("HIST of sites of one worker each is IST") {
  for (const char* exchange : {"server", "sharded"}) {
    const json alone = hist({{"group_size", 1}, {"averages", 1}, {"exchange", exchange}});
    const json ist = {{"kind", "ist"}, {"local_steps", 2}, {"exchange", exchange}};
    const json found = complete_scenario(scenario_of(alone, 5, 6)),
               expected = complete_scenario(scenario_of(ist, 5, 6));
    REQUIRE(found["history"].size() == expected["history"].size());
    for (std::size_t row = 0; row < found["history"].size(); ++row)
      CHECK(found["history"][row]["test_loss"] == expected["history"][row]["test_loss"]);
    CHECK(total(found, "bytes_sent") == total(expected, "bytes_sent"));
  }
}

TEST_CASE("HIST: bytes between sites are IST's, inside a broadcast and averages, live as costs") {
  constexpr int workers = 6, sites = 3, averages = 4;
  const json protocol = hist({{"group_size", 2}, {"averages", averages}, {"exchange", "sharded"}});
  const json run = complete_scenario(scenario_of(protocol, workers, 1, 1, "costs"));
  const json live = complete_scenario(scenario_of(protocol, workers, 1));
  CHECK(run["seconds"] == live["seconds"]);
  CHECK(total(run, "bytes_sent") == total(live, "bytes_sent"));
  const Prepared prepared(scenario_of(protocol, workers, 1));
  const ParameterLayout& layout = prepared.job.model().layout();
  const Partition partition = draw_neurons(layout, axes_of(layout, AxisKind::neurons), sites,
                                           NeuronDeal::stratified, prepared.job.training().seed, 1);
  const auto homes = neuron_homes(layout, axes_of(layout, AxisKind::neurons), sites);
  std::size_t values = 0;
  for (int site = 0; site < sites; ++site) {
    const std::size_t part = partition.part(site).size();
    values += part;                 // to the other worker of the site
    values += averages * 2 * part;  // a ring of two sends all once, each
    for (int other = 0; other < sites; ++other) {
      if (other != site)
        values += 2 * intersection(homes[static_cast<std::size_t>(other)], partition.part(site)).size();
    }
  }
  CHECK(total(run, "bytes_sent") == 4 * values);
}

TEST_CASE("HIST over the zones of a platform, and refusals") {
  json zones = scenario_of(hist({{"averages", 2}}), 8, 4);
  zones["platform"] = {{"file", source_file("platforms/two-sites.xml").string()}, {"workers", 8}};
  const json run = complete_scenario(zones);
  CHECK(run["history"].back()["test_loss"].get<double>() < run["history"].front()["test_loss"].get<double>());
  // What sites say to each other in a round is 1/2 of all but the first site's: parts to and fro.
  json more_inside = zones;
  more_inside["protocol"]["averages"] = 4;
  const auto between = [](const json& of) {
    double bytes = 0;
    for (const auto& [link, use] : of["links"].items()) {
      if (link.find("between") != std::string::npos) bytes += use["bytes"].get<double>();
    }
    return bytes;
  };
  REQUIRE(between(run) > 0);
  CHECK(between(complete_scenario(more_inside)) == between(run));

  json too_few = scenario_of(hist({{"group_size", 1}}), 8, 1);
  too_few["model"]["hidden"] = {5};
  CHECK_THAT(input_error_of([&] {
               const Prepared prepared(too_few);
               prepared.protocol->require_fit(prepared.job);
             }),
             Catch::Contains("too few for hist on 8 sites"));
}

TEST_CASE("hierarchical local SGD is local SGD where sites, or averages of all, are the only ones") {
  const auto hierarchical = [](int group_size, long averages, const char* aggregate = "ring") {
    return json{{"kind", "hierarchical_local_sgd"},
                {"local_steps", 2},
                {"averages", averages},
                {"group_size", group_size},
                {"aggregate", aggregate}};
  };
  const auto local = [](long steps) { return json{{"kind", "local_sgd"}, {"local_steps", steps}}; };
  CHECK(test_losses(scenario_of(hierarchical(2, 1), 4, 5)) == test_losses(scenario_of(local(2), 4, 5)));
  CHECK(test_losses(scenario_of(hierarchical(4, 3), 4, 5)) == test_losses(scenario_of(local(2), 4, 15, 3)));
  CHECK(test_losses(scenario_of(hierarchical(1, 3), 4, 5)) == test_losses(scenario_of(local(6), 4, 5)));
  CHECK(test_losses(scenario_of(hierarchical(2, 3), 4, 5)) != test_losses(scenario_of(local(2), 4, 15, 3)));

  // Three averages of two pairs (both send what they have once), one of all four: 6 vectors around a ring.
  const json scenario = scenario_of(hierarchical(2, 4), 4, 1);
  const std::uint64_t bytes = 4 * Prepared(scenario).job.model().layout().size();
  const json run = complete_scenario(scenario);
  CHECK(total(run, "bytes_sent") == (3 * 2 * 2 + 6) * bytes);
  CHECK(complete_scenario(scenario, 2) == run);
}

}  // namespace hist_test
