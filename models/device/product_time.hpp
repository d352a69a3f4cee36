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

/// The plan of a product or convolution that costs least, in a precision that has tiles:
///
///     blocks        = ceil(rows / a) ceil(columns / b) splits                of an a x b tile
///     waves         = ceil(blocks / multiprocessors)
///     compute FLOPs = waves multiprocessors 2 a b (depth / splits) overhead(a, b)
///     overhead      = (1 + c / a + c / b) / (that of the best tile)          c = tile_overhead
///     partial bytes = 2 splits rows columns 4                                if splits > 1
///     cost          = compute FLOPs + 2.5 c partial bytes
///
///     compute seconds      = compute FLOPs / (efficiency peak)
///     partial sums seconds = partial bytes / (memory_efficiency bandwidth)
///
/// So few rows or columns cost as many as the smallest tile has, and few blocks leave multiprocessors idle
/// unless the depth is split. Plans are a library's: they do not change with the peak or the bandwidth.
/// platforms/devices/README.md says how far measured products are off.
ProductPlan plan_product(const DeviceProfile& device, const PrecisionProfile& precision,
                         const Kernel& kernel);

/// The multiplications of a product or convolution in a precision without tiles, with the figures of
/// PrecisionProfile:
///
///     product       FLOPs / (e peak) (1 + half_rows / rows + half_columns / columns + half_depth / depth)
///     convolution   FLOPs of full channel blocks / (e peak) (1 + half / inputs + half / outputs
///                   + half / pixels)
///
/// and by Winograd's transforms, where they are used, so many times as fast, of full tiles, with halves of
/// their own.
double product_seconds(const PrecisionProfile& precision, const Kernel& kernel);

/// How many times as many channels are computed as there are.
double filled_channels_share(const PrecisionProfile& precision, std::int64_t channels);

}  // namespace isthmus
