#pragma once

#include <string>
#include <vector>

#include "sim/study/plan.hpp"

namespace isthmus {

/// Simulated seconds of the first round, tried out without numerics; or why there are none: it takes long to
/// simulate, or the run does not get through it ("no end").
std::string first_round_text(const PlannedRun& run);

/// Of runs that differ in their seeds alone the first of each, in order.
std::vector<const PlannedRun*> distinct_runs(const std::vector<PlannedRun>& runs);

/// One row for each: what a round sends and takes (the first one, simulated), and how much memory it needs.
void print_comparison(const std::vector<const PlannedRun*>& runs, std::size_t of_runs);

}  // namespace isthmus
