#include "sim/study/resolve_aggregate.hpp"

#include "sim/averaging/averaging.hpp"
#include "sim/collectives/pairs.hpp"
#include "sim/core/job.hpp"
#include "sim/protocols/protocol.hpp"
#include "sim/study/dry_run.hpp"

namespace isthmus {
namespace {

using nlohmann::json;

std::vector<int> sites_of(const Scenario& scenario, const PlatformReport& platform) {
  if (!scenario.protocol.contains("group_size")) return platform.sites();
  std::vector<int> sites;
  for (int rank = 0; rank < scenario.platform.workers; ++rank)
    sites.push_back(rank / scenario.protocol.at("group_size").get<int>());
  return sites;
}

/// The scenario with that all-reduce.
Scenario with_aggregate(Scenario scenario, const std::string& name, const std::vector<int>& sites) {
  scenario.protocol["aggregate"] = name;
  scenario.protocol.erase("group_size");
  if (name == "hierarchical") scenario.protocol["sites"] = sites;
  return scenario;
}

/// By the closed form, of one all-reduce of the whole model on the slowest ways that there are.
double predicted_seconds(const Scenario& scenario, LinkModel link, KnownPlatforms& platforms) {
  const int workers = scenario.platform.workers;
  if (const SiteTraffic traffic = site_traffic(scenario.protocol, workers); !traffic.sites.empty()) {
    const LinkModel levels =
        platforms.inspect(scenario.platform, scenario.network, traffic.pairs, traffic)->slowest_link();
    link.inside_site = levels.inside_site;
    link.between_sites = levels.between_sites;
  }
  const Job job(scenario.data, scenario.model, scenario.training, workers, {}, false);
  // The closed forms take four bytes for a value. Fewer are as good as more bytes per second.
  const double bytes = sizeof(float) * static_cast<double>(job.model().layout().size());
  const double part = static_cast<double>(wire_format_of(scenario.protocol).bytes(1)) / sizeof(float);
  return make_aggregate(scenario.protocol)->seconds(workers, bytes, link.with_bandwidth_times(1 / part));
}

/// Seconds of each all-reduce that there is, with or without those between sites.
json compare_aggregates(const Scenario& scenario, const PlatformReport& platform,
                        const std::vector<int>& sites, KnownPlatforms& platforms) {
  constexpr int most_simulated_workers = 64;  // of 64 all take some tenths of a second
  const bool simulated = scenario.platform.workers <= most_simulated_workers;
  json seconds = json::object();
  for (const std::string& name : possible_aggregates(scenario.protocol)) {
    if (name == "hierarchical" && !has_two_levels(sites)) continue;
    const Scenario candidate = with_aggregate(scenario, name, sites);
    const auto found = simulated
                           ? first_round_seconds(candidate)
                           : std::optional(predicted_seconds(candidate, platform.slowest_link(), platforms));
    seconds[name] = found ? json(*found) : json();
  }
  return {{simulated ? "simulated_round_seconds" : "predicted_all_reduce_seconds", seconds}};
}

/// The name with the fewest seconds, of equal ones the first as they are listed.
std::string fastest(const json& seconds) {
  std::string best;
  for (const std::string& name : algorithm_names(CollectiveKind::all_reduce)) {
    const json found = seconds.value(name, json());
    if (found.is_number() && (best.empty() || found < seconds.at(best))) best = name;
  }
  return best.empty() ? "ring" : best;  // none gets through: the run will say why
}

/// What the choice depends on, of a configuration: trainings that differ in nothing else share it.
std::string basis_of_choice(json configuration) {
  for (const char* free : {"seed", "rounds", "epochs", "learning_rate", "target_accuracy"})
    configuration.at("training").erase(free);
  configuration.erase("name");
  return configuration.dump();
}

}  // namespace

void AggregateResolver::resolve(Point& point) {
  Scenario& scenario = point.scenario;
  std::string name = scenario.protocol.value("aggregate", "");
  const bool needs_sites = protocol_kind(scenario.protocol).needs_sites;
  if (name != "auto" && name != "hierarchical" && !needs_sites) return;
  const bool is_open = name == "auto";
  const std::vector<RankPair> pairs = is_open ? all_pairs_of(scenario.platform.workers)
                                              : std::vector<RankPair>();  // only it needs to know their ways
  const PlatformReport& platform = *platforms_.inspect(scenario.platform, scenario.network, pairs);
  const std::vector<int> sites = sites_of(scenario, platform);
  point.chosen = json::object();
  if (is_open) {
    auto& known = choices_[basis_of_choice(point.configuration)];
    if (known.is_null()) known = compare_aggregates(scenario, platform, sites, platforms_);
    point.chosen = known;
    name = fastest(known.front());
    point.chosen["aggregate"] = name;
  }
  scenario = with_aggregate(scenario, name, sites);
  if (needs_sites) scenario.protocol["sites"] = sites;
  if (name == "hierarchical" || needs_sites) point.chosen["sites"] = sites;
}

SiteTraffic site_traffic(const json& protocol, int workers) {
  if (!protocol.contains("sites")) return {};
  const std::vector<RankPair> pairs = protocol_kind(protocol).needs_sites
                                          ? make_protocol(protocol)->talking_pairs(workers)
                                          : make_aggregate(protocol)->talking_pairs(workers);
  return {protocol.at("sites").get<std::vector<int>>(), pairs};
}

}  // namespace isthmus
