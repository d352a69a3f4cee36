#include <array>

#include "analysis/figures/kinds.hpp"
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
  Plot plot = plot_of("breakdown", dataset, panels);
  fill_rows(plot, present_series(dataset, table));
  layer_of(plot.view, "bars")["encoding"]["color"]["scale"]["range"] = stack_colors(shown_activities.size());
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
