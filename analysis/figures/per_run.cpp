#include <algorithm>
#include <cmath>
#include <map>

#include "analysis/figures/axis_plot.hpp"
#include "analysis/figures/kinds.hpp"
#include "analysis/figures/spec.hpp"
#include "analysis/statistics/interval.hpp"

namespace isthmus::analysis {
namespace {

/// What is measured once of each completed run.
struct RunQuantity {
  const char *name, *title, *column, *y_title;
  Unit unit;
  std::optional<std::pair<double, double>> range;
  const char *caption, *missing;
  std::optional<double> (*computed)(const Run&) = nullptr;  ///< null: the summary has it under that column

  std::optional<double> of(const Run& run) const {
    return computed ? computed(run) : run.summary_number(column);
  }
};

const RunQuantity accuracy = {
    .name = "accuracy",
    .title = "Final test accuracy",
    .column = "final_test_accuracy",
    .y_title = "Test accuracy",
    .unit = Unit::fraction,
    .range = {{0, 1}},
    .caption = "Accuracy of the last test; of samples with sets of labels, precision at 1.",
    .missing = "no completed run has been tested (runs that only count costs have no tests)"};

const RunQuantity precision = {
    .name = "precision-at-5",
    .title = "Final precision at 5",
    .column = "final_precision_at_5",
    .y_title = "Precision at 5",
    .unit = Unit::fraction,
    .range = {{0, 1}},
    .caption = "Which part of the five largest outputs are labels of the sample, in the last test.",
    .missing = "no completed run has been tested on samples with sets of labels"};

const RunQuantity energy = {
    .name = "energy",
    .title = "Energy of all devices",
    .column = "energy_joules",
    .y_title = "Energy",
    .unit = Unit::joules,
    .range = {},
    .caption = "Energy of all devices in a whole training, busy and idle.",
    .missing = "no completed run has devices whose watts are known (platform.device)"};

const RunQuantity utilisation = {
    .name = "utilisation",
    .title = "Compute utilisation",
    .column = "utilisation",
    .y_title = "Compute utilisation",
    .unit = Unit::fraction,
    .range = {{0, 1}},
    .caption = "Share of the simulated time in which devices compute, mean over workers.",
    .missing = "no completed run has a workers.csv with times",
    .computed = [](const Run& run) -> std::optional<double> {
      const auto seconds = run.summary_number("simulated_seconds");
      if (run.workers.empty() || !seconds || *seconds <= 0) return std::nullopt;
      double sum = 0;
      const std::vector<WorkerUse> workers = run.trainers();
      for (const WorkerUse& worker : workers) sum += worker.compute_seconds;
      return sum / static_cast<double>(workers.size()) / *seconds;
    }};

const RunQuantity staleness = {
    .name = "staleness",
    .title = "Staleness of updates",
    .column = "staleness_mean",
    .y_title = "Mean staleness",
    .unit = Unit::none,
    .range = {},
    .caption =
        "How many updates of others came between what a worker began with and its own update: mean "
        "over all updates.",
    .missing = "no completed run has updates of workers that do not wait for each other"};

const RunQuantity goodput = {
    .name = "goodput",
    .title = "Goodput",
    .column = "goodput",
    .y_title = "Goodput",
    .unit = Unit::fraction,
    .range = {{0, 1}},
    .caption = "Share of the samples trained that went into the model: the others' work came too late.",
    .missing = "no completed run has work that can be lost",
    .computed = [](const Run& run) -> std::optional<double> {
      const auto lost = run.summary_number("lost_samples");
      if (!lost || run.history.empty()) return std::nullopt;
      const auto samples = static_cast<double>(run.history.back().samples);
      return samples / (samples + *lost);
    }};

std::vector<double> values_of(const RunQuantity& quantity, const Group& group) {
  std::vector<double> values;
  for (const Run* run : group.runs) {
    const auto value = run->completed() ? quantity.of(*run) : std::nullopt;
    if (value) values.push_back(*value);
  }
  return values;
}

Figure per_run(const RunQuantity& quantity, const Dataset& dataset, const FigureOptions& options) {
  const auto axis = numeric_axis(dataset, options);
  std::vector<std::size_t> shown;
  if (axis) shown.push_back(*axis);
  const Panels panels =
      choose_panels(dataset, {std::move(shown), {}}, options, panels_that_fit(130, options));
  AxisPlot plot{.name = quantity.name,
                .title = quantity.title,
                .x = axis ? dataset.axes()[*axis] : series_axis(dataset),
                .column = quantity.column,
                .y_title = quantity.y_title,
                .unit = quantity.unit,
                .logarithmic = !quantity.range,
                .range = quantity.range,
                .bottom_label = "no result",
                .panels = panels,
                .notes = outcome_notes(dataset, panels.groups)};
  bool any = false;
  for (const PlacedGroup& placed : panels.groups) {
    const Group& group = *placed.group;
    const std::vector<double> values = values_of(quantity, group);
    AxisPoint point{.series = group.series,
                    .panel = placed.panel,
                    .x = axis ? group.coordinates[*axis] : Json(group.series),
                    .y = {},
                    .n = group.n(),
                    .with_value = values.size(),
                    .state = values.empty() ? "no result" : "completed",
                    .edge = Edge::bottom};
    if (!values.empty()) point.y = mean_interval(values);
    any = any || point.y;
    plot.points.push_back(std::move(point));
  }
  if (!any) throw NotApplicable(quantity.missing);
  plot.caption = sentences({quantity.caption, sample_note(panels.groups, "whiskers"), panels.note,
                            outcome_summary(panels.groups)});
  return draw(plot, dataset, options);
}

/// Where a rising curve first has a value, by straight lines over log x; nothing where it never has, or has
/// it from the beginning.
std::optional<double> first_at(const std::vector<std::pair<double, double>>& curve, double value) {
  for (std::size_t i = 1; i < curve.size(); ++i) {
    const auto [x0, y0] = curve[i - 1];
    const auto [x1, y1] = curve[i];
    if (y0 < value && y1 >= value) return x0 * std::pow(x1 / x0, (value - y0) / (y1 - y0));
  }
  return std::nullopt;
}

/// The bandwidth that each series needs for some utilisations (as in table 4 of Streaming DiLoCo).
Figure bandwidth_for_utilisation(const Dataset& dataset, const FigureOptions& options) {
  const auto along = dataset.find_axis(options.x.empty() ? "bandwidth" : options.x);
  if (!along || !dataset.axes()[*along].numeric) throw NotApplicable("the runs do not differ in bandwidth");
  const Axis& bandwidth = dataset.axes()[*along];
  const Panels panels = choose_panels(dataset, {{*along}, {}}, options, panels_that_fit(130, options));
  Axis levels{.key = "utilisation",
              .column = "utilisation",
              .title = "Compute utilisation",
              .unit = Unit::fraction,
              .numeric = true,
              .values = {0.5, 0.8, 0.9, 0.95, 0.99}};
  AxisPlot plot{.name = "bandwidth-for-utilisation",
                .title = "Bandwidth for a compute utilisation",
                .x = levels,
                .column = bandwidth.column,
                .y_title = bandwidth.title,
                .unit = bandwidth.unit,
                .top_label = "not reached",
                .panels = panels,
                .notes = outcome_notes(dataset, panels.groups)};
  using Curve = std::vector<std::pair<double, double>>;
  using Place = std::pair<std::string, std::string>;     // series and panel
  std::map<Place, std::map<std::string, Curve>> curves;  // by seed
  for (const PlacedGroup& placed : panels.groups) {
    const Json& x = placed.group->coordinates[*along];
    for (const Run* run : placed.group->runs) {
      const auto y = run->completed() ? utilisation.of(*run) : std::nullopt;
      if (y && x.is_number())
        curves[{placed.group->series, placed.panel}][value_of(*run, "/training/seed").value.dump()]
            .emplace_back(x.get<double>(), *y);
    }
  }
  bool any = false;
  for (auto& [place, by_seed] : curves) {
    for (auto& [seed, curve] : by_seed) std::ranges::sort(curve);
    for (const Json& level : levels.values) {
      const auto wanted = level.get<double>();
      std::vector<double> needed;
      bool from_the_beginning = false;
      for (const auto& [seed, curve] : by_seed) {
        if (const auto found = first_at(curve, wanted)) needed.push_back(*found);
        from_the_beginning = from_the_beginning || curve.front().second >= wanted;
      }
      if (from_the_beginning) continue;  // less would do, too
      AxisPoint point{.series = place.first,
                      .panel = place.second,
                      .x = level,
                      .y = {},
                      .n = by_seed.size(),
                      .with_value = needed.size(),
                      .state = needed.empty() ? "not reached" : "reached",
                      .edge = Edge::top};
      if (!needed.empty()) point.y = geometric_interval(needed);
      any = any || point.y;
      plot.points.push_back(std::move(point));
    }
  }
  if (!any)
    throw NotApplicable("no series' utilisation passes 50, 80, 90, 95 or 99 % between two bandwidths");
  plot.caption = sentences(
      {"The least bandwidth at which devices compute for so much of the time, between measured ones "
       "by straight lines over the logarithm.",
       sample_note(panels.groups, "whiskers"), panels.note, outcome_summary(panels.groups)});
  return draw(plot, dataset, options);
}

}  // namespace

std::vector<FigureKind> per_run_kinds() {
  const auto kind = [](const RunQuantity& quantity, const char* summary) {
    return FigureKind{quantity.name, summary,
                      [&quantity](const Dataset& dataset, const FigureOptions& options) {
                        return per_run(quantity, dataset, options);
                      }};
  };
  return {
      kind(accuracy, "Accuracy of the last test, against a swept quantity or by protocol"),
      kind(precision, "Precision at 5 of the last test, against a swept quantity or by protocol"),
      kind(energy, "Joules of all devices, busy and idle, against a swept quantity or by protocol"),
      kind(utilisation,
           "Share of the time in which devices compute, against a swept quantity or by protocol"),
      kind(staleness, "Mean staleness of updates, against a swept quantity or by protocol"),
      kind(goodput,
           "Share of the samples trained that went into the model, against a swept quantity or by protocol"),
      {"bandwidth-for-utilisation", "The bandwidth that a compute utilisation of 50 to 99 % needs",
       bandwidth_for_utilisation}};
}

}  // namespace isthmus::analysis
