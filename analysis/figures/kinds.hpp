#pragma once

#include <vector>

#include "analysis/figures/figure.hpp"

namespace isthmus::analysis {

// A declaration for each file of figures; the list of all is in kinds.cpp.

std::vector<FigureKind> learning_curve_kinds();
std::vector<FigureKind> time_kinds();
std::vector<FigureKind> compute_ratio_kinds();
std::vector<FigureKind> efficiency_kinds();
std::vector<FigureKind> per_run_kinds();
std::vector<FigureKind> difference_kinds();
std::vector<FigureKind> map_kinds();
std::vector<FigureKind> crossover_kinds();
std::vector<FigureKind> breakdown_kinds();
std::vector<FigureKind> byte_kinds();
std::vector<FigureKind> link_kinds();
std::vector<FigureKind> memory_kinds();
std::vector<FigureKind> timeline_kinds();
std::vector<FigureKind> pareto_kinds();

}  // namespace isthmus::analysis
