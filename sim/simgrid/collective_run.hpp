#pragma once

#include "sim/collectives/collective.hpp"
#include "sim/core/run_result.hpp"
#include "sim/scenario/scenario.hpp"

namespace isthmus {

/// What one collective operation took, alone on the platform.
struct CollectiveRun {
  double simulated_seconds = 0;
  std::uint64_t bytes_sent = 0;  ///< by all workers
  std::uint64_t messages_sent = 0;
  std::vector<LinkResult> links;  ///< those that carried anything
};

/// Carries out a collective operation on `count` values of each worker, without the values. To be called at
/// most once in a process (SimGrid's rule). Throws InputError for a platform that cannot be used.
CollectiveRun simulate_collective(const PlatformOptions& platform, const NetworkOptions& network,
                                  const Collective& collective, std::size_t count);

}  // namespace isthmus
