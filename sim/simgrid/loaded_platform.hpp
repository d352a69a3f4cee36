#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <simgrid/s4u.hpp>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "sim/core/computation.hpp"
#include "sim/platform/platform.hpp"
#include "sim/platform/platform_xml.hpp"
#include "sim/scenario/scenario.hpp"
#include "sim/simgrid/faults.hpp"

namespace isthmus {

/// SimGrid's engine with a platform in it, checked, with workers placed on hosts and all overrides applied.
///
/// One per process, since SimGrid allows one Engine per process. Some faults of a platform make SimGrid
/// abort: call it within run_isolated(), which turns that into an error that says what was being done.
class LoadedPlatform {
 public:
  /// Loads `platform.file`, places the workers (`platform.hosts`, else the first `platform.workers` hosts in
  /// natural order, 0 meaning all), then the servers, and checks every route between `talking_pairs` (pairs
  /// of a rank with itself need none).
  ///
  /// Overrides, the later winning field by field:
  /// - all_links.bandwidth: each link on a route of a talking pair gets it;
  /// - all_links.latency: each of these links gets latency / (number of links of the longest of these
  /// routes),
  ///   which on a star is end to end exactly the latency given;
  /// - links: by name or glob, see resolve_overrides(); "x" names both directions of a split-duplex link "x".
  /// - all_devices, then devices, likewise.
  ///
  /// Errors: InputError with XML file:line or JSON pointer for everything that is wrong with the platform,
  /// with names that do not exist, routes that are missing, links without positive finite bandwidth, devices
  /// without speed, and memory that cannot be read.
  LoadedPlatform(const PlatformOptions& platform, const NetworkOptions& network,
                 std::span<const RankPair> talking_pairs);
  LoadedPlatform(const LoadedPlatform&) = delete;
  LoadedPlatform& operator=(const LoadedPlatform&) = delete;
  ~LoadedPlatform();

  simgrid::s4u::Engine& engine() { return *engine_; }
  simgrid::s4u::Host* host(int rank) const { return hosts_.at(static_cast<std::size_t>(rank)); }
  /// Workers, then servers.
  int ranks() const { return static_cast<int>(hosts_.size()); }
  /// By rank, as overridden.
  const Device& device(int rank) const { return devices_[static_cast<std::size_t>(rank)]; }

  /// By rank; null where a device has no profile.
  const DeviceModel* device_model(int rank) const { return models_.at(static_cast<std::size_t>(rank)).get(); }
  /// Multiply FLOPs by this before execute() on the worker's host: file's speed / overridden speed, 1 without
  /// an override. (SimGrid fixes a host's speed when it reads the file. A speed profile of the host goes on
  /// working: its ratio applies to the overridden speed.)
  double speed_scale(int rank) const { return speed_scales_.at(static_cast<std::size_t>(rank)); }
  /// What execute() on the worker's host is given for it. SimGrid spends the time of profiled devices, too:
  /// so speed profiles and shared cores go on working.
  double amount(int rank, const Computation& computation) const {
    const double by_time = computation.seconds() * host(rank)->get_speed();
    return device_model(rank) ? by_time : computation.flops * speed_scale(rank) + by_time;
  }

  /// The links on routes of talking pairs in natural order, as overridden; then those of other routes asked
  /// for.
  const std::vector<LinkFacts>& links() const { return links_; }
  /// SimGrid's links, in the order of links().
  const std::vector<simgrid::s4u::Link*>& simgrid_links() const { return simgrid_links_; }
  /// Every link of the platform in natural order, used or not, as overridden. Errors: InputError for an
  /// impossible one.
  std::vector<LinkFacts> all_links() const;
  /// What a message from rank to rank crosses; no links between ranks of one host. Found on demand and kept.
  /// The reference stays good. Errors: InputError if there is no route.
  const Route& route(int from, int to);
  /// The same without keeping it: for one pass over very many pairs.
  Route compute_route(int from, int to);

  /// What goes off and comes back; not before it is started.
  Faults& faults() { return *faults_; }

  /// What changes while the simulation runs.
  std::vector<ProfileFacts> profiles() const { return xml_.profiles(); }

  /// The network constants in force and SimGrid's version, see effective_network().
  const nlohmann::json& network_constants() const { return network_constants_; }

 private:
  void load(const NetworkOptions& network);
  void place_workers(const PlatformOptions& options);
  void place_servers(const PlatformOptions& options);
  simgrid::s4u::Host* host_named(const std::string& name, const std::string& place) const;
  void set_devices(const PlatformOptions& options);
  /// Name or file of a profile, and where that is said; empty where only its speed is known.
  std::pair<std::string, std::string> kind_of_device(const simgrid::s4u::Host& host,
                                                     const DeviceOverride& own,
                                                     const PlatformOptions& options) const;
  std::shared_ptr<const DeviceModel> model_of(const std::string& kind, const std::string& place,
                                              const PlatformOptions& options);
  std::size_t collect_links(std::span<const RankPair> pairs);  // returns the links of the longest route
  void override_links(const PlatformOptions& options, std::size_t longest_route);
  void sort_links();
  const std::vector<simgrid::s4u::Link*>& find_route(int from, int to);
  std::vector<simgrid::s4u::Link*> links_in_order() const;
  int index_of(simgrid::s4u::Link* link);
  void check_link(const LinkFacts& link) const;
  void describe_pair(int from, int to, std::string& text) const;  // appends

  PlatformXml xml_;
  std::unique_ptr<simgrid::s4u::Engine> engine_;
  std::vector<simgrid::s4u::Host*> hosts_;
  std::vector<Device> devices_;
  std::vector<std::shared_ptr<const DeviceModel>> models_;
  std::map<std::string, std::shared_ptr<const DeviceModel>> models_by_kind_;
  std::vector<double> speed_scales_;
  std::vector<LinkFacts> links_;
  std::vector<simgrid::s4u::Link*> simgrid_links_;
  std::unordered_map<const simgrid::s4u::Link*, int> link_index_;
  std::unordered_map<std::uint64_t, Route> routes_;
  std::vector<simgrid::s4u::Link*> found_route_;  // reused by find_route()
  std::string doing_;                             // likewise
  nlohmann::json network_constants_;
  std::unique_ptr<Faults> faults_;
};

/// All hosts of the loaded platform in natural order.
std::vector<simgrid::s4u::Host*> hosts_in_order(const simgrid::s4u::Engine& engine);

/// A link as SimGrid has it; the two directions of a split-duplex link are "splitduplex".
LinkFacts link_facts(const simgrid::s4u::Engine& engine, const simgrid::s4u::Link& link);

}  // namespace isthmus
