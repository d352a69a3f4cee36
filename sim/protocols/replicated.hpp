#pragma once

#include "sim/collectives/all_reduce.hpp"
#include "sim/protocols/protocol.hpp"

namespace isthmus {

/// Closed forms of a round in which every worker has the whole model, makes `steps` local steps and takes
/// part in one all-reduce of `values` numbers.
Forecast forecast_replicas(const Job& job, const Collective& aggregate, long steps, std::size_t values,
                           const LinkModel& link);

}  // namespace isthmus
