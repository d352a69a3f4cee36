#include <array>
#include <optional>

#include "analysis/figures/kinds.hpp"
#include "analysis/figures/spec.hpp"
#include "analysis/figures/theme.hpp"
#include "analysis/statistics/interval.hpp"

namespace isthmus::analysis {
namespace {

struct Activity {
  const char* name;
  std::optional<double> (*seconds)(const WorkerUse&);
};

/// What a worker's time, or a part of it, consists of.
struct Whole {
  const char *kind, *title, *caption, *missing;
  std::array<Activity, 3> activities;
};

constexpr Whole all_time = {
    "time-breakdown",
    "Where time goes",
    "Where a worker's time goes, mean over workers; behind the bars the whole simulated time.",
    "no completed run has a workers.csv with times",
    {{{"compute", [](const WorkerUse& use) { return std::optional(use.compute_seconds); }},
      {"communication", [](const WorkerUse& use) { return std::optional(use.communication_seconds); }},
      {"idle", [](const WorkerUse& use) { return std::optional(use.idle_seconds); }}}}};

constexpr Whole computing = {
    "compute-breakdown",
    "What computing waits for",
    "What a worker's device waits for while it computes: its arithmetic units, its memory, or kernels to be "
    "launched; mean over workers, behind the bars the time of computing.",
    "no run has devices with profiles (platform.device)",
    {{{"compute", [](const WorkerUse& use) { return use.compute_bound_seconds; }},
      {"memory", [](const WorkerUse& use) { return use.memory_bound_seconds; }},
      {"launch", [](const WorkerUse& use) { return use.launch_bound_seconds; }}}}};

/// Nothing where a worker has no such seconds.
std::optional<double> mean_over_workers(const Run& run, const Activity& activity) {
  double sum = 0;
  const std::vector<WorkerUse> workers = run.trainers();
  for (const WorkerUse& worker : workers) {
    const std::optional<double> seconds = activity.seconds(worker);
    if (!seconds) return std::nullopt;
    sum += *seconds;
  }
  return sum / static_cast<double>(workers.size());
}

Figure breakdown(const Whole& whole, const Dataset& dataset, const FigureOptions& options) {
  const double height = row_height(dataset.series()) * static_cast<double>(dataset.series().size());
  const Panels panels = choose_panels(dataset, {}, options, panels_that_fit(height, options));
  Table table(
      {"series", "panel", "activity", "order", "seconds", "low", "high", "n", "share", "total_seconds"});
  std::vector<PlacedGroup> shown;
  for (const PlacedGroup& placed : panels.groups) {
    std::vector<Interval> parts;
    double total = 0;
    for (const Activity& activity : whole.activities) {
      std::vector<double> seconds;
      for (const Run* run : placed.group->runs) {
        if (!run->completed() || run->workers.empty()) continue;
        if (const auto mean = mean_over_workers(*run, activity)) seconds.push_back(*mean);
      }
      if (seconds.empty()) break;
      parts.push_back(mean_interval(seconds));
      total += parts.back().mean;
    }
    if (parts.size() < whole.activities.size() || total <= 0) continue;
    shown.push_back(placed);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      table.add({placed.group->series, placed.panel, whole.activities[i].name, i, parts[i].mean, parts[i].low,
                 parts[i].high, parts[i].n, parts[i].mean / total, total});
    }
  }
  if (table.empty()) throw NotApplicable(whole.missing);
  Plot plot = plot_of("breakdown", dataset, panels);
  fill_rows(plot, present_series(dataset, table));
  Json& colors = layer_of(plot.view, "bars")["encoding"]["color"]["scale"];
  colors["domain"] = Json::array();
  for (const Activity& activity : whole.activities) colors["domain"].push_back(activity.name);
  colors["range"] = stack_colors(whole.activities.size());
  const std::string caption = sentences({whole.caption, sample_note(shown, "intervals are in the data"),
                                         panels.note, outcome_summary(panels.groups)});
  Json spec = make_spec(plot, table, options);
  return {whole.kind,      whole.title,     caption, outcome_notes(dataset, panels.groups),
          std::move(spec), std::move(table)};
}

}  // namespace

std::vector<FigureKind> breakdown_kinds() {
  return {{"time-breakdown", "Compute, communication and idle time of a worker, by protocol",
           [](const Dataset& dataset, const FigureOptions& options) {
             return breakdown(all_time, dataset, options);
           }},
          {"compute-breakdown", "What computing waits for on devices with profiles, by protocol",
           [](const Dataset& dataset, const FigureOptions& options) {
             return breakdown(computing, dataset, options);
           }}};
}

}  // namespace isthmus::analysis
