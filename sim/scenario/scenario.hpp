#pragma once

#include <compare>
#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "models/device/device_model.hpp"
#include "models/device/variability.hpp"
#include "models/training.hpp"

namespace isthmus {

struct LinkOverride {
  std::optional<double> bandwidth_bytes_per_second;
  std::optional<double> latency_seconds;
  auto operator<=>(const LinkOverride&) const = default;
};

struct DeviceOverride {
  std::optional<double> speed_flops;  ///< sustained FLOP/s, which is then all that is known of it
  std::optional<std::uint64_t> memory_bytes;
  std::optional<std::string> profile = {};  ///< file, or name of a device that comes with the program
  auto operator<=>(const DeviceOverride&) const = default;
};

/// Something that goes off and, mostly, comes back: at a time, or again and again by chance, for times that are
/// exponentially distributed.
struct Fault {
  enum class Of { host, link, site };
  Of of = Of::host;
  std::string name;  ///< or glob
  std::optional<double> at_seconds, for_seconds;  ///< the second: for good without it
  std::optional<double> mean_seconds_between, mean_seconds_to_repair;
  auto operator<=>(const Fault&) const = default;
};

/// `platform`: where workers run, and what is changed of the platform file for this run.
struct PlatformOptions {
  std::filesystem::path file;  ///< absolute
  int workers = 0;             ///< the first so many hosts in natural order; hosts.size() if these are given
  std::vector<std::string> hosts;  ///< by name, in rank order; empty: the first `workers`
  /// Where servers are, of protocols that have some: on hosts of their own, the first after the workers' in
  /// natural order; beside workers, server i on worker i's host; or on hosts by name.
  enum class Servers { apart, beside, named };
  Servers place_of_servers = Servers::apart;
  std::vector<std::string> server_hosts;
  int servers = 0;         ///< as the protocol says, see placed()
  LinkOverride all_links;  ///< the short forms `bandwidth` and `latency`, see the schema for their meaning
  DeviceOverride all_devices;                     ///< the short forms `speed`, `memory` and `device`
  std::map<std::string, LinkOverride> links;      ///< by name or glob; a full name wins over a glob
  std::map<std::string, DeviceOverride> devices;  ///< likewise, by host name
  // Of devices with a profile:
  DevicePrecision precision = DevicePrecision::fp32;
  Issue issue = Issue::eager;
  VariabilityOptions variability = {};
  std::vector<Fault> faults = {};
  std::uint64_t fault_seed = 1;  ///< that of training where there are faults, see platform_of()
  auto operator<=>(const PlatformOptions&) const = default;
};

/// `network`: how transfer times follow from links. Unset constants are the model's own.
struct NetworkOptions {
  enum class Model { textbook, lv08, smpi };
  Model model = Model::textbook;
  std::optional<double> latency_factor;
  std::optional<double> bandwidth_factor;
  std::optional<double> weight_s;  ///< SimGrid's weight-S: how much a long link takes from a flow's share
  std::optional<double> tcp_gamma_bytes;  ///< SimGrid's TCP-gamma: maximal TCP window; 0: none
  std::optional<bool> crosstraffic;
  double goodput = 1;  ///< what part of the bytes on a link is payload, the rest being headers
  double message_overhead_seconds = 0;     ///< the sender's software time for a message: the o of LogGP
  double collective_overhead_seconds = 0;  ///< every worker's software time when a collective begins
  int flows = 1;                           ///< connections over which a message is spread
  auto operator<=>(const NetworkOptions&) const = default;
};

/// One fully resolved point: every default filled in, every unit read.
struct Scenario {
  std::string name;
  PlatformOptions platform;
  NetworkOptions network;
  nlohmann::json data;   ///< checked against the schema of its `set`; read by models/data
  nlohmann::json model;  ///< checked against the schema of its `kind`; read by models
  TrainingOptions training;
  bool live = true;         ///< `numerics`: "live", or "costs": the same messages without values
  nlohmann::json protocol;  ///< checked against the schema of its `kind`; read by sim/protocols
};

}  // namespace isthmus
