#include "sim/simgrid/inspect.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "models/error.hpp"
#include "sim/platform/names.hpp"
#include "sim/process/isolated.hpp"
#include "sim/simgrid/loaded_platform.hpp"

namespace isthmus {
namespace {

using nlohmann::json;

constexpr std::size_t most_for_matrix = 16;
constexpr int most_for_all_pairs = 1500;  // hosts of a file of which every pair is looked at
constexpr int sampled_partners = 64;      // with more hosts: so many partners of each host

json to_json(const HostFacts& host) {
  return {host.name, host.speed_flops, host.cores, host.memory_bytes ? json(*host.memory_bytes) : json(),
          host.zone, host.device};
}

HostFacts host_from(const json& value) {
  HostFacts host{value.at(0), value.at(1), value.at(2), {}, value.at(4), value.at(5)};
  if (!value.at(3).is_null()) host.memory_bytes = value.at(3).get<std::uint64_t>();
  return host;
}

json to_json(const LinkFacts& link) {
  return {link.name, link.bandwidth_bytes_per_second, link.latency_seconds, link.sharing};
}

LinkFacts link_from(const json& value) { return {value.at(0), value.at(1), value.at(2), value.at(3)}; }

json to_json(const PairClass& pairs) {
  return {pairs.latency_seconds, pairs.bandwidth_bytes_per_second, pairs.pairs, pairs.example};
}

PairClass pairs_from(const json& value) { return {value.at(0), value.at(1), value.at(2), value.at(3)}; }

json to_json(const ProfileFacts& profile) {
  return {profile.of, profile.kind, profile.span.least, profile.span.most, profile.file};
}

ProfileFacts profile_from(const json& value) {
  return {value.at(0), value.at(1), {value.at(2), value.at(3)}, value.at(4)};
}

json to_json(const std::optional<LinkModel::Way>& way) {
  return way ? json{way->latency_seconds, way->bandwidth_bytes_per_second} : json();
}

std::optional<LinkModel::Way> way_from(const json& value) {
  if (value.is_null()) return std::nullopt;
  return LinkModel::Way{value.at(0), value.at(1)};
}

template <class Item>
json list(const std::vector<Item>& items) {
  json values = json::array();
  for (const auto& item : items) values.push_back(to_json(item));
  return values;
}

json to_json(const PlatformReport& report) {
  return {{"hosts", list(report.hosts)},
          {"links", list(report.links)},
          {"pair_classes", list(report.pair_classes)},
          {"sampled", report.sampled},
          {"latency", report.latency_seconds},
          {"bandwidth", report.bandwidth_bytes_per_second},
          {"profiles", list(report.profiles)},
          {"network", report.network},
          {"inside_site", to_json(report.inside_site)},
          {"between_sites", to_json(report.between_sites)}};
}

PlatformReport report_from(const json& value) {
  PlatformReport report;
  for (const auto& host : value.at("hosts")) report.hosts.push_back(host_from(host));
  for (const auto& link : value.at("links")) report.links.push_back(link_from(link));
  for (const auto& pairs : value.at("pair_classes")) report.pair_classes.push_back(pairs_from(pairs));
  for (const auto& profile : value.at("profiles")) report.profiles.push_back(profile_from(profile));
  value.at("sampled").get_to(report.sampled);
  value.at("latency").get_to(report.latency_seconds);
  value.at("bandwidth").get_to(report.bandwidth_bytes_per_second);
  report.network = value.at("network");
  report.inside_site = way_from(value.at("inside_site"));
  report.between_sites = way_from(value.at("between_sites"));
  return report;
}

void describe_hosts(const LoadedPlatform& platform, PlatformReport& report) {
  for (int rank = 0; rank < platform.ranks(); ++rank) {
    const auto& device = platform.device(rank);
    report.hosts.push_back({device.host, device.speed_flops, platform.host(rank)->get_core_count(),
                            device.memory_bytes, platform.host(rank)->get_englobing_zone()->get_name(),
                            device.profile});
  }
}

/// The links and profiles of what the report speaks of, and the constants of the network.
void describe_network(const LoadedPlatform& platform, std::vector<LinkFacts> links, PlatformReport& report) {
  report.links = std::move(links);
  report.network = platform.network_constants();
  report.profiles = platform.profiles();
  if (report.profiles.empty()) return;
  std::set<std::string> names;
  for (const HostFacts& host : report.hosts) names.insert(host.name);
  for (const LinkFacts& link : report.links) {
    for (std::string& name : declared_names(link.name)) names.insert(std::move(name));
  }
  std::erase_if(report.profiles, [&](const ProfileFacts& profile) { return !names.contains(profile.of); });
}

void describe_pairs(LoadedPlatform& platform, std::span<const RankPair> pairs, PlatformReport& report) {
  const auto workers = report.hosts.size();
  if (workers <= most_for_matrix) {
    const std::vector<double> unknown(workers, std::numeric_limits<double>::quiet_NaN());
    report.latency_seconds.assign(workers, unknown);
    report.bandwidth_bytes_per_second.assign(workers, unknown);
    for (std::size_t i = 0; i < workers; ++i) {
      report.latency_seconds[i][i] = 0;
      report.bandwidth_bytes_per_second[i][i] = std::numeric_limits<double>::infinity();
    }
  }
  // As floats, since sums of the same latencies in another order are to be the same class.
  std::map<std::pair<float, float>, PairClass> classes;
  for (const auto& [from, to] : pairs) {
    if (platform.host(from) == platform.host(to)) continue;
    const Route route = platform.compute_route(from, to);
    const double latency = route.latency_seconds, bandwidth = route.bandwidth_bytes_per_second;
    auto& found = classes[{static_cast<float>(latency), -static_cast<float>(bandwidth)}];
    if (found.pairs++ == 0) found = {latency, bandwidth, 1, {from, to}};
    if (workers > most_for_matrix) continue;
    report.latency_seconds[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)] = latency;
    report.bandwidth_bytes_per_second[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)] =
        bandwidth;
  }
  for (const auto& [key, pair_class] : classes) report.pair_classes.push_back(pair_class);
}

