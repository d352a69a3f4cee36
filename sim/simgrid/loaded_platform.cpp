#include "sim/simgrid/loaded_platform.hpp"

#include <algorithm>
#include <cmath>
#include <regex>
#include <set>
#include <sstream>

#include "analysis/text.hpp"
#include "models/error.hpp"
#include "sim/platform/device_files.hpp"
#include "sim/platform/names.hpp"
#include "sim/platform/overrides.hpp"
#include "sim/process/isolated.hpp"
#include "sim/scenario/units.hpp"
#include "sim/simgrid/compat.hpp"
#include "sim/simgrid/network_config.hpp"
#include "sim/simgrid/one_line.hpp"

namespace isthmus {

bool has_star_routing() { return compat::has_star_routing; }
bool has_outermost_topologies() { return compat::has_outermost_topologies; }

namespace {

namespace s4u = simgrid::s4u;

/// SimGrid's "Parse error at FILE:LINE: Invalid XML (...): TEXT" as "FILE:LINE: TEXT", with what is allowed
/// where SimGrid does not say.
[[noreturn]] void rethrow(const simgrid::ParseError& error) {
  static const std::regex intro("^Parse error at "),
      detail("Invalid XML \\(XML input line \\d+, state \\d+\\): ");
  std::string message = std::regex_replace(one_line(error.what()), intro, "");
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

LoadedPlatform::LoadedPlatform(const PlatformOptions& platform, const NetworkOptions& network,
                               std::span<const RankPair> talking_pairs)
    : xml_(platform.file) {
  try {
    load(network);
    faults_ = std::make_unique<Faults>(platform, *engine_);
    place_workers(platform);
    place_servers(platform);
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
  // SimGrid's lazy updates forget a flow for good if a latency changes while it pays its own.
  if (xml_.latencies_change()) arguments.emplace_back("--cfg=network/optim:Full");
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
    const std::string message = one_line(error.what());
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
    const std::string &name = options.hosts[rank], place = "/platform/workers/" + std::to_string(rank);
    auto* host = host_named(name, place);
    if (!taken.insert(name).second) {
      throw InputError(place, "host '" + name + "' a second time; allowed: one worker on each host");
    }
    hosts_.push_back(host);
  }
}

s4u::Host* LoadedPlatform::host_named(const std::string& name, const std::string& place) const {
  if (auto* host = engine_->host_by_name_or_null(name)) return host;
  std::vector<std::string> names;
  for (const auto* known : hosts_in_order(*engine_)) names.push_back(known->get_name());
  throw InputError(place,
                   "no host '" + name + "' in " + xml_.file() + "; nearest: " + nearest_names(name, names));
}

void LoadedPlatform::place_servers(const PlatformOptions& options) {
  const auto servers = static_cast<std::size_t>(options.servers), workers = hosts_.size();
  if (servers == 0) return;
  const std::string wanted =
      "the protocol has " + std::to_string(servers) + " " + (servers == 1 ? "server" : "servers");
  using Servers = PlatformOptions::Servers;
  if (options.place_of_servers == Servers::named) {
    if (options.server_hosts.size() != servers) {
      throw InputError("/platform/servers", "found " + std::to_string(options.server_hosts.size()) +
                                                " hosts, but " + wanted + "; allowed: as many");
    }
    for (std::size_t i = 0; i < servers; ++i)
      hosts_.push_back(host_named(options.server_hosts[i], "/platform/servers/" + std::to_string(i)));
    return;
  }
  std::vector<s4u::Host*> free(hosts_.begin(), hosts_.end());
  if (options.place_of_servers == Servers::apart) {
    free = hosts_in_order(*engine_);
    std::erase_if(free, [&](auto* host) { return std::ranges::find(hosts_, host) != hosts_.end(); });
  }
  if (servers > free.size()) {
    const bool apart = options.place_of_servers == Servers::apart;
    throw InputError("/platform/servers",
                     wanted + ", but " +
                         (apart ? xml_.file() + " has " + std::to_string(free.size()) +
                                      " hosts besides those of the " + std::to_string(workers) +
                                      " workers; allowed: fewer workers, \"beside\", or hosts by name"
                                : "there are " + std::to_string(workers) +
                                      " workers for them to be beside; allowed: as many servers at most"));
  }
  hosts_.insert(hosts_.end(), free.begin(), free.begin() + static_cast<std::ptrdiff_t>(servers));
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
    const auto& [kind, place] = kind_of_device(*host, own, options);
    const DeviceOverride& of_all = options.all_devices;
    models_.push_back(kind.empty() ? nullptr : model_of(kind, place, options));
    if (const DeviceModel* model = models_.back().get()) {
      device.profile = kind;
      device.speed_flops = model->profile().in(model->precision())->peak_flops_per_second;
      if (const auto bytes = model->profile().memory_bytes)
        device.memory_bytes = static_cast<std::uint64_t>(*bytes);
    } else {
      device.speed_flops = own.speed_flops.value_or(of_all.speed_flops.value_or(file_speed));
    }
    const bool own_memory = own.profile || of_all.profile;  // the file's is that of another device then
    if (const char* memory = own_memory ? nullptr : host->get_property("memory")) {
      const std::string place_of_memory = xml_.place_of_property(device.host, "memory");
      device.memory_bytes = parse_bytes(memory, place_of_memory + ": memory of host '" + device.host + "'");
    }
    if (of_all.memory_bytes) device.memory_bytes = of_all.memory_bytes;
    if (own.memory_bytes) device.memory_bytes = own.memory_bytes;
    speed_scales_.push_back(file_speed / device.speed_flops);
    devices_.push_back(std::move(device));
  }
}

/// The most exact word on what a host is wins; a speed says that nothing else is known of it.
std::pair<std::string, std::string> LoadedPlatform::kind_of_device(const s4u::Host& host,
                                                                   const DeviceOverride& own,
                                                                   const PlatformOptions& options) const {
  if (own.profile && own.speed_flops)
    throw InputError("/platform/devices", "sets both \"speed\" and \"device\" of '" + host.get_name() +
                                              "'; allowed: one of the two");
  if (own.profile) return {*own.profile, "/platform/devices"};
  if (own.speed_flops) return {};
  if (options.all_devices.profile) return {*options.all_devices.profile, "/platform/device"};
  if (options.all_devices.speed_flops) return {};
  const char* property = host.get_property("device");
  if (!property) return {};
  const std::string place = xml_.place_of_property(host.get_name(), "device");
  return {resolve_device(property, options.file.parent_path()), place};
}

std::shared_ptr<const DeviceModel> LoadedPlatform::model_of(const std::string& kind, const std::string& place,
                                                            const PlatformOptions& options) {
  std::shared_ptr<const DeviceModel>& model = models_by_kind_[kind];
  if (model) return model;
  const DeviceProfile profile = find_device(kind, place).profile;
  try {
    model = std::make_shared<DeviceModel>(profile, options.precision, options.issue);
  } catch (const InputError& error) {
    throw InputError(place, error.place() + " " + error.text() + "; `platform.precision` chooses");
  }
  return model;
}

}  // namespace isthmus
