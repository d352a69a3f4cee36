#include <algorithm>
#include <cmath>
#include <map>

#include "analysis/figures/kinds.hpp"
#include "analysis/figures/panels.hpp"
#include "analysis/figures/spec.hpp"
#include "analysis/figures/theme.hpp"
#include "analysis/statistics/contest.hpp"
#include "analysis/statistics/contour.hpp"
#include "analysis/statistics/difference.hpp"

namespace isthmus::analysis {
namespace {

/// A grid of points of two axes, in one panel: the times of each series.
struct Cell {
  std::map<std::string, Times> times;
  std::vector<Json> coordinates;  ///< of all axes
};

struct Map {
  std::size_t x, y;  ///< axes
  TimeMeasure measure;
  std::string baseline;
  Panels panels;
  std::map<std::string, std::vector<std::vector<Cell>>> grids;  ///< [panel][y][x]
};

std::pair<std::size_t, std::size_t> map_axes(const Dataset& dataset, const FigureOptions& options) {
  std::vector<std::size_t> chosen;
  for (const std::string& wanted : {options.x, std::string("bandwidth"), std::string("latency")}) {
    const auto found = wanted.empty() ? std::nullopt : dataset.find_axis(wanted);
    if (found && std::ranges::find(chosen, *found) == chosen.end()) chosen.push_back(*found);
  }
  for (std::size_t i = 0; i < dataset.axes().size(); ++i) {
    if (dataset.axes()[i].numeric && std::ranges::find(chosen, i) == chosen.end()) chosen.push_back(i);
  }
  if (chosen.size() < 2) throw NotApplicable("a map needs two swept axes, such as bandwidth and latency");
  return {chosen[0], chosen[1]};
}

Map read_map(const Dataset& dataset, const FigureOptions& options, std::size_t most_panels) {
  const auto measure = time_measure(dataset);
  if (!measure) throw NotApplicable("no completed run has a simulated time in its run.json");
  if (dataset.series().size() < 2) throw NotApplicable("there is only one series: nothing to compare with");
  const auto [x, y] = map_axes(dataset, options);
  Map map{x,
          y,
          *measure,
          baseline_series(dataset, options.baseline),
          choose_panels(dataset, {{x, y}, {}}, options, most_panels),
          {}};
  const auto& columns = dataset.axes()[x].values;
  const auto& rows = dataset.axes()[y].values;
  for (const PlacedGroup& placed : map.panels.groups) {
    auto& grid = map.grids[placed.panel];
    grid.resize(rows.size(), std::vector<Cell>(columns.size()));
    const auto column = std::ranges::find(columns, placed.group->coordinates[x]) - columns.begin();
    const auto row = std::ranges::find(rows, placed.group->coordinates[y]) - rows.begin();
    Cell& cell = grid[static_cast<std::size_t>(row)][static_cast<std::size_t>(column)];
    cell.times[placed.group->series] = times_of(*placed.group, *measure);
    cell.coordinates = placed.group->coordinates;
  }
  return map;
}

/// How many times as fast `other` is as `base`.
Speedups speedups_of(const Cell& cell, const std::string& base, const std::string& other) {
  const auto a = cell.times.find(base), b = cell.times.find(other);
  return a == cell.times.end() || b == cell.times.end() ? Speedups{} : speedups(a->second, b->second);
}

/// Their logarithm, mean over seeds; NaN where a time is missing or only a bound.
double log_speedup(const Speedups& found) {
  if (found.by_seed.empty() || found.bound != Bound::none) return NAN;
  std::vector<double> logs;
  for (const auto& entry : found.by_seed) logs.push_back(std::log(entry.second));
  return mean_interval(logs).mean;
}

/// What a cell of the map of the fastest holds.
struct Winner {
  std::string state;  ///< won, level, open, only, some, none
  std::string names;  ///< those in front
  double factor = NAN;
  std::string label;
};

std::string factor_label(double factor, Bound bound) {
  const char* sign = bound == Bound::at_least ? "≥" : bound == Bound::at_most ? "≤" : "";
  return sign + format_factor(factor) + "×";
}

Winner winner_of(const Contest& contest) {
  const std::vector<Standing>& all = contest.standings;
  const Standing* only = contest.valued == 1 ? &all.front() : contest.only();
  if (only) return {.state = "only", .names = only->series, .label = "only"};
  if (contest.open()) return {.state = "open", .names = {}, .label = "?"};
  if (!contest.decided()) {
    const char* state = contest.arrived() > 0 ? "some" : "none";
    return {.state = state, .names = {}, .label = state};
  }
  Winner winner{.state = contest.leaders == 1 ? "won" : "level", .names = {}, .label = "≈"};
  for (std::size_t i = 0; i < contest.leaders; ++i) winner.names += (i > 0 ? ", " : "") + all[i].series;
  winner.factor = *all[1].value / *all[0].value;
  if (winner.state == "won")
    winner.label = factor_label(winner.factor, all[0].at_most ? Bound::at_least : Bound::none);
  return winner;
}

/// Positions are places in the lists of swept values, so that each cell has the same size.
void fill_places(Json& view, const std::string& channel, const Axis& axis) {
  Json labels = Json::array(), ticks = Json::array();
  for (std::size_t i = 0; i < axis.values.size(); ++i) {
    labels.push_back(axis.label(axis.values[i]));
    ticks.push_back(i);
  }
  Json& places = view["encoding"][channel];
  places["title"] = axis.title;
  places["scale"]["domain"] = {-0.5, static_cast<double>(axis.values.size()) - 0.5};
  places["axis"]["values"] = std::move(ticks);
  places["axis"]["labelExpr"] = labels.dump() + "[datum.value]";
  set_parameter(view, channel + "_column", axis.column);
  set_parameter(view, channel + "_values", axis.values);
  set_field(view, channel + "_value", axis.column, axis.title);
}

/// Side by side only where a label fits into a cell.
std::size_t map_columns(const Axis& x, const FigureOptions& options) {
  constexpr double label_width = 30;
  return width_pixels(options.width) / 2 >= label_width * static_cast<double>(x.values.size() + 2) ? 2 : 1;
}

/// Of all rows of a panel: lower where there are many panels, but labels stay legible.
double map_height(const Axis& y, std::size_t panels, std::size_t columns, bool has_markers,
                  const FigureOptions& options) {
  const double rows = static_cast<double>(y.values.size()),
               rows_of_panels = static_cast<double>((panels + columns - 1) / columns);
  constexpr double margin = 30;
  const double room = most_height_pixels(options.width) / rows_of_panels - margin;
  return rows * (has_markers ? std::clamp(room / rows, 24.0, 30.0) : std::clamp(room / rows, 14.0, 24.0));
}

/// The line where protocols tie, as further records.
void add_contour(Json& contour, const std::string& panel,
                 const std::vector<std::vector<double>>& log_ratios) {
  for (const Segment& s : zero_contour(log_ratios)) {
    contour.push_back({{"panel", panel}, {"x_from", s.x}, {"x_to", s.x2}, {"y_from", s.y}, {"y_to", s.y2}});
  }
}

/// A plot of that template; fill and tooltips of its cells are the figure's.
Plot plot_map(const std::string& name, const Dataset& dataset, const Map& map, const FigureOptions& options) {
  Plot plot = plot_of(name, dataset, map.panels);
  const Axis &x = dataset.axes()[map.x], &y = dataset.axes()[map.y];
  fill_places(plot.view, "x", x);
  fill_places(plot.view, "y", y);
  plot.columns = map_columns(x, options);
  return plot;
}

Json map_spec(Plot& plot, const Table& table, const Json& contour, const FigureOptions& options) {
  if (contour.empty()) drop_layer(plot.view, "contour");
  Json records = table.records();
  records.insert(records.end(), contour.begin(), contour.end());
  return make_spec(plot, records, options);
}

/// What cells and lines mean, in one sentence; what is not there is empty.
std::string marks_in_words(const std::vector<std::string>& meanings) {
  std::string text;
  for (const std::string& meaning : meanings) {
    if (!meaning.empty()) text += (text.empty() ? "" : "; ") + meaning;
  }
  return sentence(text);
}

constexpr const char* open_words =
    "?: open, as a target was met at the first test, and may have been met long before";

std::string level_words(const Panels& panels) {
  const bool seeds =
      std::ranges::any_of(panels.groups, [](const PlacedGroup& g) { return g.group->n() > 1; });
  return std::string("no difference (within 2 %") +
         (seeds ? ", or the speed-up's 95 % interval over seeds holds 1)" : ")");
}

Figure fastest(const Dataset& dataset, const FigureOptions& options) {
  const Map map = read_map(dataset, options, 4);
  const Axis &x = dataset.axes()[map.x], &y = dataset.axes()[map.y];
  Table table({"series", "panel", x.column, y.column, map.measure.column, "bound", "runner_up", "factor",
               "state", "in_front", "label"});
  Json contour = Json::array();
  std::map<std::string, std::size_t> states;
  const Contests contests =
      hold_contests(dataset, map.measure.to_target ? Measure::seconds_to_target : Measure::simulated_seconds);
  for (const std::string& panel : map.panels.labels) {
    const auto& grid = map.grids.at(panel);
    std::vector<std::vector<double>> log_ratios(grid.size());
    for (std::size_t row = 0; row < grid.size(); ++row) {
      for (std::size_t column = 0; column < grid[row].size(); ++column) {
        const Cell& cell = grid[row][column];
        double lead = NAN;  // of the best of the others over the baseline, but for those equal to it
        for (const auto& [series, times] : cell.times) {
          const double ratio =
              series == map.baseline ? NAN : log_speedup(speedups_of(cell, map.baseline, series));
          if (!std::isnan(ratio) && ratio != 0) lead = std::isnan(lead) ? ratio : std::max(lead, ratio);
        }
        log_ratios[row].push_back(lead);
        if (cell.times.empty()) continue;
        const Contest& contest =
            *std::ranges::find(contests.contests, cell.coordinates, &Contest::coordinates);
        const Winner winner = winner_of(contest);
        ++states[winner.state];
        const bool won = winner.state == "won", one = won || winner.state == "only";
        const Standing& first = contest.standings.front();
        table.add({one ? Json(winner.names) : Json(), panel, x.values[column], y.values[row],
                   first.value ? Json(*first.value) : Json(),
                   first.value ? Json(words_of(first.at_most ? Bound::at_most : Bound::none)) : Json(),
                   won ? Json(contest.standings[1].series) : Json(),
                   std::isnan(winner.factor) ? Json() : Json(winner.factor), winner.state,
                   winner.names.empty() ? Json() : Json(winner.names), winner.label});
      }
    }
    add_contour(contour, panel, log_ratios);
  }
  if (states.size() == states.count("none"))
    throw NotApplicable("no run has a " + lowered(map.measure.title));
  const std::vector<std::string> present = present_series(dataset, table);
  Plot plot = plot_map("map_fastest", dataset, map, options);
  plot.height = map_height(y, plot.panels.size(), plot.columns, true, options);
  set_field(plot.view, "measure", map.measure.column, map.measure.title + " (s)");
  fill_series(plot.view, dataset, present, options);
  Json& fill = layer_of(plot.view, "cells")["encoding"]["fill"];
  fill = {{"value", diverging_colors().none}};
  for (const std::string& series : present) {
    fill["condition"].push_back({{"test", "datum.series === " + Json(series).dump()},
                                 {"value", tint(series_style(dataset, series, options).color)}});
  }
  // Where nobody wins anywhere, there is nothing to mark.
  if (present.empty()) {
    drop_layer(plot.view, "winners");
    layer_of(plot.view, "labels")["mark"]["dy"] = 0;
  }
  const std::string title = "Fastest protocol by " + lowered(x.title) + " and " + lowered(y.title);
  const std::string caption = sentences(
      {"The protocol with the shortest " + lowered(map.measure.title) +
           ", and how many times as long the next one takes.",
       sample_note(map.panels.groups, "intervals are in figure time-to-target"),
       marks_in_words(
           {!contour.empty() ? "line: where " + map.baseline + " and the best of the others tie" : "",
            states["level"] > 0 ? "≈: " + level_words(map.panels) : "", states["open"] > 0 ? open_words : "",
            states["some"] > 0 ? "\"some\": reached with some of the seeds only" : "",
            states["none"] > 0 ? "\"none\": no protocol reached the target" : ""}),
       map.panels.note, outcome_summary(map.panels.groups)});
  Json spec = map_spec(plot, table, contour, options);
  return {"map-fastest",   title,           caption, outcome_notes(dataset, map.panels.groups),
          std::move(spec), std::move(table)};
}

Figure speedup_map(const Dataset& dataset, const FigureOptions& options) {
  const Map map = read_map(dataset, options, 2);
  const Axis &x = dataset.axes()[map.x], &y = dataset.axes()[map.y];
  Table table({"series", "panel", x.column, y.column, "speedup", "bound", "log2_speedup", "state", "label"});
  Json contour = Json::array();
  std::vector<std::string> panels;
  double largest = 1;  // logarithm to base 2
  std::map<std::string, std::size_t> states;
  for (const std::string& where : map.panels.labels) {
    const auto& grid = map.grids.at(where);
    for (const std::string& series : dataset.series()) {
      if (series == map.baseline) continue;
      const std::string panel = where.empty() ? series : series + ", " + where;
      std::vector<std::vector<double>> log_ratios(grid.size());
      bool any = false;
      for (std::size_t row = 0; row < grid.size(); ++row) {
        for (std::size_t column = 0; column < grid[row].size(); ++column) {
          const Cell& cell = grid[row][column];
          const Speedups found = speedups_of(cell, map.baseline, series);
          log_ratios[row].push_back(log_speedup(found));
          if (log_ratios[row].back() == 0) log_ratios[row].back() = NAN;  // equal: no line through here
          if (!cell.times.contains(series) || !cell.times.contains(map.baseline)) continue;
          any = true;
          const bool has_base = cell.times.at(map.baseline).any(), has_other = cell.times.at(series).any();
          std::vector<double> ratios;
          for (const auto& entry : found.by_seed) ratios.push_back(entry.second);
          const double speedup = ratios.empty() ? NAN : geometric_interval(ratios).mean;
          const auto or_null = [](double value) { return std::isnan(value) ? Json() : Json(value); };
          const Verdict said = verdict(found);
          const std::string state = said == Verdict::faster   ? "faster"
                                    : said == Verdict::slower ? "slower"
                                    : said == Verdict::level  ? "level"
                                    : said == Verdict::open   ? "open"
                                    : has_other               ? "only"
                                    : has_base                ? "never"
                                                              : "none";
          const bool colored = state == "faster" || state == "slower";
          if (colored) largest = std::max(largest, std::abs(std::log2(speedup)));
          ++states[state];
          table.add({series, panel, x.values[column], y.values[row], or_null(speedup),
                     found.bound == Bound::none ? Json() : Json(words_of(found.bound)),
                     or_null(std::log2(speedup)), state,
                     said == Verdict::open ? "?"
                     : std::isnan(speedup) ? state
                                           : factor_label(speedup, found.bound)});
        }
      }
      if (!any) continue;
      panels.push_back(panel);
      add_contour(contour, panel, log_ratios);
    }
  }
  if (table.empty()) throw NotApplicable("no point has both " + map.baseline + " and another series");
  Plot plot = plot_map("map_speedup", dataset, map, options);
  plot.panels = panels;
  plot.height = map_height(y, plot.panels.size(), plot.columns, false, options);
  const DivergingColors colors = diverging_colors();
  Json& fill = layer_of(plot.view, "cells")["encoding"]["fill"];
  fill["condition"][0]["value"] = colors.none;
  fill["condition"][1]["value"] = colors.middle;
  fill["scale"] = {{"domain", {-largest, 0, largest}},
                   {"range", {colors.below, colors.middle, colors.above}}};
  // A single panel has no header to name the series.
  if (plot.panels.size() == 1) plot.title = plot.panels.front();
  const std::string title =
      "Speed-up over " + map.baseline + " by " + lowered(x.title) + " and " + lowered(y.title);
  const bool marked = states["only"] + states["never"] + states["none"] > 0;
  const std::string caption = sentences(
      {"How many times as fast as " + map.baseline + " (" + lowered(map.measure.title) +
           "); geometric mean over seeds, each compared with itself.",
       sample_note(map.panels.groups, "intervals are in figure speedup"),
       marks_in_words({"blue: faster; orange: slower", !contour.empty() ? "line: the crossover" : "",
                       states["level"] > 0 ? "uncoloured: " + level_words(map.panels) : "",
                       states["open"] > 0 ? open_words : "",
                       marked
                           ? "\"only\": " + map.baseline +
                                 " has no time here; \"never\": the protocol has none; \"none\": neither has"
                           : ""}),
       map.panels.note, outcome_summary(map.panels.groups)});
  Json spec = map_spec(plot, table, contour, options);
  return {"map-speedup",   title,           caption, outcome_notes(dataset, map.panels.groups),
          std::move(spec), std::move(table)};
}

}  // namespace

std::vector<FigureKind> map_kinds() {
  return {{"map-fastest",
           "Heat map over bandwidth and latency: the fastest protocol, and where protocols tie", fastest},
          {"map-speedup", "Heat map over bandwidth and latency: speed-up over --baseline, and where it is 1",
           speedup_map}};
}

}  // namespace isthmus::analysis
