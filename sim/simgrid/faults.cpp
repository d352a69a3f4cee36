#include "sim/simgrid/faults.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <boost/random/exponential_distribution.hpp>
#include <charconv>
#include <map>
#include <simgrid/kernel/ProfileBuilder.hpp>

#include "models/error.hpp"
#include "models/random.hpp"
#include "sim/platform/names.hpp"

namespace isthmus {
namespace {

namespace s4u = simgrid::s4u;

struct Outage {
  double start, end;  ///< seconds; the end may be infinite
};

/// By chance: so many that no run sees the last.
std::vector<Outage> draw_outages(const Fault& fault, std::uint64_t seed, const std::string& purpose) {
  constexpr int most = 10000;
  Random random = random_stream(seed, "fault " + purpose);
  boost::random::exponential_distribution<double> up(1 / *fault.mean_seconds_between),
      down(1 / *fault.mean_seconds_to_repair);
  std::vector<Outage> outages;
  double now = 0;
  for (int i = 0; i < most; ++i) {
    const double start = now + up(random);
    now = start + down(random);
    outages.push_back({start, now});
  }
  return outages;
}

std::vector<Outage> outages_of(const Fault& fault, std::uint64_t seed, const std::string& purpose) {
  if (!fault.at_seconds) return draw_outages(fault, seed, purpose);
  return {{*fault.at_seconds, fault.for_seconds ? *fault.at_seconds + *fault.for_seconds : HUGE_VAL}};
}

std::string text(double number) {
  char digits[64];
  return {digits, std::to_chars(digits, digits + sizeof digits, number).ptr};
}

/// What SimGrid reads: "time state" lines. Outages that overlap are one.
std::string profile_of(std::vector<Outage> outages) {
  std::ranges::sort(outages, {}, &Outage::start);
  std::string lines = outages.front().start > 0 ? "0 1\n" : "";
  for (std::size_t i = 0; i < outages.size();) {
    double end = outages[i].end;
    const double start = outages[i].start;
    while (++i < outages.size() && outages[i].start <= end) end = std::max(end, outages[i].end);
    lines += text(start) + " 0\n";
    if (end < HUGE_VAL) lines += text(end) + " 1\n";
  }
  return lines;
}

bool matches(const std::string& pattern, const std::vector<std::string>& names) {
  return std::ranges::any_of(
      names, [&](const std::string& name) { return fnmatch(pattern.c_str(), name.c_str(), 0) == 0; });
}

}  // namespace

void plan_faults(const PlatformOptions& platform, const PlatformXml& xml, const s4u::Engine& engine) {
  if (platform.faults.empty()) return;
  std::map<std::string, std::string> profiled;  // names with state profiles, and their files
  for (const ProfileFacts& profile : xml.profiles()) {
    if (profile.kind == ProfileKind::state) profiled[profile.of] = profile.file;
  }
  std::map<s4u::Host*, std::vector<Outage>> hosts;
  std::map<s4u::Link*, std::vector<Outage>> links;
  for (std::size_t index = 0; index < platform.faults.size(); ++index) {
    const Fault& fault = platform.faults[index];
    const auto purpose = [&](const std::string& name) { return std::to_string(index) + " " + name; };
    std::vector<std::string> names;
    bool found = false;
    const auto add = [&](auto& of, const std::string& name, const std::string& drawn_for) {
      if (const auto profile = profiled.find(name); profile != profiled.end())
        throw InputError("/platform/faults/" + std::to_string(index),
                         "'" + name + "' goes off by a profile already (" + profile->second +
                             "); allowed: one of the two");
      const std::vector<Outage> outages = outages_of(fault, platform.fault_seed, purpose(drawn_for));
      of.insert(of.end(), outages.begin(), outages.end());
      found = true;
    };
    if (fault.of == Fault::Of::link) {
      for (s4u::Link* link : engine.get_all_links()) {
        const std::vector<std::string> declared = declared_names(link->get_name());
        names.insert(names.end(), declared.begin(), declared.end());
        if (matches(fault.name, declared)) add(links[link], link->get_name(), link->get_name());
      }
    } else {
      for (s4u::Host* host : engine.get_all_hosts()) {
        const bool by_site = fault.of == Fault::Of::site;
        const std::string name = by_site ? host->get_englobing_zone()->get_name() : host->get_name();
        names.push_back(name);
        if (matches(fault.name, {name})) add(hosts[host], host->get_name(), name);
      }
    }
    if (found) continue;
    const char* key = fault.of == Fault::Of::link ? "link" : fault.of == Fault::Of::site ? "site" : "host";
    throw InputError("/platform/faults/" + std::to_string(index) + "/" + key,
                     "found \"" + fault.name + "\", which matches nothing in " + platform.file.string() +
                         "; nearest: " + nearest_names(fault.name, names));
  }
  using simgrid::kernel::profile::ProfileBuilder;
  for (auto& [host, outages] : hosts)
    host->set_state_profile(ProfileBuilder::from_string("fault of host " + host->get_name(), profile_of(outages), -1));
  for (auto& [link, outages] : links)
    link->set_state_profile(ProfileBuilder::from_string("fault of link " + link->get_name(), profile_of(outages), -1));
}

}  // namespace isthmus
