#include <algorithm>
#include <map>

#include "analysis/figures/axis_plot.hpp"
#include "analysis/figures/kinds.hpp"
#include "analysis/figures/row_plot.hpp"
#include "analysis/figures/spec.hpp"
#include "analysis/statistics/times.hpp"

namespace isthmus::analysis {
namespace {

/// A result of each seed of a group.
using BySeed = std::map<std::string, double>;

/// What differs between two runs with the same seed and setting.
struct DifferenceKind {
  std::string name, title, column, axis_title, what, lower_means, higher_means;
  Unit unit;
  std::function<BySeed(const Group&)> results;
  double (*between)(double base, double other);
};

BySeed final_accuracies(const Group& group) {
  BySeed accuracies;
  for (const Run* run : group.runs) {
    if (!run->completed()) continue;
    for (const Evaluation& evaluation : run->history) {
      if (evaluation.test_accuracy)
        accuracies[value_of(*run, "/training/seed").value.dump()] = *evaluation.test_accuracy;
    }
  }
  return accuracies;
}

Figure draw_differences(const DifferenceKind& difference, const Dataset& dataset,
                        const FigureOptions& options) {
  if (dataset.series().size() < 2) throw NotApplicable("there is only one series: nothing to compare with");
  const std::string baseline = baseline_series(dataset, options.baseline);
  const auto irrelevant = irrelevant_axes(dataset, [&](const Group& group) {
    Json results = Json::array();
    for (const auto& entry : difference.results(group)) results.push_back(entry.second);
    return results;
  });
  const double height = row_height(dataset.series()) * static_cast<double>(dataset.series().size() - 1);
  const Panels panels = choose_panels(dataset, {{}, irrelevant}, options, panels_that_fit(height, options));
  AxisPlot plot{.name = difference.name,
                .title = difference.title + " from " + baseline,
                .x = series_axis(dataset),
                .column = difference.column,
                .y_title = difference.axis_title,
                .unit = difference.unit,
                .logarithmic = false,
                .reference = 0,
                .compared_with = baseline,
                .higher_means = difference.higher_means,
                .lower_means = difference.lower_means,
                .panels = panels,
                .notes = outcome_notes(dataset, panels.groups)};
  bool any = false;
  for (const PlacedGroup& placed : panels.groups) {
    const Group& group = *placed.group;
    if (group.series == baseline) continue;
    const Group* const base = panels.find(baseline, group.coordinates);
    if (!base) continue;
    const BySeed of_base = difference.results(*base);
    std::vector<double> differences;
    for (const auto& [seed, result] : difference.results(group)) {
      if (of_base.contains(seed)) differences.push_back(difference.between(of_base.at(seed), result));
    }
    AxisPoint point{.series = group.series,
                    .panel = placed.panel,
                    .x = group.series,
                    .y = {},
                    .n = group.n(),
                    .with_value = differences.size(),
                    .state = differences.empty() ? "no pair" : "paired",
                    .edge = Edge::none};
    if (!differences.empty()) point.y = mean_interval(differences);
    any = any || point.y;
    plot.points.push_back(std::move(point));
  }
  if (!any)
    throw NotApplicable("no seed has a " + difference.what + " of both " + baseline + " and another series");
  plot.caption =
      sentences({difference.title + " between runs with the same seed and setting, minus or over that of " +
                     baseline + "; an interval that spans 0 leaves open which is better.",
                 sample_note(panels.groups, "whiskers"), panels.note, outcome_summary(panels.groups)});
  return draw(plot, dataset, options);
}

Figure accuracy_difference(const Dataset& dataset, const FigureOptions& options) {
  return draw_differences({.name = "accuracy-difference",
                           .title = "Difference in test accuracy",
                           .column = "accuracy_difference_points",
                           .axis_title = "Points of accuracy",
                           .what = "test accuracy",
                           .lower_means = "less accurate",
                           .higher_means = "more accurate",
                           .unit = Unit::none,
                           .results = final_accuracies,
                           .between = [](double base, double other) { return 100 * (other - base); }},
                          dataset, options);
}

Figure time_difference(const Dataset& dataset, const FigureOptions& options) {
  const auto measure = time_measure(dataset);
  if (!measure) throw NotApplicable("no completed run has a simulated time in its run.json");
  const auto times = [measure](const Group& group) {
    const Times found = times_of(group, *measure);
    if (found.bound() != Bound::none) return BySeed();  // an upper bound has no difference
    return BySeed(found.by_seed.begin(), found.by_seed.end());
  };
  return draw_differences({.name = "time-difference",
                           .title = "Difference in " + lowered(measure->title),
                           .column = "relative_time_difference",
                           .axis_title = "Change of time",
                           .what = "time (that of a target met at the first test is only a bound)",
                           .lower_means = "faster",
                           .higher_means = "slower",
                           .unit = Unit::fraction,
                           .results = times,
                           .between = [](double base, double other) { return (other - base) / base; }},
                          dataset, options);
}

}  // namespace

std::vector<FigureKind> difference_kinds() {
  return {{"accuracy-difference",
           "Final accuracy minus that of --baseline with the same seed and setting, with intervals",
           accuracy_difference},
          {"time-difference", "Time over that of --baseline with the same seed and setting, with intervals",
           time_difference}};
}

}  // namespace isthmus::analysis
