#pragma once

#include <string>
#include <vector>

#include "analysis/figures/figure.hpp"

namespace isthmus::analysis {

// Colours, dashes, markers and sizes; fonts and the colours of paper and ink are in theme_light.json and
// theme_dark.json. Sizes are in CSS pixels, 96 to an inch.

double width_pixels(FigureWidth width);
/// So high that a caption and text still fit below: figures of more panels or rows show fewer.
double most_height_pixels(FigureWidth width);

/// How a series looks in every figure of a data set: the hue is that of its protocol, the shade that of its
/// options.
struct SeriesStyle {
  std::string color;
  Json dash;  ///< lengths of strokes and gaps
  std::string shape;
};
SeriesStyle series_style(const Dataset& dataset, const std::string& series, const FigureOptions& options);

/// A color ("#rrggbb") so light that dark text on it reads well.
std::string tint(const std::string& color);

/// Parts of a stack, from dark to light, so that they can be told apart in grey.
std::vector<std::string> stack_colors(std::size_t parts);

/// What workers do in a timeline, told apart beside each other: from dark (compute) to light (wait).
std::vector<std::string> activity_colors(std::size_t activities);

/// Below, at and above a tie: for maps of ratios.
struct DivergingColors {
  std::string below, middle, above, none;
};
DivergingColors diverging_colors();

}  // namespace isthmus::analysis
