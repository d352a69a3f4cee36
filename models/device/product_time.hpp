#pragma once

#include "models/device/device_profile.hpp"
#include "models/device/work.hpp"

namespace isthmus {

/// How a library carries out a product: in which tiles, the depth split among how many blocks.
struct ProductPlan {
  Tile tile;
  int splits = 1;
  double compute_seconds = 0;       ///< of the multiplications, those of tiles' borders included
  double partial_sums_seconds = 0;  ///< of writing and reading what the blocks of a split have summed up
};

/// The plan that takes least, of a product or convolution whose operands and result take `traffic_seconds` to
/// be read and written beside the multiplications. The precision has tiles.
///
///     blocks        = ceil(rows / a) ceil(columns / b) splits                of an a x b tile
///     waves         = ceil(blocks / multiprocessors)
///     compute       = waves 2 a b (depth / splits) / (efficiency peak / multiprocessors) overhead(a, b)
///     overhead      = (1 + c / a + c / b) / (that of the best tile)          c = tile_overhead
///     partial sums  = 2 splits rows columns 4 bytes / (memory efficiency bandwidth)      if splits > 1
///
/// So few rows or columns cost as many as the smallest tile has, and few blocks leave multiprocessors idle
/// unless the depth is split; a library's heuristics are taken to find the fastest of its kernels.
/// platforms/devices/README.md says how far measured products are off.
ProductPlan plan_product(const DeviceProfile& device, const PrecisionProfile& precision, const Kernel& kernel,
                         double traffic_seconds);

}  // namespace isthmus
