#include "analysis/figures/row_plot.hpp"

#include <algorithm>

#include "analysis/figures/spec.hpp"
#include "analysis/figures/theme.hpp"

namespace isthmus::analysis {

double row_height(const std::vector<std::string>& labels) {
  const bool two_lines = std::ranges::any_of(
      labels, [](const std::string& label) { return label.find(" (") != std::string::npos; });
  return two_lines ? 24 : 16;
}

Figure draw_rows(const AxisPlot& plot, const Dataset& dataset, const FigureOptions& options) {
  Table table = tidy(plot);
  const std::vector<std::string> present = present_series(dataset, table);
  const AxisScale scale = scale_of(plot);
  Json x = position_channel({.field = plot.column,
                             .title = plot.y_title,
                             .unit = plot.unit,
                             .logarithmic = scale.logarithmic,
                             .low = scale.low,
                             .high = scale.high,
                             .from_zero = true});
  x["axis"]["labelFlush"] = label_flush;
  const auto x_of = [&](const std::string& field) {
    Json channel = x;
    channel["field"] = field;
    return channel;
  };
  const Json y = {{"field", "series"},
                  {"type", "nominal"},
                  {"title", nullptr},
                  {"sort", present},
                  {"axis", series_label_axis(present)}};
  Json look = series_channels(dataset, present, {"color", "shape"}, options);
  for (auto& [channel, definition] : look.items()) definition["legend"] = nullptr;  // rows have names
  const Json tooltip = {{{"field", "series"}, {"title", dataset.series_title()}},
                        {{"field", plot.column}, {"title", plot.y_title}, {"format", ".3~s"}},
                        {{"field", "low"}, {"title", "95 % from"}, {"format", ".3~s"}},
                        {{"field", "high"}, {"title", "to"}, {"format", ".3~s"}},
                        {{"field", "n"}, {"title", "Runs"}},
                        {{"field", "state"}, {"title", "State"}}};
  const Json valued = {{"filter", "isValid(datum['" + plot.column + "'])"}};

  Plot drawn;
  drawn.panels = plot.panels;
  drawn.columns = plot.panel_columns;
  drawn.axis_width = label_width(present);
  drawn.title =
      plot.compared_with.empty() ? Json::array() : Json{"Compared with " + plot.compared_with + ':'};
  if (!plot.lower_means.empty()) {
    const std::string lower = "← " + plot.lower_means, higher = plot.higher_means + " →";
    constexpr std::size_t letters_in_a_line = 55;
    if (lower.size() + higher.size() <= letters_in_a_line) {
      drawn.title.push_back(lower + "  |  " + higher);
    } else {
      drawn.title.insert(drawn.title.end(), {lower, higher});
    }
  }
  drawn.height = row_height(present) * static_cast<double>(present.size());
  if (plot.reference) {
    drawn.layers.push_back({{"data", {{"values", {{{"at", *plot.reference}}}}}},
                            {"mark", {{"type", "rule"}, {"style", quiet_style}, {"strokeWidth", 0.8}}},
                            {"encoding", {{"x", x_of("at")}}}});
  }
  Json whisker = {{"x", x_of("low_drawn")}, {"x2", {{"field", "high"}}}, {"y", y}};
  whisker["color"] = look["color"];
  drawn.layers.push_back(
      {{"transform",
        {{{"filter", "datum.n_with_value > 1 && isValid(datum.low)"}},
         {{"calculate", "max(datum.low, " + Json(scale.low).dump() + ")"}, {"as", "low_drawn"}}}},
       {"mark", {{"type", "rule"}, {"strokeWidth", 1.2}}},
       {"encoding", whisker}});
  Json points = {{"x", x}, {"y", y}};
  points.update(look);
  points["tooltip"] = tooltip;
  for (const bool whole : {true, false}) {
    const std::string runs = whole ? "datum.n_with_value === datum.n" : "datum.n_with_value < datum.n";
    drawn.layers.push_back({{"transform", {valued, {{"filter", runs}}}},
                            {"mark", {{"type", "point"}, {"filled", whole}, {"strokeWidth", 1.2}}},
                            {"encoding", points}});
  }
  if (!bound_note(plot.points).empty()) {
    const Json arrows = {{"x", x}, {"y", y}, {"color", look["color"]}, {"text", {{"field", "arrow"}}}};
    drawn.layers.push_back({{"transform",
                             {valued,
                              {{"filter", "isValid(datum.bound)"}},
                              {{"calculate", "datum.bound === 'at most' ? '←' : '→'"}, {"as", "arrow"}}}},
                            {"mark", {{"type", "text"}, {"dy", -6}, {"fontWeight", "bold"}}},
                            {"encoding", arrows}});
  }
  drawn.layers.push_back({{"transform",
                           {{{"filter", "!isValid(datum['" + plot.column + "'])"}},
                            {{"calculate", Json(scale.low).dump()}, {"as", "at"}}}},
                          {"mark", {{"type", "text"}, {"style", "quiet-text"}, {"align", "left"}, {"dx", 2}}},
                          {"encoding", {{"x", x_of("at")}, {"y", y}, {"text", {{"field", "state"}}}}}});
  Json spec = make_spec(drawn, table, options);
  return {plot.name, plot.title, plot.caption, plot.notes, std::move(spec), std::move(table)};
}

}  // namespace isthmus::analysis
