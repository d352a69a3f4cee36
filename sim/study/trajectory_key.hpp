#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "sim/study/plan.hpp"

namespace isthmus {

/// What the numbers of a run depend on, and a name for it: a hash.
struct TrajectoryKey {
  std::string name;
  nlohmann::json basis;
};

/// The key of a live run: data (the contents of its files), model, training, protocol, number of workers, and
/// the arithmetic of this build on this machine; nothing of platform and network.
TrajectoryKey trajectory_key(const PlannedRun& run);

/// The last of these.
const nlohmann::json& arithmetic_of_this_build();

}  // namespace isthmus
