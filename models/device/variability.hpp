#pragma once

#include <compare>
#include <cstdint>

#include "models/random.hpp"

namespace isthmus {

/// How the time of local steps varies, around what a device takes. The mean of jitter and of the devices'
/// spread is 1.
struct VariabilityOptions {
  double jitter = 0;       ///< standard deviation of the logarithm of a step's time
  double spread = 0;       ///< the same of devices, each of which keeps its own
  double slow_share = 0;   ///< of steps that are slow,
  double slow_factor = 1;  ///< by this factor,
  long slow_steps = 1;     ///< for so many steps each time

  auto operator<=>(const VariabilityOptions&) const = default;

  bool any() const { return jitter > 0 || spread > 0 || (slow_share > 0 && slow_factor != 1); }
};

/// One worker's: draws for one step after the other, from (seed, purpose, rank).
class Variability {
 public:
  Variability(const VariabilityOptions& options, std::uint64_t seed, int rank);

  /// How many times as long as usual the next so many steps (at least one) take, in the mean.
  double slowdown(long steps);

 private:
  double next();

  VariabilityOptions options_;
  double of_device_ = 1;
  double begins_ = 0;  // the probability that a step begins to be slow
  Random jitter_, slowness_;
  long slow_left_ = 0;
};

}  // namespace isthmus
