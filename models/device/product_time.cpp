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

std::int64_t round_up(std::int64_t size, std::int64_t block) { return ceiling(size, block) * block; }

/// 1 where the transforms do not apply, or are not used.
double winograd_gain(const PrecisionProfile& precision, const Kernel& kernel) {
  const ConvolutionWork& shape = kernel.convolution;
  const bool of_weights = kernel.pass == Pass::weight_gradient;
  const std::int64_t tile = precision.winograd_tile,
                     tiles = shape.batch * ceiling(shape.height, tile) * ceiling(shape.width, tile);
  const bool is_used =
      shape.window == 3 && shape.stride == 1 && shape.input_channels >= precision.winograd_least_channels &&
      tiles >= (of_weights ? precision.winograd_weight_gradient_least_tiles : precision.winograd_least_tiles);
  if (!is_used) return 1;
  return of_weights ? precision.winograd_weight_gradient_gain : precision.winograd_gain;
}

double convolution_seconds(const PrecisionProfile& precision, const Kernel& kernel) {
  ConvolutionWork shape = kernel.convolution;
  shape.output_channels = round_up(shape.output_channels, precision.channel_block);
  // A plain image is read as it is.
  if (!shape.plain_input) shape.input_channels = round_up(shape.input_channels, precision.channel_block);
  const double gain = winograd_gain(precision, kernel);
  double half_channels = precision.convolution_half_channels, half_pixels = precision.convolution_half_pixels;
  if (gain != 1) {
    half_channels = precision.winograd_half_channels;
    half_pixels = precision.winograd_half_pixels;
    shape.height = round_up(shape.height, precision.winograd_tile);
    shape.width = round_up(shape.width, precision.winograd_tile);
  }
  const double efficiency =
      precision.convolution_efficiency > 0 ? precision.convolution_efficiency : precision.efficiency;
  return implicit_product(shape, kernel.pass).flops() /
         (efficiency * precision.peak_flops_per_second * gain) *
         (1 + half_channels / static_cast<double>(shape.input_channels) +
          half_channels / static_cast<double>(shape.output_channels) +
          half_pixels / static_cast<double>(shape.output_pixels()));
}

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
  const double gain = winograd_gain(precision, kernel);
  best.compute_seconds = flops / (precision.efficiency * precision.peak_flops_per_second * gain);
  best.partial_sums_seconds =
      partial_bytes / (device.memory_efficiency * device.memory_bandwidth_bytes_per_second);
  return best;
}

double filled_channels_share(const PrecisionProfile& precision, std::int64_t channels) {
  return static_cast<double>(round_up(channels, precision.channel_block)) / static_cast<double>(channels);
}

double product_seconds(const PrecisionProfile& precision, const Kernel& kernel) {
  if (kernel.kind == KernelKind::convolution) return convolution_seconds(precision, kernel);
  const ProductShape& shape = kernel.product;
  return kernel.flops / (precision.efficiency * precision.peak_flops_per_second) *
         (1 + precision.half_rows / static_cast<double>(shape.rows) +
          precision.half_columns / static_cast<double>(shape.columns) +
          precision.half_depth / static_cast<double>(shape.depth));
}

}  // namespace isthmus
