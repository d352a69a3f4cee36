#pragma once

#include <array>
#include <compare>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "sim/platform/link_model.hpp"
#include "sim/platform/platform.hpp"
#include "sim/platform/platform_xml.hpp"
#include "sim/scenario/scenario.hpp"

namespace isthmus {

struct HostFacts {
  std::string name;
  double speed_flops = 0;  ///< of one core
  int cores = 1;
  std::optional<std::uint64_t> memory_bytes;
  std::string zone;    ///< the innermost zone of the platform that it is in: its site
  std::string device;  ///< name or file of its profile; empty: only its speed is known
};

/// Pairs of ranks between which the network is the same.
struct PairClass {
  double latency_seconds = 0;             ///< one way, end to end
  double bandwidth_bytes_per_second = 0;  ///< of the narrowest link on the way, for one message alone
  long pairs = 0;
  RankPair example;
};

/// What an algorithm in two levels sends: inside sites, and between them all pairs at once.
struct SiteTraffic {
  std::vector<int> sites;  ///< of each rank; empty: there is no such traffic
  std::vector<RankPair> pairs;
  auto operator<=>(const SiteTraffic&) const = default;
};

/// A loaded platform as plain data.
struct PlatformReport {
  std::vector<HostFacts> hosts;  ///< by rank, as overridden; for a whole file all hosts in natural order
  std::vector<LinkFacts> links;  ///< used links, as overridden; for a whole file all links
  std::vector<PairClass> pair_classes;  ///< of the pairs looked at, by latency, then by falling bandwidth
  bool sampled = false;                 ///< true: the file has too many hosts to look at each pair
  /// By rank and rank for at most 16 workers, else empty. 0 (latency) and infinity (bandwidth) from a rank to
  /// itself; for pairs that do not talk too, NaN if there is no route between them.
  std::vector<std::vector<double>> latency_seconds, bandwidth_bytes_per_second;
  std::vector<ProfileFacts> profiles;  ///< of these hosts and links
  nlohmann::json network;              ///< constants in force, see effective_network()
  /// Of SiteTraffic: what one message gets of the slowest way inside a site, and of the slowest between two
  /// while one from each pair is on its way; empty if there is none.
  std::optional<LinkModel::Way> inside_site = {}, between_sites = {};

  double min_latency_seconds() const;
  double max_latency_seconds() const;
  double min_bandwidth_bytes_per_second() const;
  double max_bandwidth_bytes_per_second() const;

  /// What a message gets of the slowest pair looked at, by the alpha-beta model: with goodput, the model's
  /// factors (where they do not depend on the size) and the software overhead of a message. So do its ways
  /// inside a site and between sites.
  LinkModel slowest_link() const;
  /// The site of each rank by its zone, numbered from 0 in the order of ranks.
  std::vector<int> sites() const;
};

/// Loads the platform in an isolated child and describes what its workers get. Errors: InputError for
/// whatever is wrong with the platform, also where SimGrid aborts.
PlatformReport inspect_platform(const PlatformOptions& platform, const NetworkOptions& network,
                                std::span<const RankPair> talking_pairs, const SiteTraffic& traffic = {});

/// Describes a whole platform file, every host being a worker.
PlatformReport inspect_platform(const std::filesystem::path& file);

/// What a profile gives, in words: "latency", "10 ms", "30 ms".
std::array<std::string, 3> profile_text(const ProfileFacts& profile);

/// `isthmus platform FILE`: hosts, links, and latency and bandwidth between hosts, as tables.
void print_platform(const std::filesystem::path& file, std::ostream& out);

}  // namespace isthmus
