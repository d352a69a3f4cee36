#pragma once

#include <string>
#include <vector>

#include "analysis/figures/panels.hpp"
#include "analysis/figures/template.hpp"

namespace isthmus::analysis {

/// What a quantity along an axis needs.
struct Position {
  Unit unit = Unit::none;
  bool logarithmic = false;
  double low = 0, high = 1;  ///< of the data; the scale is somewhat wider
  bool from_zero = false;    ///< of linear scales
};

/// Scale, ticks and labels in SI ("100 Mbps", "10 ms", "1 GB") of a channel.
void fill_position(Json& channel, const Position& position);
/// Bytes along x, from 0, or logarithmic where the most are ten times the least (positive) ones.
void fill_bytes(Json& channel, double least, double most);
/// A linear scale of times from 0 to `high` seconds, in the unit that fits them, which is added to the title:
/// "Simulated time (ms)", with ticks that are round in it (0, 15, 30 min).
void fill_time(Json& channel, double high);

/// Colour, dash and marker of "series" in all layers, for the series that are there; one legend of colours
/// and markers above the plot.
void fill_series(Json& view, const Dataset& dataset, const std::vector<std::string>& present,
                 const FigureOptions& options, double axis_width = 52);

/// Those of dataset.series() that a column "series" of the table has, in that order.
std::vector<std::string> present_series(const Dataset& dataset, const Table& table);

/// A view, filled in but for its data and size; with more than one panel, small multiples by column "panel".
struct Plot {
  Json view;
  double height = 170;
  std::vector<std::string> panels;  ///< in order; fewer than two: a single view
  Json title;                       ///< lines above all; null or empty: none
  double axis_width = 52;           ///< taken by the labels on the left
  std::size_t columns = 4;          ///< of panels; fewer where they would be too narrow
};

/// A plot of that template in these panels.
Plot plot_of(const std::string& name, const Dataset& dataset, const Panels& panels);

/// Rows along y, one for each series: their order, height and labels; what is in brackets has a line of its
/// own.
void fill_rows(Plot& plot, const std::vector<std::string>& present);
/// Height of a row, and so of a panel, in pixels.
double row_height(const std::vector<std::string>& labels);

/// How many panels of this height there is room for in a column or page of a paper.
std::size_t panels_that_fit(double panel_height, const FigureOptions& options);

Json make_spec(const Plot& plot, const Table& table, const FigureOptions& options);
/// The same where more is drawn than the tidy data, such as lines computed from it.
Json make_spec(const Plot& plot, const Json& records, const FigureOptions& options);

}  // namespace isthmus::analysis
