#include <algorithm>

#include "analysis/figures/axis_plot.hpp"
#include "analysis/figures/kinds.hpp"
#include "analysis/statistics/times.hpp"

namespace isthmus::analysis {
namespace {

/// Seconds that a worker computes for each that it communicates, over all workers and seeds; nothing where it
/// never communicates, or no run completed.
std::optional<double> compute_ratio(const Group& group) {
  double compute = 0, communication = 0;
  for (const Run* run : group.runs) {
    if (!run->completed()) continue;
    for (const WorkerUse& worker : run->workers) {
      compute += worker.compute_seconds;
      communication += worker.communication_seconds;
    }
  }
  if (compute <= 0 || communication <= 0) return std::nullopt;
  return compute / communication;
}

Figure speedup_by_ratio(const Dataset& dataset, const FigureOptions& options) {
  const auto measure = time_measure(dataset);
  if (!measure) throw NotApplicable("no completed run has a simulated time in its run.json");
  if (dataset.series().size() < 2) throw NotApplicable("there is only one series: nothing to compare with");
  const std::string baseline = baseline_series(dataset, options.baseline);
  // Platforms of any kind come down to one number, so axes have no panels unless one is asked for.
  AxisRoles roles;
  const auto facet = options.facet.empty() ? std::nullopt : dataset.find_axis(options.facet);
  for (std::size_t axis = 0; axis < dataset.axes().size(); ++axis) {
    if (axis != facet) roles.shown.push_back(axis);
  }
  const Panels panels = choose_panels(dataset, roles, options, 4);
  AxisPlot plot{.name = "speedup-compute-ratio",
                .title = "Speed-up over " + baseline + " against the ratio of compute to communication",
                .x = {},
                .column = "speedup",
                .y_title = "Speed-up over " + baseline,
                .reference = 1,
                .bottom_label = measure->to_target ? "not reached" : "no result",
                .joined = dataset.axes().size() == 1,
                .panels = panels,
                .notes = outcome_notes(dataset, panels.groups)};
  plot.x.column = "compute_to_communication";
  plot.x.title = "Compute : communication of " + baseline;
  plot.x.numeric = true;
  std::size_t without_time = 0;
  for (const PlacedGroup& placed : panels.groups) {
    const Group& group = *placed.group;
    if (group.series == baseline) continue;
    const Group* const base = panels.find(baseline, group.coordinates);
    if (!base) continue;
    const auto ratio = compute_ratio(*base);
    const Times base_times = times_of(*base, *measure), times = times_of(group, *measure);
    if (!ratio || !base_times.any()) {
      ++without_time;
      continue;
    }
    const Speedups found = speedups(base_times, times);
    if (found.open) {
      ++without_time;
      continue;
    }
    std::vector<double> ratios;
    for (const auto& entry : found.by_seed) ratios.push_back(entry.second);
    AxisPoint point{.series = group.series,
                    .panel = placed.panel,
                    .x = *ratio,
                    .y = {},
                    .n = times.n,
                    .with_value = ratios.size(),
                    .state = times.state(),
                    .edge = Edge::bottom,
                    .bound = found.bound};
    if (!ratios.empty()) point.y = geometric_interval(ratios);
    plot.points.push_back(std::move(point));
    plot.x.values.emplace_back(*ratio);
  }
  if (plot.points.empty()) {
    throw NotApplicable("at no point has " + baseline +
                        " a time and a worker that communicates, and another series a run");
  }
  std::ranges::sort(plot.x.values, {}, [](const Json& value) { return value.get<double>(); });
  plot.caption =
      sentences({"How many times as fast as " + baseline + ", by " + lowered(measure->title) +
                     ", where workers of " + baseline +
                     " compute so many seconds for each that they communicate; each point is one "
                     "setting, the geometric "
                     "mean over seeds, each compared with itself.",
                 sample_note(panels.groups, "whiskers"), bound_note(plot.points),
                 without_time > 0 ? "Left out: " + std::to_string(without_time) +
                                        " without such a ratio or a speed-up over " + baseline + '.'
                                  : "",
                 panels.note, outcome_summary(panels.groups)});
  return draw(plot, dataset, options);
}

}  // namespace

std::vector<FigureKind> compute_ratio_kinds() {
  return {{"speedup-compute-ratio",
           "Speed-up over --baseline against its ratio of compute to communication, all settings in one",
           speedup_by_ratio}};
}

}  // namespace isthmus::analysis
