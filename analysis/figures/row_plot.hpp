#pragma once

#include "analysis/figures/axis_plot.hpp"

namespace isthmus::analysis {

/// A quantity by series: a row for each, with its mean and interval; of what has no value, a word says why.
Figure draw_rows(const AxisPlot& plot, const Dataset& dataset, const FigureOptions& options);

}  // namespace isthmus::analysis