/// The slowest way inside a site and between two. Flows between sites share links: the slowest of them gets
/// what max-min fairness leaves it on the fullest link.
void describe_sites(LoadedPlatform& platform, const SiteTraffic& traffic, PlatformReport& report) {
  const auto crosses = [&](const RankPair& pair) {
    return traffic.sites.at(static_cast<std::size_t>(pair.first)) !=
           traffic.sites.at(static_cast<std::size_t>(pair.second));
  };
  std::map<int, int> flows;  // between sites, on each link
  for (const RankPair& pair : traffic.pairs) {
    if (!crosses(pair)) continue;
    for (const int link : platform.compute_route(pair.first, pair.second).links) ++flows[link];
  }
  for (const RankPair& pair : traffic.pairs) {
    const Route route = platform.compute_route(pair.first, pair.second);
    double bandwidth = route.bandwidth_bytes_per_second;
    for (const int index : route.links) {
      const LinkFacts& link = platform.links().at(static_cast<std::size_t>(index));
      if (!crosses(pair) || link.sharing == "fatpipe") continue;
      bandwidth = std::min(bandwidth, link.bandwidth_bytes_per_second / flows.at(index));
    }
    auto& slowest = crosses(pair) ? report.between_sites : report.inside_site;
    if (!slowest) slowest = {route.latency_seconds, bandwidth};
    slowest->latency_seconds = std::max(slowest->latency_seconds, route.latency_seconds);
    slowest->bandwidth_bytes_per_second = std::min(slowest->bandwidth_bytes_per_second, bandwidth);
  }
}

/// Every pair of `hosts` hosts, or with very many hosts each with some others spread evenly.
std::vector<RankPair> pairs_to_look_at(int hosts) {
  const int step = hosts <= most_for_all_pairs ? 1 : hosts / sampled_partners;
  std::vector<RankPair> pairs;
  for (int from = 0; from < hosts; ++from) {
    for (int distance = 1; distance < hosts; distance += step)
      pairs.emplace_back(from, (from + distance) % hosts);
  }
  return pairs;
}

