#include "analysis/figures/axis_plot.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/figures/row_plot.hpp"
#include "analysis/figures/spec.hpp"

namespace isthmus::analysis {
namespace {

/// Room for points without a value, as a part of the plot's height for each series.
constexpr double edge_row = 0.07;
constexpr const char* series_key = "series_name";

void fill_x(Json& channel, const Axis& axis, const std::vector<AxisPoint>& points) {
  if (!axis.numeric) {
    Json order = Json::array();
    for (const Json& value : axis.values) order.push_back(axis.label(value));
    channel["type"] = "ordinal";
    channel["sort"] = std::move(order);
    channel["axis"] = {{"labelAngle", axis.values.size() > 4 ? -40 : 0}};
    channel.erase("scale");
    return;
  }
  double low = INFINITY, high = -INFINITY;
  for (const AxisPoint& point : points) {
    low = std::min(low, point.x.get<double>());
    high = std::max(high, point.x.get<double>());
  }
  fill_position(channel, {.unit = axis.unit, .logarithmic = axis.logarithmic(), .low = low, .high = high});
  // Few swept values that are no powers of ten (2, 4, 8 workers) are ticks themselves.
  if (!axis.key.empty() && axis.values.size() <= 6) channel["axis"]["values"] = axis.values;
}

bool has_edge(const AxisPlot& plot, Edge edge) {
  return std::ranges::any_of(plot.points, [&](const AxisPoint& p) { return !p.y && p.edge == edge; });
}

}  // namespace

std::optional<std::size_t> numeric_axis(const Dataset& dataset, const FigureOptions& options) {
  if (!options.x.empty()) {
    if (const auto found = dataset.find_axis(options.x)) return found;
    throw NotApplicable("the runs do not differ in " + lowered(title_of(options.x)));
  }
  for (std::size_t i = 0; i < dataset.axes().size(); ++i) {
    if (dataset.axes()[i].numeric) return i;
  }
  return std::nullopt;
}

Axis series_axis(const Dataset& dataset) {
  Axis axis;
  axis.key = axis.column = series_key;
  axis.title = dataset.series_title();
  for (const std::string& series : dataset.series()) axis.values.push_back(series);
  return axis;
}

double AxisScale::at(double part) const {
  return logarithmic ? low * std::pow(high / low, part) : low + part * (high - low);
}

AxisScale scale_of(const AxisPlot& plot) {
  std::vector<double> values;
  double least_positive = INFINITY;
  for (const AxisPoint& point : plot.points) {
    if (!point.y) continue;
    values.push_back(point.y->mean);
    if (point.bound == Bound::none) values.insert(values.end(), {point.y->low, point.y->high});
    if (point.y->mean > 0) least_positive = std::min(least_positive, point.y->mean);
  }
  if (plot.reference) values.push_back(*plot.reference);
  if (plot.range) values.insert(values.end(), {plot.range->first, plot.range->second});
  if (values.empty()) return {false, 0, 1};
  AxisScale scale{false, std::ranges::min(values), std::ranges::max(values)};
  constexpr double least_span = 5;
  const bool has_positive = std::isfinite(least_positive) || (plot.range && plot.range->first > 0);
  if (plot.logarithmic && has_positive) {
    // An interval may reach below 0, where no logarithm is: it is drawn down to a part of the lowest mean.
    const double low = std::max(scale.low, std::min({least_positive / 3, plot.reference.value_or(INFINITY),
                                                     plot.range ? plot.range->first : INFINITY}));
    if (scale.high >= least_span * low) return {true, low, scale.high};
  }
  if (scale.low >= 0) scale.low = 0;
  if (scale.high <= scale.low) scale.high = scale.low + 1;
  return scale;
}

Table tidy(const AxisPlot& plot) {
  std::vector<std::string> columns = {"series", "panel",        plot.x.column, plot.column, "low", "high",
                                      "n",      "n_with_value", "bound",       "state",     "edge"};
  if (!plot.points.empty()) {
    for (const auto& [column, value] : plot.points.front().more) columns.push_back(column);
  }
  Table table(columns);
  for (const AxisPoint& point : plot.points) {
    const auto or_null = [&](bool shown, double Interval::*member) {
      return point.y && shown ? Json((*point.y).*member) : Json();
    };
    const bool exact = point.bound == Bound::none;
    const Json x = plot.x.numeric ? point.x : Json(plot.x.label(point.x));
    const Json edge = point.y || point.edge == Edge::none ? Json()
                      : point.edge == Edge::top           ? "top"
                                                          : "bottom";
    std::vector<Json> row = {point.series,
                             point.panel,
                             x,
                             or_null(true, &Interval::mean),
                             or_null(exact, &Interval::low),
                             or_null(exact, &Interval::high),
                             point.n,
                             point.with_value,
                             exact ? Json() : Json(words_of(point.bound)),
                             point.state,
                             edge};
    for (const auto& [column, value] : point.more) row.push_back(value);
    table.add(std::move(row));
  }
  return table;
}

std::string bound_note(const std::vector<AxisPoint>& points) {
  const auto count = [&](Bound bound) { return std::ranges::count(points, bound, &AxisPoint::bound); };
  const auto most = count(Bound::at_most), least = count(Bound::at_least);
  if (most + least == 0) return {};
  std::string arrows;
  if (most > 0) arrows += "down: at most this (" + std::to_string(most) + ")";
  if (least > 0)
    arrows += (arrows.empty() ? "" : ", ") + ("up: at least this (" + std::to_string(least) + ")");
  return "Arrows " + arrows + ", as a target was met at the first test, and may have been met long before.";
}

Figure draw(const AxisPlot& plot, const Dataset& dataset, const FigureOptions& options) {
  if (plot.x.key == series_key) return draw_rows(plot, dataset, options);
  Table table = tidy(plot);
  const std::vector<std::string> present = present_series(dataset, table);
  const double rows = edge_row * static_cast<double>(present.size());
  const AxisScale scale = scale_of(plot);
  const double above = has_edge(plot, Edge::top) ? rows + edge_row : 0;
  const double below = has_edge(plot, Edge::bottom) ? rows + edge_row : 0;

  Plot drawn = plot_of("axis_plot", dataset, plot.panels);
  drawn.height = plot.panels.labels.size() > 1 ? 130 : 170;
  fill_series(drawn.view, dataset, present, options);
  set_field(drawn.view, "x", plot.x.column, plot.x.title);
  set_field(drawn.view, "quantity", plot.column, plot.y_title);
  fill_x(drawn.view["encoding"]["x"], plot.x, plot.points);
  Json& y = drawn.view["encoding"]["y"];
  fill_position(y, {.unit = plot.unit,
                    .logarithmic = scale.logarithmic,
                    .low = scale.at(-below),
                    .high = scale.at(1 + above),
                    .from_zero = below == 0});
  // What lies in the rows of points without a value is no value of the axis.
  const double lowest = scale.at(-edge_row / 2), highest = scale.at(1 + edge_row / 2);
  if (y["axis"].contains("values")) {
    Json& ticks = y["axis"]["values"];
    std::erase_if(ticks.get_ref<Json::array_t&>(), [&](const Json& tick) {
      return tick.get<double>() < lowest || tick.get<double>() > highest;
    });
  } else if (above > 0 || below > 0) {
    const std::string beyond =
        "datum.value > " + Json(highest).dump() + " || datum.value < " + Json(lowest).dump();
    y["axis"]["labelExpr"] = beyond + " ? '' : (" + y["axis"]["labelExpr"].get<std::string>() + ")";
  }
  set_parameter(drawn.view, "series", present);
  set_parameter(drawn.view, "lowest", scale.low);
  set_parameter(drawn.view, "highest", scale.high);
  set_parameter(drawn.view, "logarithmic", scale.logarithmic);
  set_parameter(drawn.view, "edge_row", edge_row);

  Json edges = Json::array(), labels = Json::array();
  const auto label_at = [&](double value, const std::string& text, int dy = 0) {
    if (!text.empty()) labels.push_back({{"at", value}, {"text", text}, {"dy", dy}});
  };
  constexpr int half_a_line = 5;
  if (!plot.lower_means.empty()) {
    label_at(scale.at(1), "↑ " + plot.higher_means, half_a_line);
    label_at(scale.at(0), "↓ " + plot.lower_means, -half_a_line);
  }
  if (above > 0) {
    edges.push_back({{"at", highest}});
    label_at(scale.at(1 + above), plot.top_label);
  }
  if (below > 0) {
    edges.push_back({{"at", lowest}});
    label_at(scale.at(-below), plot.bottom_label);
  }
  fill_layer(drawn.view, "reference",
             plot.reference ? Json::array({{{"at", *plot.reference}}}) : Json::array());
  fill_layer(drawn.view, "labels", labels);
  fill_layer(drawn.view, "edges", edges);
  if (edges.empty()) {
    drop_layer(drawn.view, "points at edges");
    drop_layer(drawn.view, "crosses at edges");
  }
  if (plot.from.empty()) {
    for (const char* layer : {"equal stretch", "begin of equal stretch", "end of equal stretch"})
      drop_layer(drawn.view, layer);
  } else {
    set_field(drawn.view, "equal_from", plot.from, "");
    set_field(drawn.view, "equal_to", plot.to, "");
  }
  if (!plot.x.numeric || !plot.joined) drop_layer(drawn.view, "lines");
  if (bound_note(plot.points).empty()) drop_layer(drawn.view, "bounds");
  Json spec = make_spec(drawn, table, options);
  return {plot.name, plot.title, plot.caption, plot.notes, std::move(spec), std::move(table)};
}

}  // namespace isthmus::analysis
