#include "models/device/device_profile.hpp"

namespace isthmus {
namespace {

/// A figure is {"value": ..., "source": ...}. What is not there keeps its default.
template <typename Number>
void read_figure(const nlohmann::json& object, const char* name, Number& number) {
  const auto found = object.find(name);
  if (found != object.end()) number = found->at("value").get<Number>();
}

void read_figure(const nlohmann::json& object, const char* name, std::optional<double>& number) {
  if (double value = 0; object.contains(name)) {
    read_figure(object, name, value);
    number = value;
  }
}

PrecisionProfile parse_precision(const nlohmann::json& document) {
  PrecisionProfile profile;
  read_figure(document, "peak_flops_per_second", profile.peak_flops_per_second);
  read_figure(document, "efficiency", profile.efficiency);
  read_figure(document, "tile_overhead", profile.tile_overhead);
  read_figure(document, "half_rows", profile.half_rows);
  read_figure(document, "half_columns", profile.half_columns);
  read_figure(document, "half_depth", profile.half_depth);
  read_figure(document, "convolution_efficiency", profile.convolution_efficiency);
  read_figure(document, "channel_block", profile.channel_block);
  read_figure(document, "convolution_half_channels", profile.convolution_half_channels);
  read_figure(document, "convolution_half_pixels", profile.convolution_half_pixels);
  read_figure(document, "winograd_gain", profile.winograd_gain);
  read_figure(document, "winograd_weight_gradient_gain", profile.winograd_weight_gradient_gain);
  read_figure(document, "winograd_least_channels", profile.winograd_least_channels);
  read_figure(document, "winograd_tile", profile.winograd_tile);
  read_figure(document, "winograd_least_tiles", profile.winograd_least_tiles);
  read_figure(document, "winograd_weight_gradient_least_tiles", profile.winograd_weight_gradient_least_tiles);
  read_figure(document, "winograd_half_channels", profile.winograd_half_channels);
  read_figure(document, "winograd_half_pixels", profile.winograd_half_pixels);
  if (document.contains("tiles")) {
    for (const nlohmann::json& tile : document.at("tiles").at("value"))
      profile.tiles.push_back({tile.at(0).get<int>(), tile.at(1).get<int>()});
  }
  return profile;
}

}  // namespace

std::optional<double> DeviceProfile::joules(double busy_seconds, double all_seconds) const {
  if (!idle_watts || !busy_watts) return std::nullopt;
  return *idle_watts * (all_seconds - busy_seconds) + *busy_watts * busy_seconds;
}

std::string DeviceProfile::precision_list() const {
  std::string list;
  for (std::size_t i = 0; i < precisions.size(); ++i) {
    if (precisions[i]) list += (list.empty() ? "" : ", ") + std::string(device_precision_names[i]);
  }
  return list;
}

DeviceProfile parse_device_profile(const std::string& name, const nlohmann::json& document) {
  DeviceProfile profile;
  profile.name = name;
  profile.description = document.value("description", "");
  const nlohmann::json& precisions = document.at("precisions");
  for (std::size_t i = 0; i < profile.precisions.size(); ++i) {
    const auto found = precisions.find(device_precision_names[i]);
    if (found != precisions.end()) profile.precisions[i] = parse_precision(*found);
  }
  read_figure(document, "multiprocessors", profile.multiprocessors);
  read_figure(document, "kernel_seconds", profile.kernel_seconds);
  read_figure(document, "operation_seconds", profile.operation_seconds);
  read_figure(document, "memory_bandwidth_bytes_per_second", profile.memory_bandwidth_bytes_per_second);
  read_figure(document, "memory_efficiency", profile.memory_efficiency);
  read_figure(document, "cache_bytes", profile.cache_bytes);
  read_figure(document, "cache_bandwidth_bytes_per_second", profile.cache_bandwidth_bytes_per_second);
  if (document.contains("kind_factors")) {
    const nlohmann::json& factors = document.at("kind_factors").at("value");
    for (std::size_t i = 0; i < profile.kind_factors.size(); ++i)
      profile.kind_factors[i] = factors.value(kernel_kind_names[i], 1.0);
  }
  read_figure(document, "memory_bytes", profile.memory_bytes);
  read_figure(document, "idle_watts", profile.idle_watts);
  read_figure(document, "busy_watts", profile.busy_watts);
  return profile;
}

DeviceProfile flat_device(double flops_per_second) {
  DeviceProfile profile;
  profile.name = "flat";
  profile.description = "FLOPs / speed, and nothing else";
  profile.precisions[0].emplace().peak_flops_per_second = flops_per_second;
  return profile;
}

}  // namespace isthmus
