#include "sim/simgrid/loaded_platform.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <regex>
#include <set>
#include <sstream>

#include "models/error.hpp"
#include "sim/platform/names.hpp"
#include "sim/platform/overrides.hpp"
#include "sim/process/isolated.hpp"
#include "sim/scenario/units.hpp"
#include "sim/simgrid/compat.hpp"
#include "sim/simgrid/network_config.hpp"

namespace isthmus {
namespace {

namespace s4u = simgrid::s4u;

const std::string loopback_name = "__loopback__";  // SimGrid's own, from a host to itself

/// "x" for "x_UP" and "x_DOWN" if these are the directions of a split-duplex link, else "".
std::string whole_link(const s4u::Engine& engine, const std::string& name) {
  for (const auto& [suffix, other] :
       {std::pair<std::string, std::string>{"_UP", "_DOWN"}, {"_DOWN", "_UP"}}) {
    if (name.size() <= suffix.size() || !name.ends_with(suffix)) continue;
    const std::string whole = name.substr(0, name.size() - suffix.size());
    if (engine.link_by_name_or_null(whole + other) != nullptr) return whole;
  }
  return "";
}

/// The first line of a message, without "Parse error at FILE:LINE: " and repeated blanks.
std::string tidy(const std::string& message) {
  std::istringstream words(message.substr(0, message.find("\nExisting config keys")));
  std::string text;
  for (std::string word; words >> word;) text += (text.empty() ? "" : " ") + word;
  constexpr std::size_t longest = 400;
  return text.size() <= longest ? text : text.substr(0, longest) + "...";
}

/// SimGrid's "Parse error at FILE:LINE: Invalid XML (...): TEXT" as "FILE:LINE: TEXT", with what is allowed
/// where SimGrid does not say.
[[noreturn]] void rethrow(const simgrid::ParseError& error) {
  static const std::regex intro("^Parse error at "),
      detail("Invalid XML \\(XML input line \\d+, state \\d+\\): ");
  std::string message = std::regex_replace(tidy(error.what()), intro, "");
  message = std::regex_replace(message, detail, "no valid platform XML: ");
  if (message.find("unknown unit") != std::string::npos) {
    message +=
        "; allowed: f, kf, Mf, Gf, Tf ... for speed, bps, kbps, Mbps, Gbps, Bps, kBps, MBps, GBps ... for "
        "bandwidth, "
        "ns, us, ms, s ... for latency";
  }
  throw InputError(message);
}

}  // namespace

std::vector<s4u::Host*> hosts_in_order(const s4u::Engine& engine) {
  auto hosts = engine.get_all_hosts();
  std::sort(hosts.begin(), hosts.end(),
            [](const auto* a, const auto* b) { return natural_less(a->get_name(), b->get_name()); });
  return hosts;
}

LinkFacts link_facts(const s4u::Engine& engine, const s4u::Link& link) {
  LinkFacts facts{link.get_name(), link.get_bandwidth(), link.get_latency(), "shared"};
  switch (link.get_sharing_policy()) {
    case s4u::Link::SharingPolicy::FATPIPE:
      facts.sharing = "fatpipe";
      break;
    case s4u::Link::SharingPolicy::WIFI:
      facts.sharing = "wifi";
      break;
    case s4u::Link::SharingPolicy::SPLITDUPLEX:
      facts.sharing = "splitduplex";
      break;
    default:
      if (!whole_link(engine, facts.name).empty()) facts.sharing = "splitduplex";
  }
  return facts;
}

LoadedPlatform::LoadedPlatform(const PlatformOptions& platform, const NetworkOptions& network,
                               std::span<const RankPair> talking_pairs)
    : xml_(platform.file) {
  try {
    load(network);
    place_workers(platform);
    set_devices(platform);
    const std::size_t longest_route = collect_links(talking_pairs);
    sort_links();
    override_links(platform, longest_route);
    isolated_doing("");
  } catch (...) {
    // An engine with half a platform in it crashes when destroyed; the process is of no more use anyway.
    static_cast<void>(engine_.release());
    throw;
  }
}

LoadedPlatform::~LoadedPlatform() = default;

void LoadedPlatform::load(const NetworkOptions& network) {
  xml_.check();
  auto arguments = simgrid_arguments(network);
  std::vector<char*> pointers;
  for (auto& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  int count = static_cast<int>(arguments.size());
  engine_ = std::make_unique<s4u::Engine>(&count, pointers.data());
  isolated_doing(xml_.file() + ": SimGrid refuses the platform");
  try {
    engine_->load_platform(xml_.file());
    if (engine_->get_host_count() == 0)
      throw InputError(xml_.file(), "there are no hosts; allowed: one or more");
    engine_->seal_platform();  // routes are known from here on
  } catch (const simgrid::ParseError& error) {
    rethrow(error);
  } catch (const InputError&) {
    throw;
  } catch (const std::exception& error) {
    const std::string message = tidy(error.what());
    throw InputError(xml_.place_of_mention(message), message);
  }
  isolated_doing("");
  network_constants_ = effective_network(network);
}

void LoadedPlatform::place_workers(const PlatformOptions& options) {
  const auto all = hosts_in_order(*engine_);
  if (options.hosts.empty()) {
    if (options.workers > static_cast<int>(all.size())) {
      throw InputError("/platform/workers", std::to_string(options.workers) + " workers, but " + xml_.file() +
                                                " has " + std::to_string(all.size()) +
                                                " hosts; allowed: 1 to " + std::to_string(all.size()));
    }
    const auto workers = options.workers > 0 ? static_cast<std::size_t>(options.workers) : all.size();
    hosts_.assign(all.begin(), all.begin() + static_cast<long>(workers));
    return;
  }
  std::set<std::string> taken;
  for (std::size_t rank = 0; rank < options.hosts.size(); ++rank) {
    const std::string &name = options.hosts[rank], place = "/platform/hosts/" + std::to_string(rank);
    auto* host = engine_->host_by_name_or_null(name);
    if (host == nullptr) {
      std::vector<std::string> names;
      for (const auto* known : all) names.push_back(known->get_name());
      throw InputError(
          place, "no host '" + name + "' in " + xml_.file() + "; nearest: " + nearest_names(name, names));
    }
    if (!taken.insert(name).second) {
      throw InputError(place, "host '" + name + "' a second time; allowed: one worker on each host");
    }
    hosts_.push_back(host);
  }
}

void LoadedPlatform::set_devices(const PlatformOptions& options) {
  // Names are those of the whole platform, so that an override does not become wrong when there are fewer
  // workers.
  const auto all = hosts_in_order(*engine_);
  std::vector<Named> names;
  std::unordered_map<const s4u::Host*, std::size_t> order;
  for (const auto* host : all) {
    order[host] = names.size();
    names.push_back({host->get_name(), ""});
  }
  const auto overrides = resolve_overrides(options.devices, names);
  for (const auto* host : hosts_) {
    const auto& own = overrides[order[host]];
    const double file_speed = host->get_speed();
    if (!(file_speed > 0) || !std::isfinite(file_speed)) {
      std::ostringstream found;
      found << file_speed;
      throw InputError(
          xml_.place_of_host(host->get_name()),
          "host '" + host->get_name() + "' has a speed of " + found.str() + " FLOP/s; allowed: more than 0");
    }
    Device device{host->get_name(), file_speed, {}};
    if (const char* memory = host->get_property("memory")) {
      const std::string place = xml_.place_of_property(device.host, "memory");
      device.memory_bytes = parse_bytes(memory, place + ": memory of host '" + device.host + "'");
    }
    if (options.all_devices.memory_bytes) device.memory_bytes = options.all_devices.memory_bytes;
    if (own.memory_bytes) device.memory_bytes = own.memory_bytes;
    device.speed_flops = own.speed_flops.value_or(options.all_devices.speed_flops.value_or(file_speed));
    speed_scales_.push_back(file_speed / device.speed_flops);
    devices_.push_back(std::move(device));
  }
}

std::string LoadedPlatform::describe_pair(int from, int to) const {
  return "route from host '" + host(from)->get_name() + "' (rank " + std::to_string(from) + ") to host '" +
         host(to)->get_name() + "' (rank " + std::to_string(to) + ")";
}

const std::vector<s4u::Link*>& LoadedPlatform::find_route(int from, int to) {
  // Without a route some kinds of zones abort, some throw, and some give an empty one.
  isolated_doing(xml_.file() + ": no " + describe_pair(from, to));
  found_route_.clear();
  std::string reason;
  try {
    double latency = 0;  // of SimGrid's, before overrides
    host(from)->route_to(host(to), found_route_, &latency);
  } catch (const std::exception& error) {
    found_route_.clear();
    reason = ": " + tidy(error.what());
  }
  if (!found_route_.empty()) return found_route_;
  throw InputError(xml_.file(), "no " + describe_pair(from, to) + reason +
                                    "; allowed: a <route> for every pair of workers that exchange messages");
}

std::size_t LoadedPlatform::collect_links(std::span<const RankPair> pairs) {
  std::size_t longest = 0;
  for (const auto& [from, to] : pairs) {
    if (from == to) continue;
    const auto& links = find_route(from, to);
    longest = std::max(longest, links.size());
    for (auto* link : links) {
      if (!link_index_.emplace(link, static_cast<int>(simgrid_links_.size())).second) continue;
      simgrid_links_.push_back(link);
    }
  }
  return longest;
}

void LoadedPlatform::sort_links() {
  std::sort(simgrid_links_.begin(), simgrid_links_.end(),
            [](const auto* a, const auto* b) { return natural_less(a->get_name(), b->get_name()); });
  for (std::size_t i = 0; i < simgrid_links_.size(); ++i)
    link_index_[simgrid_links_[i]] = static_cast<int>(i);
}

std::vector<s4u::Link*> LoadedPlatform::links_in_order() const {
  auto all = engine_->get_all_links();
  std::erase_if(all, [](const auto* link) { return link->get_name() == loopback_name; });
  std::sort(all.begin(), all.end(),
            [](const auto* a, const auto* b) { return natural_less(a->get_name(), b->get_name()); });
  return all;
}

std::vector<LinkFacts> LoadedPlatform::all_links() const {
  std::vector<LinkFacts> all;
  for (const auto* link : links_in_order()) {
    all.push_back(link_facts(*engine_, *link));
    check_link(all.back());
  }
  return all;
}

void LoadedPlatform::override_links(const PlatformOptions& options, std::size_t longest_route) {
  const auto set = [](s4u::Link* link, const std::optional<double>& bandwidth,
                      const std::optional<double>& latency) {
    if (bandwidth) link->set_bandwidth(*bandwidth);
    if (latency) link->set_latency(*latency);
  };
  std::optional<double> latency = options.all_links.latency_seconds;
  if (latency && longest_route > 0) *latency /= static_cast<double>(longest_route);
  for (auto* link : simgrid_links_) set(link, options.all_links.bandwidth_bytes_per_second, latency);

  if (!options.links.empty()) {
    const auto all = links_in_order();
    std::vector<Named> names;
    for (const auto* link : all) names.push_back({link->get_name(), whole_link(*engine_, link->get_name())});
    const auto overrides = resolve_overrides(options.links, names);
    for (std::size_t i = 0; i < all.size(); ++i) {
      set(all[i], overrides[i].bandwidth_bytes_per_second, overrides[i].latency_seconds);
    }
  }
  for (const auto* link : simgrid_links_) {
    links_.push_back(link_facts(*engine_, *link));
    check_link(links_.back());
  }
}

void LoadedPlatform::check_link(const LinkFacts& link) const {
  const auto refuse = [&](const std::string& what, double found, const std::string& allowed) {
    std::ostringstream text;
    text << "link '" << link.name << "' has a " << what << found << "; allowed: " << allowed;
    throw InputError(xml_.place_of_link(link.name), text.str());
  };
  if (link.sharing == "wifi") {
    throw InputError(xml_.place_of_link(link.name),
                     "link '" + link.name + "' is a Wi-Fi link; allowed: SHARED, SPLITDUPLEX or FATPIPE");
  }
  const double bandwidth = link.bandwidth_bytes_per_second, latency = link.latency_seconds;
  if (!(bandwidth > 0) || !std::isfinite(bandwidth)) {
    refuse("bandwidth in bytes per second of ", bandwidth, "more than 0, and finite");
  }
  if (!(latency >= 0) || !std::isfinite(latency))
    refuse("latency in seconds of ", latency, "0 or more, and finite");
}

int LoadedPlatform::index_of(s4u::Link* link) {
  const auto [found, fresh] = link_index_.emplace(link, static_cast<int>(simgrid_links_.size()));
  if (fresh) {
    simgrid_links_.push_back(link);
    links_.push_back(link_facts(*engine_, *link));
    check_link(links_.back());
  }
  return found->second;
}

Route LoadedPlatform::compute_route(int from, int to) {
  Route route;
  route.bandwidth_bytes_per_second = std::numeric_limits<double>::infinity();
  if (from == to) return route;
  const auto& path = find_route(from, to);
  route.links.reserve(path.size());
  for (auto* crossed : path) {
    route.links.push_back(index_of(crossed));
    const auto& link = links_[static_cast<std::size_t>(route.links.back())];
    route.latency_seconds += link.latency_seconds;
    route.bandwidth_bytes_per_second =
        std::min(route.bandwidth_bytes_per_second, link.bandwidth_bytes_per_second);
  }
  isolated_doing("");
  return route;
}

const Route& LoadedPlatform::route(int from, int to) {
  const std::uint64_t key = static_cast<std::uint64_t>(from) << 32 | static_cast<std::uint32_t>(to);
  if (const auto known = routes_.find(key); known != routes_.end()) return known->second;
  return routes_.emplace(key, compute_route(from, to)).first->second;
}

}  // namespace isthmus
