#pragma once

#include "sim/platform/inspect.hpp"
#include "sim/scenario/resolve.hpp"

namespace isthmus {

/// Replaces what a point's `aggregate` leaves open, in `scenario.protocol`: "auto" becomes the algorithm
/// whose closed form is the shortest; hierarchical gets `sites`, the site of each rank, in place of
/// `group_size`. `chosen` says so. Throws InputError for a platform that cannot be used.
void resolve_aggregate(Point& point);

/// What a resolved hierarchical all-reduce sends; empty for all others.
SiteTraffic site_traffic(const nlohmann::json& protocol, int workers);

}  // namespace isthmus
