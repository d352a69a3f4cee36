#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/device/work.hpp"

namespace isthmus {

/// The part of a product's result that one block of a library's kernel computes, on one multiprocessor.
struct Tile {
  int rows = 0, columns = 0;

  bool operator==(const Tile&) const = default;
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

  // Products without tiles: such sizes double the time that their FLOPs take.
  double half_rows = 0, half_columns = 0, half_depth = 0;

  // Convolutions without tiles.
  double convolution_efficiency = 0;     ///< 0: as `efficiency`
  std::int64_t channel_block = 1;        ///< channels are computed in such blocks, full ones
  double convolution_half_channels = 0;  ///< such numbers of input or output channels double the time
  double convolution_half_pixels = 0;    ///< and such a number of pixels of a batch

  // Winograd's transforms, of 3x3 convolutions with stride 1.
  double winograd_gain = 1;                  ///< how many times as fast
  double winograd_weight_gradient_gain = 1;  ///< likewise
  std::int64_t winograd_least_channels = 1;  ///< of the input: with fewer they are not used
  std::int64_t winograd_tile = 1;            ///< height and width of the part of an output that is computed
  std::int64_t winograd_least_tiles = 1;     ///< of a batch: likewise
  std::int64_t winograd_weight_gradient_least_tiles = 1;
  double winograd_half_channels = 0, winograd_half_pixels = 0;

  bool operator==(const PrecisionProfile&) const = default;
};

using KindFactors = std::array<double, kernel_kind_names.size()>;
inline constexpr KindFactors all_alike = {1, 1, 1, 1, 1, 1, 1, 1, 1};

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
  /// What fits into the cache passes at its bandwidth; what does not passes the memory, too.
  double cache_bytes = 0;
  double cache_bandwidth_bytes_per_second = std::numeric_limits<double>::infinity();
  /// How many times as long kernels take as their bytes, where they are no products, by kind.
  KindFactors kind_factors = all_alike;
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
