#include "analysis/figures/kinds.hpp"

#include <functional>

namespace isthmus::analysis {

const std::vector<FigureKind>& figure_kinds() {
  static const std::vector<FigureKind> kinds = [] {
    std::vector<FigureKind> all;
    for (const auto& family :
         {learning_curve_kinds, time_kinds, crossover_kinds, map_kinds, compute_ratio_kinds, efficiency_kinds,
          per_run_kinds, difference_kinds, pareto_kinds, breakdown_kinds, byte_kinds, link_kinds,
          memory_kinds, timeline_kinds}) {
      for (FigureKind& kind : family()) all.push_back(std::move(kind));
    }
    return all;
  }();
  return kinds;
}

}  // namespace isthmus::analysis
