#pragma once

#include <vector>

#include "sim/core/worker.hpp"

namespace isthmus {

// Before training workers tell a server how long a local step takes their devices, and it tells them whose is
// the shortest: 8 bytes each way.

/// At a worker: its speed as a part of the fastest's.
double speed_beside_fastest(Worker& worker);
/// At the server: that of each worker.
std::vector<double> tell_who_is_fastest(Worker& server);

}  // namespace isthmus
