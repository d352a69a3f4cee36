#pragma once

#include "sim/collectives/all_reduce.hpp"
#include "sim/protocols/protocol.hpp"

namespace isthmus {

/// Closed forms of a round in which every worker has the whole model, makes `steps` local steps and takes
/// part in all-reduces of so many values, one after the other.
Forecast forecast_replicas(const Job& job, const Collective& aggregate, long steps,
                           const std::vector<std::size_t>& all_reduced, const LinkModel& link);

/// Seconds of one all-reduce by the alpha-beta model.
double all_reduce_seconds(const Collective& aggregate, int workers, std::size_t values,
                          const LinkModel& link);

}  // namespace isthmus
