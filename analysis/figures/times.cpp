#include "analysis/statistics/times.hpp"

#include <algorithm>

#include "analysis/figures/axis_plot.hpp"
#include "analysis/figures/kinds.hpp"

namespace isthmus::analysis {
namespace {

/// State of a point where only the baseline has no time.
constexpr const char* baseline_missing = "baseline without time";

TimeMeasure require_measure(const Dataset& dataset) {
  const auto measure = time_measure(dataset);
  if (!measure) throw NotApplicable("no completed run has a simulated time in its run.json");
  return *measure;
}

std::size_t most_panels(const FigureOptions& options) {
  return options.width == FigureWidth::one_column ? 4 : 8;
}

std::size_t require_axis(const Dataset& dataset, const FigureOptions& options) {
  if (const auto axis = numeric_axis(dataset, options)) return *axis;
  throw NotApplicable("nothing was swept but protocol and seed");
}

std::string unreached_note(const std::vector<AxisPoint>& points, const TimeMeasure& measure) {
  std::size_t none = 0, some = 0, memory = 0, failed = 0, baseline = 0;
  for (const AxisPoint& point : points) {
    none += point.state == "not reached";
    some += point.state == "partly reached";
    memory += point.state == "out of memory";
    failed += point.state == "failed";
    baseline += point.state == baseline_missing;
  }
  std::string note;
  const auto add = [&](std::size_t count, const std::string& what) {
    if (count > 0) note += (note.empty() ? "" : "; ") + what + " (" + std::to_string(count) + ")";
  };
  add(none, "open markers at the edge: target never reached");
  add(some, std::string("open markers with a value: mean of those seeds that ") +
                (measure.to_target ? "reached the target" : "completed"));
  add(memory, "crossed markers: out of memory");
  add(failed, "open markers: run failed");
  add(baseline, "open markers at the top: only the baseline has no time");
  if (note.empty()) return note;
  note[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(note[0])));
  return note + '.';
}

Figure time_to_target(const Dataset& dataset, const FigureOptions& options) {
  const TimeMeasure measure = require_measure(dataset);
  const std::size_t axis = require_axis(dataset, options);
  const Panels panels = choose_panels(dataset, {{axis}, {}}, options, most_panels(options));
  AxisPlot plot{.name = "time-to-target",
                .title = measure.title + " against " + lowered(dataset.axes()[axis].title),
                .x = dataset.axes()[axis],
                .column = measure.column,
                .y_title = measure.title,
                .unit = Unit::seconds,
                .top_label = measure.to_target ? "not reached" : "no result",
                .panels = panels,
                .notes = outcome_notes(dataset, panels.groups)};
  for (const PlacedGroup& placed : panels.groups) {
    const Times times = times_of(*placed.group, measure);
    AxisPoint point{.series = placed.group->series,
                    .panel = placed.panel,
                    .x = placed.group->coordinates[axis],
                    .y = {},
                    .n = times.n,
                    .with_value = times.by_seed.size(),
                    .state = times.state(),
                    .edge = Edge::top,
                    .bound = times.bound()};
    if (times.any()) point.y = mean_interval(times.seconds());
    plot.points.push_back(std::move(point));
  }
  plot.caption = sentences({sample_note(panels.groups, "whiskers"), unreached_note(plot.points, measure),
                            bound_note(plot.points), panels.note, outcome_summary(panels.groups)});
  return draw(plot, dataset, options);
}

Figure speedup(const Dataset& dataset, const FigureOptions& options) {
  const TimeMeasure measure = require_measure(dataset);
  const std::string baseline = baseline_series(dataset, options.baseline);
  if (dataset.series().size() < 2) throw NotApplicable("there is only one series: nothing to compare with");
  std::optional<std::size_t> axis;
  if (!options.x.empty() || !dataset.axes().empty()) axis = require_axis(dataset, options);
  std::vector<std::size_t> shown;
  if (axis) shown.push_back(*axis);
  const Panels panels = choose_panels(dataset, {std::move(shown), {}}, options, most_panels(options));
  AxisPlot plot{.name = "speedup",
                .title = "Speed-up over " + baseline,
                .x = axis ? dataset.axes()[*axis] : series_axis(dataset),
                .column = "speedup",
                .y_title = axis ? "Speed-up over " + baseline : "Speed-up",
                .reference = 1,
                .top_label = baseline + (measure.to_target ? " not reached" : " without result"),
                .bottom_label = measure.to_target ? "not reached" : "no result",
                .compared_with = baseline,
                .higher_means = axis ? "" : "faster",
                .lower_means = axis ? "" : "slower",
                .panels = panels,
                .notes = outcome_notes(dataset, panels.groups)};
  std::size_t both_missing = 0, open = 0;
  for (const PlacedGroup& placed : panels.groups) {
    const Group& group = *placed.group;
    if (group.series == baseline) continue;
    const Group* const base = panels.find(baseline, group.coordinates);
    if (!base) continue;
    const Times base_times = times_of(*base, measure), times = times_of(group, measure);
    const Speedups found = speedups(base_times, times);
    std::vector<double> ratios;
    for (const auto& entry : found.by_seed) ratios.push_back(entry.second);
    AxisPoint point{.series = group.series,
                    .panel = placed.panel,
                    .x = axis ? group.coordinates[*axis] : Json(group.series),
                    .y = {},
                    .n = times.n,
                    .with_value = ratios.size(),
                    .state = times.any() ? baseline_missing : times.state(),
                    .edge = times.any() ? Edge::top : Edge::bottom,
                    .bound = found.bound};
    if (found.open) {
      point.state = "open";
      point.edge = Edge::none;
      ++open;
    } else if (!ratios.empty()) {
      point.y = geometric_interval(ratios);
      point.state = ratios.size() == times.n ? "reached" : "partly reached";
    } else if (!times.any() && !base_times.any()) {
      ++both_missing;
    }
    plot.points.push_back(std::move(point));
  }
  if (plot.points.empty()) throw NotApplicable("no point has both " + baseline + " and another series");
  if (open == plot.points.size()) {
    throw NotApplicable("at every point " + baseline +
                        " and the others met the target at their first test, so that no speed-up is known");
  }
  std::string what = "How many times as fast as " + baseline + ", by " + lowered(measure.title) +
                     "; geometric mean over seeds, each seed compared with itself.";
  plot.caption = sentences(
      {what, sample_note(panels.groups, "whiskers"), unreached_note(plot.points, measure),
       bound_note(plot.points),
       open > 0 ? "Not shown: points where both met the target at their first test, so that nothing is "
                  "known of the speed-up (" +
                      std::to_string(open) + ")."
                : "",
       both_missing > 0 ? "At " + std::to_string(both_missing) + " points neither has a time." : "",
       panels.note, outcome_summary(panels.groups)});
  return draw(plot, dataset, options);
}

}  // namespace

std::vector<FigureKind> time_kinds() {
  return {{"time-to-target", "Time to the target accuracy against what was swept, or --x", time_to_target},
          {"speedup", "Speed-up of each protocol over --baseline, against what was swept, or --x", speedup}};
}

}  // namespace isthmus::analysis
