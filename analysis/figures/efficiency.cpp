#include <algorithm>
#include <map>

#include "analysis/figures/axis_plot.hpp"
#include "analysis/figures/kinds.hpp"
#include "analysis/figures/spec.hpp"
#include "analysis/format.hpp"
#include "analysis/statistics/interval.hpp"

namespace isthmus::analysis {
namespace {

/// Samples that one worker gets through in a second, by seed.
std::map<std::string, double> throughputs(const Group& group, double workers) {
  std::map<std::string, double> by_seed;
  for (const Run* run : group.runs) {
    if (!run->completed() || run->history.empty() || run->history.back().simulated_seconds <= 0) continue;
    const Evaluation& end = run->history.back();
    by_seed[value_of(*run, "/training/seed").value.dump()] =
        static_cast<double>(end.samples) / end.simulated_seconds / workers;
  }
  return by_seed;
}

Figure scaling_efficiency(const Dataset& dataset, const FigureOptions& options) {
  const auto axis = dataset.find_axis("/platform/workers");
  if (!axis || !dataset.axes()[*axis].numeric) throw NotApplicable("the runs do not differ in workers");
  const Axis& workers = dataset.axes()[*axis];
  const Panels panels = choose_panels(dataset, {{*axis}, {}}, options, panels_that_fit(130, options));
  const Json& fewest = workers.values.front();
  AxisPlot plot{.name = "scaling-efficiency",
                .title = "Scaling efficiency over workers",
                .x = workers,
                .column = "efficiency",
                .y_title = "Scaling efficiency",
                .unit = Unit::fraction,
                .reference = 1,
                .bottom_label = "no result",
                .panels = panels,
                .notes = outcome_notes(dataset, panels.groups)};
  bool any = false;
  for (const PlacedGroup& placed : panels.groups) {
    const Group& group = *placed.group;
    std::vector<Json> with_fewest = group.coordinates;
    with_fewest[*axis] = fewest;
    const Group* const base = panels.find(group.series, with_fewest);
    if (!base) continue;
    const auto alone = throughputs(*base, fewest.get<double>());
    std::vector<double> ratios;
    for (const auto& [seed, throughput] : throughputs(group, group.coordinates[*axis].get<double>())) {
      if (alone.contains(seed)) ratios.push_back(throughput / alone.at(seed));
    }
    AxisPoint point{.series = group.series,
                    .panel = placed.panel,
                    .x = group.coordinates[*axis],
                    .y = {},
                    .n = group.n(),
                    .with_value = ratios.size(),
                    .state = ratios.empty() ? "no result" : "completed",
                    .edge = Edge::bottom};
    if (!ratios.empty()) point.y = geometric_interval(ratios);
    any = any || (point.y && point.x != fewest);
    plot.points.push_back(std::move(point));
  }
  if (!any)
    throw NotApplicable("no series has completed runs with " + fewest.dump() + " and with more workers");
  plot.caption =
      sentences({"Samples per simulated second and worker, over those with " +
                     counted(fewest.get<std::size_t>(), "worker") +
                     " (100 %: perfect scaling); geometric mean over seeds, each compared with itself.",
                 sample_note(panels.groups, "whiskers"), panels.note, outcome_summary(panels.groups)});
  return draw(plot, dataset, options);
}

}  // namespace

std::vector<FigureKind> efficiency_kinds() {
  return {{"scaling-efficiency",
           "Samples per second and worker, relative to the fewest workers, over workers",
           scaling_efficiency}};
}

}  // namespace isthmus::analysis
