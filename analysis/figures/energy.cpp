#include "analysis/figures/axis_plot.hpp"
#include "analysis/figures/kinds.hpp"
#include "analysis/figures/spec.hpp"
#include "analysis/statistics/interval.hpp"

namespace isthmus::analysis {
namespace {

Figure energy(const Dataset& dataset, const FigureOptions& options) {
  const auto axis = numeric_axis(dataset, options);
  std::vector<std::size_t> shown;
  if (axis) shown.push_back(*axis);
  const Panels panels =
      choose_panels(dataset, {std::move(shown), {}}, options, panels_that_fit(130, options));
  AxisPlot plot{.name = "energy",
                .title = "Energy of all devices",
                .x = axis ? dataset.axes()[*axis] : series_axis(dataset),
                .column = "energy_joules",
                .y_title = "Energy",
                .unit = Unit::joules,
                .bottom_label = "no result",
                .panels = panels,
                .notes = outcome_notes(dataset, panels.groups)};
  bool any = false;
  for (const PlacedGroup& placed : panels.groups) {
    const Group& group = *placed.group;
    std::vector<double> joules;
    for (const Run* run : group.runs) {
      const auto value = run->completed() ? run->summary_number("energy_joules") : std::nullopt;
      if (value) joules.push_back(*value);
    }
    AxisPoint point{.series = group.series,
                    .panel = placed.panel,
                    .x = axis ? group.coordinates[*axis] : Json(group.series),
                    .y = {},
                    .n = group.n(),
                    .with_value = joules.size(),
                    .state = joules.empty() ? "no result" : "completed",
                    .edge = Edge::bottom};
    if (!joules.empty()) point.y = mean_interval(joules);
    any = any || point.y;
    plot.points.push_back(std::move(point));
  }
  if (!any) throw NotApplicable("no completed run has devices whose watts are known (platform.device)");
  plot.caption =
      sentences({"Energy of all devices in a whole training, busy and idle.",
                 sample_note(panels.groups, "whiskers"), panels.note, outcome_summary(panels.groups)});
  return draw(plot, dataset, options);
}

}  // namespace

std::vector<FigureKind> energy_kinds() {
  return {
      {"energy", "Joules of all devices, busy and idle, against a swept quantity or by protocol", energy}};
}

}  // namespace isthmus::analysis
