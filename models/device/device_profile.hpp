#pragma once

#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/device/precision.hpp"

namespace isthmus {

/// The part of a product's result that one block of a library's kernel computes, on one multiprocessor.
struct Tile {
  int rows = 0, columns = 0;
};

/// How a device multiplies in one precision.
struct PrecisionProfile {
  double peak_flops_per_second = 0;
  /// What a large product reaches of the peak, with the tile that does best.
  double efficiency = 1;
  /// What the library has kernels for, either way round. None: any shape is as good as any other.
  std::vector<Tile> tiles;
  /// What loading a tile's operands costs: as much as so many more rows and columns of it.
  double tile_overhead = 0;
  /// How many times as fast convolutions are by Winograd's transforms.
  double winograd_gain = 1;
};

/// What a device is known to do, as its file in platforms/devices says; SI units. device.schema.json has the
/// meaning of each member.
struct DeviceProfile {
  std::string name, description;
  std::array<std::optional<PrecisionProfile>, device_precision_names.size()> precisions;  ///< fp32 is there
  int multiprocessors = 1;
  double kernel_seconds = 0;
  double operation_seconds = 0;
  double memory_bandwidth_bytes_per_second = std::numeric_limits<double>::infinity();
  double memory_efficiency = 1;
  std::optional<double> memory_bytes, idle_watts, busy_watts;

  /// Energy of so many seconds, during some of which it computed. Nothing where its watts are not known.
  std::optional<double> joules(double busy_seconds, double all_seconds) const;
  const std::optional<PrecisionProfile>& in(DevicePrecision precision) const {
    return precisions[static_cast<std::size_t>(precision)];
  }
  /// "fp32, fp16"
  std::string precision_list() const;
};

/// The profile that a document describes; it has been checked against the schema (see
/// sim/platform/device_files.hpp).
DeviceProfile parse_device_profile(const std::string& name, const nlohmann::json& document);

/// A device that does nothing but FLOPs, at this speed: seconds are FLOPs / speed.
DeviceProfile flat_device(double flops_per_second);

}  // namespace isthmus
