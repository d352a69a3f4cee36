#pragma once

#include <vector>

#include "sim/scenario/sweep.hpp"

namespace isthmus {

/// Refuses swept texts that spreadsheets would take for a formula: they stand in CSV files as they are.
void require_plain_texts(const std::vector<SweepGroup>& groups);

}  // namespace isthmus
