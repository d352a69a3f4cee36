#include "models/device/product_time.hpp"

#include <algorithm>
#include <limits>

namespace isthmus {
namespace {

constexpr int most_splits = 8;
constexpr std::int64_t least_depth = 64;  ///< of each part of a split
constexpr double bytes_per_partial_sum = 4;
constexpr double partial_sum_cost = 2.5;  ///< of a byte of partial sums, in FLOPs for each unit of overhead

std::int64_t ceiling(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// Of a tile's multiplications, relative to none of its operands having to be loaded.
double overhead(const PrecisionProfile& precision, const Tile& tile) {
  return 1 + precision.tile_overhead / tile.rows + precision.tile_overhead / tile.columns;
}

}  // namespace

ProductPlan plan_product(const DeviceProfile& device, const PrecisionProfile& precision,
                         const Kernel& kernel) {
  const ProductShape& shape = kernel.product;
  double least_overhead = overhead(precision, precision.tiles.front());
  for (const Tile& tile : precision.tiles)
    least_overhead = std::min(least_overhead, overhead(precision, tile));
  const double results = static_cast<double>(shape.rows) * static_cast<double>(shape.columns);

  ProductPlan best;
  double flops = 0, partial_bytes = 0, least = std::numeric_limits<double>::infinity();
  const auto consider = [&](const Tile& tile, int splits) {
    const std::int64_t blocks =
        ceiling(shape.rows, tile.rows) * ceiling(shape.columns, tile.columns) * splits;
    const auto places = static_cast<double>(ceiling(blocks, device.multiprocessors) * device.multiprocessors);
    const double block_flops = 2.0 * tile.rows * tile.columns * static_cast<double>(shape.depth) / splits;
    const double plan_flops = places * block_flops * (overhead(precision, tile) / least_overhead);
    const double plan_bytes = splits == 1 ? 0 : 2 * splits * results * bytes_per_partial_sum;
    const double cost = plan_flops + partial_sum_cost * precision.tile_overhead * plan_bytes;
    if (cost >= least) return;
    best.tile = tile;
    best.splits = splits;
    flops = plan_flops, partial_bytes = plan_bytes, least = cost;
  };
  for (const Tile& tile : precision.tiles) {
    for (int splits = 1; splits <= most_splits; ++splits) {
      if (splits > 1 && shape.depth < splits * least_depth) break;
      consider(tile, splits);
      if (tile.rows != tile.columns) consider({tile.columns, tile.rows}, splits);
    }
  }
  const double gain = kernel.winograd ? precision.winograd_gain : 1;
  best.compute_seconds = flops / (precision.efficiency * precision.peak_flops_per_second * gain);
  best.partial_sums_seconds =
      partial_bytes / (device.memory_efficiency * device.memory_bandwidth_bytes_per_second);
  return best;
}

}  // namespace isthmus
