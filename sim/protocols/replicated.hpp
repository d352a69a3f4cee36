#pragma once

#include "sim/collectives/all_reduce.hpp"
#include "sim/protocols/protocol.hpp"

namespace isthmus {

/// Closed forms of a round in which every worker has the whole model, makes `steps` local steps and takes
/// part in one all-reduce after the other, of so many `values` each.
Forecast forecast_replicas(const Job& job, const Collective& aggregate, long steps,
                           const std::vector<std::size_t>& values, const LinkModel& link);

}  // namespace isthmus
