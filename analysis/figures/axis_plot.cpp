#include "analysis/figures/axis_plot.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/figures/row_plot.hpp"
#include "analysis/figures/spec.hpp"
#include "analysis/figures/theme.hpp"

namespace isthmus::analysis {
namespace {

/// Room for points without a value, as a part of the plot's height for each series.
constexpr double edge_row = 0.07;
constexpr const char* series_key = "series_name";

Json x_channel(const Axis& axis, const std::vector<AxisPoint>& points) {
  if (!axis.numeric) {
    Json order = Json::array();
    for (const Json& value : axis.values) order.push_back(axis.label(value));
    return {{"field", axis.column},
            {"type", "ordinal"},
            {"title", axis.title},
            {"sort", order},
            {"axis", {{"labelAngle", axis.values.size() > 4 ? -40 : 0}}}};
  }
  double low = INFINITY, high = -INFINITY;
  for (const AxisPoint& point : points) {
    low = std::min(low, point.x.get<double>());
    high = std::max(high, point.x.get<double>());
  }
  Json channel = position_channel({.field = axis.column,
                                   .title = axis.title,
                                   .unit = axis.unit,
                                   .logarithmic = axis.logarithmic(),
                                   .low = low,
                                   .high = high});
  channel["axis"]["labelFlush"] = label_flush;
  // Few swept values that are no powers of ten (2, 4, 8 workers) are ticks themselves.
  if (!axis.key.empty() && axis.values.size() <= 6) channel["axis"]["values"] = axis.values;
  return channel;
}

bool has_edge(const AxisPlot& plot, Edge edge) {
  return std::ranges::any_of(plot.points, [&](const AxisPoint& p) { return !p.y && p.edge == edge; });
}

}  // namespace

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