/// Runs `describe` in a child; what SimGrid aborts of becomes an InputError.
PlatformReport isolated_report(const std::filesystem::path& file,
                               const std::function<PlatformReport()>& describe) {
  try {
    return report_from(run_isolated([&] { return to_json(describe()); }));
  } catch (const IsolatedDeath& death) {
    if (death.doing().empty())
      throw InputError(file.string(), "SimGrid gave up on the platform: " + death.reason());
    const std::string doing = death.doing(), start = file.string();
    const std::string place = PlatformXml(file).place_of_mention(death.reason());
    if (place == start || !doing.starts_with(start)) throw InputError(doing, death.reason());
    throw InputError(place + doing.substr(start.size()), death.reason());  // the line as well
  }
}

template <class Get, class Choose>
double over_classes(const std::vector<PairClass>& classes, Get get, Choose choose) {
  double value = std::numeric_limits<double>::quiet_NaN();
  for (const auto& pair_class : classes)
    value = std::isnan(value) ? get(pair_class) : choose(value, get(pair_class));
  return value;
}

double latency(const PairClass& pairs) { return pairs.latency_seconds; }
double bandwidth(const PairClass& pairs) { return pairs.bandwidth_bytes_per_second; }
double least(double a, double b) { return std::min(a, b); }
double most(double a, double b) { return std::max(a, b); }

}  // namespace

double PlatformReport::min_latency_seconds() const { return over_classes(pair_classes, latency, least); }
double PlatformReport::max_latency_seconds() const { return over_classes(pair_classes, latency, most); }
double PlatformReport::min_bandwidth_bytes_per_second() const {
  return over_classes(pair_classes, bandwidth, least);
}
double PlatformReport::max_bandwidth_bytes_per_second() const {
  return over_classes(pair_classes, bandwidth, most);
}

LinkModel PlatformReport::slowest_link() const {
  const double overhead = network.at("collective_overhead_seconds").get<double>();
  if (pair_classes.empty()) return {.collective_overhead_seconds = overhead};
  const auto factor = [&](const char* name) {
    return network.at(name).is_number() ? network.at(name).get<double>() : 1;
  };
  const double window_bytes = network.at("tcp_gamma_bytes").get<double>();
  const auto effective = [&](double seconds, double bytes_per_second) {
    double rate = bytes_per_second * factor("bandwidth_factor");
    if (window_bytes > 0 && seconds > 0) rate = std::min(rate, window_bytes / (2 * seconds));
    return LinkModel::Way{
        seconds * factor("latency_factor") + network.at("message_overhead_seconds").get<double>(),
        rate * network.at("goodput").get<double>()};
  };
  const auto effective_way = [&](const std::optional<LinkModel::Way>& way) {
    return way ? std::optional(effective(way->latency_seconds, way->bandwidth_bytes_per_second)) : way;
  };
  const LinkModel::Way slowest = effective(max_latency_seconds(), min_bandwidth_bytes_per_second());
  return {.latency_seconds = slowest.latency_seconds,
          .bandwidth_bytes_per_second = slowest.bandwidth_bytes_per_second,
          .collective_overhead_seconds = overhead,
          .inside_site = effective_way(inside_site),
          .between_sites = effective_way(between_sites)};
}

std::vector<int> PlatformReport::sites() const {
  std::map<std::string, int> numbers;
  std::vector<int> sites;
  for (const HostFacts& host : hosts)
    sites.push_back(numbers.emplace(host.zone, static_cast<int>(numbers.size())).first->second);
  return sites;
}

PlatformReport inspect_platform(const PlatformOptions& platform, const NetworkOptions& network,
                                std::span<const RankPair> talking_pairs, const SiteTraffic& traffic) {
  return isolated_report(platform.file, [&] {
    LoadedPlatform loaded(platform, network, talking_pairs);
    PlatformReport report;
    describe_hosts(loaded, report);
    describe_pairs(loaded, talking_pairs, report);
    if (!traffic.sites.empty()) describe_sites(loaded, traffic, report);
    describe_network(loaded, loaded.links(), report);
    return report;
  });
}

PlatformReport inspect_platform(const std::filesystem::path& file) {
  return isolated_report(file, [&] {
    PlatformOptions options;
    options.file = file;
    LoadedPlatform loaded(options, {}, {});
    PlatformReport report;
    describe_hosts(loaded, report);
    report.sampled = loaded.ranks() > most_for_all_pairs;
    describe_pairs(loaded, pairs_to_look_at(loaded.ranks()), report);
    describe_network(loaded, loaded.all_links(), report);
    return report;
  });
}

}  // namespace isthmus
