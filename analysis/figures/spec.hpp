#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/figures/figure.hpp"

namespace isthmus::analysis {

constexpr const char* vega_lite_schema = "https://vega.github.io/schema/vega-lite/v5.json";

/// Labels this near the end of a horizontal axis, in pixels, stay within it.
constexpr int label_flush = 16;

/// What a position channel shows.
struct Position {
  std::string field;
  std::string title;
  Unit unit = Unit::none;
  bool logarithmic = false;
  double low = 0, high = 1;  ///< of the data; the scale is somewhat wider
  bool from_zero = false;    ///< of linear scales
};

/// The ends of a scale: beyond the data by a little.
std::pair<double, double> scale_domain(const Position& position);
/// An encoding channel with scale, ticks and labels in SI ("100 Mbps", "10 ms", "1 GB").
Json position_channel(const Position& position);
/// Bytes along x, from 0, or logarithmic where the most are ten times the least (positive) ones.
Json bytes_channel(const std::string& field, const std::string& title, double least, double most);
/// A linear channel of times from 0 to `high` seconds, in the unit that fits them, which the title names:
/// "Simulated time (ms)", with ticks that are round in it (0, 15, 30 min).
Json time_channel(const std::string& field, const std::string& title, double high);
/// The same channel for another field, without an axis of its own: ends of intervals and the like.
Json same_scale(const std::string& field);

/// What labels of an axis read: a Vega expression of datum.value.
std::string label_expression(Unit unit, bool logarithmic, double high);

/// The same of any Vega expression for a number, for texts inside a plot.
std::string label_of_value(const std::string& value, Unit unit);

/// Colour, dash and marker of "series", for the series that are there; one legend of colours and markers
/// above the plot. `channels` is any of "color", "strokeDash", "shape".
Json series_channels(const Dataset& dataset, const std::vector<std::string>& present,
                     const std::vector<std::string>& channels, const FigureOptions& options,
                     double axis_width = 52);

/// Those of dataset.series() that a column "series" of the table has, in that order.
std::vector<std::string> present_series(const Dataset& dataset, const Table& table);

/// The axis of labels of series on the left of horizontal bars: what is in brackets has a line of its own.
Json series_label_axis(const std::vector<std::string>& labels);

/// What these labels take there, in pixels.
double label_width(const std::vector<std::string>& labels);

/// A complete spec of layers over the table; with more than one panel, small multiples by column "panel".
struct Plot {
  Json layers = Json::array();
  double height = 170;
  std::vector<std::string> panels;  ///< in order; fewer than two: a single view
  Json title;                       ///< lines above all; null or empty: none
  double axis_width = 52;           ///< taken by the labels on the left
  std::size_t columns = 4;          ///< of panels; fewer where they would be too narrow
  Json resolve;                     ///< of scales, by panel
};
/// How many panels of this height there is room for in a column or page of a paper.
std::size_t panels_that_fit(double panel_height, const FigureOptions& options);

Json make_spec(const Plot& plot, const Table& table, const FigureOptions& options);
/// The same where more is drawn than the tidy data, such as lines computed from it.
Json make_spec(const Plot& plot, const Json& records, const FigureOptions& options);

}  // namespace isthmus::analysis
