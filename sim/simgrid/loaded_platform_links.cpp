// The links and routes of a LoadedPlatform.

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <utility>

#include "analysis/text.hpp"
#include "models/error.hpp"
#include "sim/platform/overrides.hpp"
#include "sim/process/isolated.hpp"
#include "sim/simgrid/loaded_platform.hpp"
#include "sim/simgrid/one_line.hpp"

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

}  // namespace

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

void LoadedPlatform::describe_pair(int from, int to, std::string& text) const {
  const auto append = [&](const char* word, int rank) {
    text.append(word)
        .append(host(rank)->get_name())
        .append("' (rank ")
        .append(std::to_string(rank))
        .append(")");
  };
  append("route from host '", from);
  append(" to host '", to);
}

const std::vector<s4u::Link*>& LoadedPlatform::find_route(int from, int to) {
  // Without a route some kinds of zones abort, some throw, and some give an empty one.
  doing_.assign(xml_.file()).append(": no ");  // kept, as this is called a million times
  describe_pair(from, to, doing_);
  isolated_doing(doing_);
  found_route_.clear();
  std::string reason;
  try {
    double latency = 0;  // of SimGrid's, before overrides
    host(from)->route_to(host(to), found_route_, &latency);
  } catch (const std::exception& error) {
    found_route_.clear();
    reason = ": " + one_line(error.what());
  }
  if (!found_route_.empty()) return found_route_;
  throw InputError(doing_ + reason + "; allowed: a <route> for every pair of workers that exchange messages");
}

std::size_t LoadedPlatform::collect_links(std::span<const RankPair> pairs) {
  std::size_t longest = 0;
  for (const auto& [from, to] : pairs) {
    if (host(from) == host(to)) continue;
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
  const auto require_no_profile = [&](const s4u::Link* link, const std::string& pointer, const char* what) {
    const std::string place = xml_.place_of_profile(link->get_name(), std::string(what) + "_file");
    if (place.empty()) return;
    throw InputError(pointer, "link '" + link->get_name() + "' takes its " + what + " from a profile (" +
                                  place + "), which would undo this; allowed: one of the two");
  };
  const auto set = [&](s4u::Link* link, const std::optional<double>& bandwidth,
                       const std::optional<double>& latency, bool all) {
    if (bandwidth) {
      require_no_profile(link, all ? "/platform/bandwidth" : "/platform/links", "bandwidth");
      link->set_bandwidth(*bandwidth);
    }
    if (latency) {
      require_no_profile(link, all ? "/platform/latency" : "/platform/links", "latency");
      link->set_latency(*latency);
    }
  };
  std::optional<double> latency = options.all_links.latency_seconds;
  if (latency && longest_route > 0) *latency /= static_cast<double>(longest_route);
  for (auto* link : simgrid_links_) set(link, options.all_links.bandwidth_bytes_per_second, latency, true);

  if (!options.links.empty()) {
    const auto all = links_in_order();
    std::vector<Named> names;
    for (const auto* link : all) names.push_back({link->get_name(), whole_link(*engine_, link->get_name())});
    const auto overrides = resolve_overrides(options.links, names);
    for (std::size_t i = 0; i < all.size(); ++i) {
      set(all[i], overrides[i].bandwidth_bytes_per_second, overrides[i].latency_seconds, false);
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
  if (host(from) == host(to)) return route;
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