  const Json x = x_channel(plot.x, plot.points);
  Json y = position_channel({.field = plot.column,
                             .title = plot.y_title,
                             .unit = plot.unit,
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
  const auto y_of = [&](const std::string& field) {
    Json channel = y;
    channel["field"] = field;
    return channel;
  };
  const auto channels = [&](const std::vector<std::string>& names) {
    return series_channels(dataset, present, names, options);
  };
  const Json tooltip = {{{"field", "series"}, {"title", dataset.series_title()}},
                        {{"field", plot.x.column}, {"title", plot.x.title}, {"format", "~s"}},
                        {{"field", plot.column}, {"title", plot.y_title}, {"format", ".3~s"}},
                        {{"field", "low"}, {"title", "95 % from"}, {"format", ".3~s"}},
                        {{"field", "high"}, {"title", "to"}, {"format", ".3~s"}},
                        {{"field", "bound"}, {"title", "Bound"}},
                        {{"field", "n"}, {"title", "Runs"}},
                        {{"field", "state"}, {"title", "State"}}};
  const Json valued = {{"filter", "isValid(datum['" + plot.column + "'])"}};

  Plot drawn;
  drawn.panels = plot.panels;
  drawn.columns = plot.panel_columns;
  drawn.height = plot.panels.size() > 1 ? 130 : 170;
  const auto rule_at = [&](double value, const char* dash) {
    drawn.layers.push_back({{"data", {{"values", {{{"at", value}}}}}},
                            {"mark",
                             {{"type", "rule"},
                              {"style", quiet_style},
                              {"strokeWidth", 0.8},
                              {"strokeDash", Json::parse(dash)}}},
                            {"encoding", {{"y", y_of("at")}}}});
  };
  if (plot.reference) rule_at(*plot.reference, "[1,0]");
  const auto label_at = [&](double value, const std::string& text, int dy = 0) {
    if (text.empty()) return;
    drawn.layers.push_back(
        {{"data", {{"values", {{{"at", value}, {"text", text}}}}}},
         {"mark", {{"type", "text"}, {"style", "quiet-text"}, {"align", "left"}, {"dx", 2}, {"dy", dy}}},
         {"encoding", {{"y", y_of("at")}, {"x", {{"value", 0}}}, {"text", {{"field", "text"}}}}}});
  };
  constexpr int half_a_line = 5;
  if (!plot.lower_means.empty()) {
    label_at(scale.at(1), "↑ " + plot.higher_means, half_a_line);
    label_at(scale.at(0), "↓ " + plot.lower_means, -half_a_line);
  }
  if (above > 0) {
    rule_at(scale.at(1 + edge_row / 2), "[1,2]");
    label_at(scale.at(1 + above), plot.top_label);
  }
  if (below > 0) {
    rule_at(scale.at(-edge_row / 2), "[1,2]");
    label_at(scale.at(-below), plot.bottom_label);
  }
  Json line = {{"x", x}, {"y", y}};
  line.update(channels({"color", "strokeDash"}));
  line["order"] = {{"field", plot.x.column}};
  if (plot.x.numeric && plot.joined)
    drawn.layers.push_back({{"transform", {valued}}, {"mark", {{"type", "line"}}}, {"encoding", line}});

  Json whisker = {{"x", x}, {"y", y_of("low_drawn")}, {"y2", {{"field", "high"}}}};
  whisker.update(channels({"color"}));
  const std::string floor = Json(scale.low).dump();
  drawn.layers.push_back({{"transform",
                           {{{"filter", "datum.n_with_value > 1 && isValid(datum.low)"}},
                            {{"calculate", "max(datum.low, " + floor + ")"}, {"as", "low_drawn"}}}},
                          {"mark", {{"type", "rule"}, {"strokeWidth", 1.2}}},
                          {"encoding", whisker}});
  Json points = {{"x", x}, {"y", y}};
  points.update(channels({"color", "shape"}));
  points["tooltip"] = tooltip;
  drawn.layers.push_back({{"transform", {valued, {{"filter", "datum.n_with_value === datum.n"}}}},
                          {"mark", {{"type", "point"}}},
                          {"encoding", points}});
  drawn.layers.push_back({{"transform", {valued, {{"filter", "datum.n_with_value < datum.n"}}}},
                          {"mark", {{"type", "point"}, {"filled", false}, {"strokeWidth", 1.2}}},
                          {"encoding", points}});
  if (!plot.from.empty()) {
    const Json has_stretch = {{"filter", "isValid(datum['" + plot.from + "'])"}};
    Json stretch = points;
    stretch.erase("shape");
    stretch["y"] = y_of(plot.from);
    stretch["y2"] = {{"field", plot.to}};
    drawn.layers.push_back({{"transform", {has_stretch}},
                            {"mark", {{"type", "rule"}, {"strokeWidth", 1.2}, {"strokeDash", {1, 2}}}},
                            {"encoding", stretch}});
    for (const std::string& end : {plot.from, plot.to}) {
      Json open = points;
      open["y"] = y_of(end);
      drawn.layers.push_back({{"transform", {has_stretch}},
                              {"mark", {{"type", "point"}, {"filled", false}, {"strokeWidth", 1.2}}},
                              {"encoding", open}});
    }
  }
  const bool bounds =
      std::ranges::any_of(plot.points, [](const AxisPoint& point) { return point.bound != Bound::none; });
  if (bounds) {
    Json arrows = {{"x", x}, {"y", y}, {"text", {{"field", "arrow"}}}};
    arrows.update(channels({"color"}));
    drawn.layers.push_back({{"transform",
                             {valued,
                              {{"filter", "isValid(datum.bound)"}},
                              {{"calculate", "datum.bound === 'at most' ? '↓' : '↑'"}, {"as", "arrow"}}}},
                            {"mark", {{"type", "text"}, {"dx", 7}, {"fontWeight", "bold"}}},
                            {"encoding", arrows}});
  }
  for (const Edge edge : {Edge::top, Edge::bottom}) {
    if (!has_edge(plot, edge)) continue;
    // A row for each series, so that none covers another.
    const std::string place = "indexof(" + Json(present).dump() + ", datum.series)";
    const double start = edge == Edge::top ? 1 + edge_row : -edge_row,
                 step = edge == Edge::top ? edge_row : -edge_row;
    const std::string part = "(" + Json(start).dump() + " + " + Json(step).dump() + " * " + place + ")";
    const std::string value =
        scale.logarithmic
            ? Json(scale.low).dump() + " * pow(" + Json(scale.high / scale.low).dump() + ", " + part + ")"
            : Json(scale.low).dump() + " + " + Json(scale.high - scale.low).dump() + " * " + part;
    Json open = points;
    open["y"] = y_of("at_edge");
    const Json transform = {
        {{"filter", "datum.edge === '" + std::string(edge == Edge::top ? "top" : "bottom") + "'"}},
        {{"calculate", value}, {"as", "at_edge"}}};
    drawn.layers.push_back({{"transform", transform},
                            {"mark", {{"type", "point"}, {"filled", false}, {"strokeWidth", 1.2}}},
                            {"encoding", open}});
    Json crossed = transform;
    crossed.push_back({{"filter", "datum.state === 'out of memory'"}});
    open.erase("shape");
    drawn.layers.push_back({{"transform", crossed},
                            {"mark",
                             {{"type", "point"},
                              {"filled", false},
                              {"strokeWidth", 1.2},
                              {"shape", "M-1,-1L1,1M1,-1L-1,1"},
                              {"size", 60}}},
                            {"encoding", open}});
  }
  Json spec = make_spec(drawn, table, options);
  return {plot.name, plot.title, plot.caption, plot.notes, std::move(spec), std::move(table)};
}

}  // namespace isthmus::analysis
