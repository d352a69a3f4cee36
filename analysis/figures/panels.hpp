#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/figures/figure.hpp"

namespace isthmus::analysis {

/// A group of runs and the panel it is drawn in.
struct PlacedGroup {
  const Group* group;
  std::string panel;
};

/// Small multiples over the axes that a figure does not show otherwise.
struct Panels {
  std::vector<std::string> labels;  ///< in order
  std::vector<PlacedGroup> groups;
  std::string note;  ///< for the caption: at which values, and which were left out
};

/// Where axes have more values than there is room for, the lowest, the highest and those between are shown,
/// evenly picked; `note` says so. `along` is the axis the figure itself shows, if any; `least` axes vary
/// without a panel of their own. Groups on `facet` (a key, may be empty) keep most values. Throws
/// NotApplicable where `facet` does not vary.
Panels choose_panels(const Dataset& dataset, const std::vector<std::size_t>& shown_axes,
                     const FigureOptions& options, std::size_t most_panels);

/// "n = 3 seeds ..." of these groups, and what the interval is.
std::string sample_note(const std::vector<PlacedGroup>& groups, const std::string& interval_mark);

/// "Out of memory: ...; deadlock: ...", or empty where all runs completed.
std::string outcome_note(const Dataset& dataset, const std::vector<PlacedGroup>& groups);

/// Sentences with a space between them; empty ones fall out.
std::string sentences(const std::vector<std::string>& parts);

/// "Latency 10 ms, Workers 4": the coordinates of a group on those axes.
std::string point_label(const Dataset& dataset, const Group& group, const std::vector<std::size_t>& axes);

}  // namespace isthmus::analysis
