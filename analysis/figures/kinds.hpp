#pragma once

#include <vector>

#include "analysis/figures/figure.hpp"

namespace isthmus::analysis {

// A declaration for each file of figures; the list of all is in kinds.cpp.

std::vector<FigureKind> learning_curve_kinds();

}  // namespace isthmus::analysis
