#pragma once

#include <string>
#include <vector>

#include "sim/platform/link_model.hpp"

namespace isthmus {

/// What the closed form of an all-reduce in two levels takes sites and the ways inside and between them for.
///
///     2 sites of 4 workers; the closed form takes 100 us + bytes / 1 Gbps inside a site, ...
std::string sites_text(const std::vector<int>& sites, const LinkModel& link);

}  // namespace isthmus
