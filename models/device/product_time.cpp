#include "models/device/product_time.hpp"

#include <algorithm>
#include <cmath>

namespace isthmus {
namespace {

constexpr int most_splits = 8;
constexpr std::int64_t least_depth = 64;  ///< of each part of a split
constexpr double bytes_per_partial_sum = 4;

std::int64_t ceiling(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// Of a tile's multiplications, relative to none of its operands having to be loaded.
double overhead(const PrecisionProfile& precision, const Tile& tile) {
  return 1 + precision.tile_overhead / tile.rows + precision.tile_overhead / tile.columns;
}

}  // namespace

ProductPlan plan_product(const DeviceProfile& device, const PrecisionProfile& precision, const Kernel& kernel,
                         double traffic_seconds) {
  const ProductShape& shape = kernel.product;
  double least_overhead = overhead(precision, precision.tiles.front());
  for (const Tile& tile : precision.tiles)
    least_overhead = std::min(least_overhead, overhead(precision, tile));
  const double multiprocessor_speed = precision.efficiency * precision.peak_flops_per_second *
                                      (kernel.winograd ? precision.winograd_gain : 1) /
                                      device.multiprocessors;
  const double bandwidth = device.memory_efficiency * device.memory_bandwidth_bytes_per_second;
  const double results = static_cast<double>(shape.rows) * static_cast<double>(shape.columns);

  ProductPlan best;
  double least = std::numeric_limits<double>::infinity();
  const auto consider = [&](const Tile& tile, int splits) {
    const std::int64_t blocks =
        ceiling(shape.rows, tile.rows) * ceiling(shape.columns, tile.columns) * splits;
    const auto waves = static_cast<double>(ceiling(blocks, device.multiprocessors));
    const double block_flops = 2.0 * tile.rows * tile.columns * static_cast<double>(shape.depth) / splits;
    const ProductPlan plan = {
        .tile = tile,
        .splits = splits,
        .compute_seconds =
            waves * block_flops / multiprocessor_speed * (overhead(precision, tile) / least_overhead),
        .partial_sums_seconds = splits == 1 ? 0 : 2 * splits * results * bytes_per_partial_sum / bandwidth};
    const double seconds = std::max(plan.compute_seconds, traffic_seconds) + plan.partial_sums_seconds;
    if (seconds >= least) return;
    least = seconds;
    best = plan;
  };
  for (const Tile& tile : precision.tiles) {
    for (int splits = 1; splits <= most_splits; ++splits) {
      if (splits > 1 && shape.depth < splits * least_depth) break;
      consider(tile, splits);
      if (tile.rows != tile.columns) consider({tile.columns, tile.rows}, splits);
    }
  }
  return best;
}

}  // namespace isthmus
