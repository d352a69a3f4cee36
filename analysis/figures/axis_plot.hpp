#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/figures/panels.hpp"
#include "analysis/statistics/times.hpp"

namespace isthmus::analysis {

/// Where a point is drawn that has no value: at an edge of the plot, so that it is seen.
enum class Edge { none, top, bottom };

/// A mean with its interval at one value of an axis.
struct AxisPoint {
  std::string series, panel;
  Json x;
  std::optional<Interval> y;
  std::size_t n = 0;           ///< runs
  std::size_t with_value = 0;  ///< of them
  std::string state;           ///< "reached", "partly reached", "not reached" ...
  Edge edge = Edge::none;      ///< where, without a value
  Bound bound = Bound::none;   ///< of the value, which then has no interval
  std::vector<std::pair<std::string, Json>> more =
      {};  ///< further columns of the data, the same for all points
};

/// A quantity against an axis: a line with whiskers for each series, and open markers at the edges for points
/// without a value. Where the series are the axis (see series_axis), each has a row, with its name beside it.
struct AxisPlot {
  std::string name, title;
  Axis x;
  std::string column, y_title;  ///< of the quantity
  Unit unit = Unit::none;
  bool logarithmic = true;                              ///< where all values are positive and span enough
  std::optional<double> reference = {};                 ///< a line across, such as a speed-up of 1
  std::optional<std::pair<double, double>> range = {};  ///< that y covers at least
  std::string top_label = {}, bottom_label = {};        ///< of the edges
  std::string compared_with = {};                   ///< written into the plot, where rows have no room for it
  std::string higher_means = {}, lower_means = {};  ///< likewise, where it is known
  bool joined = true;                               ///< points of a series, by a line
  std::string from = {}, to = {};                   ///< further columns: the ends of a dotted stretch
  std::vector<AxisPoint> points = {};
  Panels panels;
  std::string caption = {};
  std::vector<std::string> notes = {};
};

/// The axis that the user asked for, or the first with numbers; none where there is none. Throws
/// NotApplicable.
std::optional<std::size_t> numeric_axis(const Dataset& dataset, const FigureOptions& options);

/// The series as an axis, for comparisons in which nothing else was swept.
Axis series_axis(const Dataset& dataset);

/// The scale of the quantity.
struct AxisScale {
  bool logarithmic;
  double low, high;  ///< of the values

  /// `part` of the way from the lowest value (0) to the highest (1), or beyond.
  double at(double part) const;
};
AxisScale scale_of(const AxisPlot& plot);
/// Points as tidy data.
Table tidy(const AxisPlot& plot);

/// What arrows at points say, for the caption; empty where there are none.
std::string bound_note(const std::vector<AxisPoint>& points);

Figure draw(const AxisPlot& plot, const Dataset& dataset, const FigureOptions& options);

}  // namespace isthmus::analysis
