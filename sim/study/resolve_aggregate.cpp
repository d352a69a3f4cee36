#include "sim/study/resolve_aggregate.hpp"

#include "sim/collectives/all_reduce.hpp"
#include "sim/collectives/pairs.hpp"
#include "sim/core/job.hpp"
#include "sim/protocols/protocol.hpp"

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

double predicted_seconds(const Scenario& scenario, const LinkModel& link) {
  const auto protocol = make_protocol(scenario.protocol);
  const Job job(scenario.data, scenario.model, scenario.training, scenario.platform.workers,
                protocol->round_plan(), false);
  return forecast(*protocol, job, link, wire_format_of(scenario.protocol)).communication_seconds;
}

/// The scenario with that all-reduce.
Scenario with_aggregate(Scenario scenario, const std::string& name, const std::vector<int>& sites) {
  scenario.protocol["aggregate"] = name;
  scenario.protocol.erase("group_size");
  if (name == "hierarchical") scenario.protocol["sites"] = sites;
  return scenario;
}

}  // namespace

void resolve_aggregate(Point& point) {
  Scenario& scenario = point.scenario;
  const std::string asked = scenario.protocol.value("aggregate", "");
  if (asked != "auto" && asked != "hierarchical") return;
  const int workers = scenario.platform.workers;
  const std::vector<RankPair> pairs =
      asked == "auto" ? all_pairs_of(workers) : std::vector<RankPair>();  // only it needs to know their ways
  const PlatformReport platform = inspect_platform(scenario.platform, scenario.network, pairs);
  const std::vector<int> sites = sites_of(scenario, platform);
  std::string best = asked;
  point.chosen = json::object();
  if (asked == "auto") {
    std::vector<std::string> names = automatic_all_reduces();
    if (has_two_levels(sites)) names.emplace_back("hierarchical");
    json seconds = json::object();
    best = names.front();
    for (const std::string& name : names) {
      const Scenario candidate = with_aggregate(scenario, name, sites);
      LinkModel link = platform.slowest_link();
      if (const SiteTraffic traffic = site_traffic(candidate.protocol, workers); !traffic.sites.empty()) {
        const LinkModel levels =
            inspect_platform(scenario.platform, scenario.network, traffic.pairs, traffic).slowest_link();
        link.inside_site = levels.inside_site;
        link.between_sites = levels.between_sites;
      }
      seconds[name] = predicted_seconds(candidate, link);
      if (seconds[name] < seconds[best]) best = name;
    }
    point.chosen = {{"aggregate", best}, {"predicted_communication_seconds", seconds}};
  }
  scenario = with_aggregate(scenario, best, sites);
  if (best == "hierarchical") point.chosen["sites"] = sites;
}

SiteTraffic site_traffic(const json& protocol, int workers) {
  if (!protocol.contains("sites")) return {};
  return {protocol.at("sites").get<std::vector<int>>(), make_aggregate(protocol)->talking_pairs(workers)};
}

}  // namespace isthmus
