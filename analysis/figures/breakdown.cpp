#include <array>

#include "analysis/figures/kinds.hpp"
#include "analysis/figures/panels.hpp"
#include "analysis/figures/row_plot.hpp"
#include "analysis/figures/spec.hpp"
#include "analysis/figures/theme.hpp"
#include "analysis/statistics/interval.hpp"

namespace isthmus::analysis {
namespace {

struct Activity {
  const char* name;
  double WorkerUse::*seconds;
};

constexpr std::array shown_activities = {Activity{"compute", &WorkerUse::compute_seconds},
                                         Activity{"communication", &WorkerUse::communication_seconds},
                                         Activity{"idle", &WorkerUse::idle_seconds}};

double mean_over_workers(const Run& run, const Activity& activity) {
  double sum = 0;
  for (const WorkerUse& worker : run.workers) sum += worker.*activity.seconds;
  return sum / static_cast<double>(run.workers.size());
}

Figure breakdown(const Dataset& dataset, const FigureOptions& options) {
  const double height = row_height(dataset.series()) * static_cast<double>(dataset.series().size());
  const Panels panels = choose_panels(dataset, {}, options, panels_that_fit(height, options));
  Table table({"series", "panel", "activity", "seconds", "low", "high", "n", "share", "total_seconds"});
  std::vector<PlacedGroup> shown;
  for (const PlacedGroup& placed : panels.groups) {
    std::vector<Interval> parts;
    double total = 0;
    for (const Activity& activity : shown_activities) {
      std::vector<double> seconds;
      for (const Run* run : placed.group->runs) {
        if (run->completed() && !run->workers.empty()) seconds.push_back(mean_over_workers(*run, activity));
      }
      if (seconds.empty()) break;
      parts.push_back(mean_interval(seconds));
      total += parts.back().mean;
    }
    if (parts.size() < shown_activities.size() || total <= 0) continue;
    shown.push_back(placed);
    for (std::size_t i = 0; i < shown_activities.size(); ++i) {
      table.add({placed.group->series, placed.panel, shown_activities[i].name, parts[i].mean, parts[i].low,
                 parts[i].high, parts[i].n, parts[i].mean / total, total});
    }
  }
  if (table.empty()) throw NotApplicable("no completed run has a workers.csv with times");
  Json names = Json::array();
  for (const Activity& activity : shown_activities) names.push_back(activity.name);
  const std::vector<std::string> present = present_series(dataset, table);
  const Json y = {{"field", "series"},
                  {"type", "nominal"},
                  {"title", nullptr},
                  {"sort", present},
                  {"axis", series_label_axis(present)}};
  // Room for the total behind the bar.
  constexpr double right_end = 1.3;
  const Json x = {{"field", "share"},
                  {"type", "quantitative"},
                  {"stack", "zero"},
                  {"title", "Share of time"},
                  {"scale", {{"domain", {0, right_end}}, {"nice", false}}},
                  {"axis",
                   {{"values", {0, 0.5, 1}},
                    {"labelExpr", label_expression(Unit::fraction, false, 1)},
                    {"grid", false},
                    {"domain", false}}}};
  const Json color = {{"field", "activity"},
                      {"type", "nominal"},
                      {"title", nullptr},
                      {"scale", {{"domain", names}, {"range", stack_colors(shown_activities.size())}}},
                      {"legend", {{"orient", "top"}, {"direction", "horizontal"}}}};
  const Json tooltip = {{{"field", "series"}, {"title", dataset.series_title()}},
                        {{"field", "activity"}, {"title", "Activity"}},
                        {{"field", "seconds"}, {"title", "Seconds"}, {"format", ".3~s"}},
                        {{"field", "share"}, {"title", "Share"}, {"format", ".1%"}}};
  Plot plot;
  plot.panels = panels.labels;
  plot.axis_width = label_width(present);
  plot.columns = panels.columns;
  plot.height = row_height(present) * static_cast<double>(present.size());
  plot.layers = {
      {{"transform", {{{"calculate", "indexof(" + names.dump() + ", datum.activity)"}, {"as", "order"}}}},
       {"mark", {{"type", "bar"}, {"style", "stack"}}},
       {"encoding",
        {{"x", x}, {"y", y}, {"color", color}, {"order", {{"field", "order"}}}, {"tooltip", tooltip}}}},
      {{"transform",
        {{{"filter", "datum.activity === 'compute'"}},
         {{"calculate", label_of_value("datum.total_seconds", Unit::seconds)}, {"as", "total"}},
         {{"calculate", "1"}, {"as", "end"}}}},
       {"mark", {{"type", "text"}, {"style", "ink-text"}, {"align", "left"}, {"dx", 3}}},
       {"encoding",
        {{"x", {{"field", "end"}, {"type", "quantitative"}}}, {"y", y}, {"text", {{"field", "total"}}}}}}};
  const std::string caption = sentences(
      {"Where a worker's time goes, mean over workers; behind the bars the whole simulated time.",
       sample_note(shown, "intervals are in the data"), panels.note, outcome_summary(panels.groups)});
  Json spec = make_spec(plot, table, options);
  return {"time-breakdown", "Where time goes", caption, outcome_notes(dataset, panels.groups),
          std::move(spec),  std::move(table)};
}

}  // namespace

std::vector<FigureKind> breakdown_kinds() {
  return {{"time-breakdown", "Compute, communication and idle time of a worker, by protocol", breakdown}};
}

}  // namespace isthmus::analysis
