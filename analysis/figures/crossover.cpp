#include "analysis/statistics/crossover.hpp"

#include <algorithm>

#include "analysis/figures/axis_plot.hpp"
#include "analysis/figures/kinds.hpp"

namespace isthmus::analysis {
namespace {

/// The axis along which protocols tie: what the user asked for, the bandwidth, or the first with numbers.
std::size_t tie_axis(const Dataset& dataset, const FigureOptions& options) {
  const std::string wanted = options.x.empty() ? "bandwidth" : options.x;
  if (const auto found = dataset.find_axis(wanted)) return *found;
  for (std::size_t i = 0; options.x.empty() && i < dataset.axes().size(); ++i) {
    if (dataset.axes()[i].numeric) return i;
  }
  throw NotApplicable("the runs do not differ in " + lowered(title_of(wanted)));
}

std::string tie_note(const Crossover& tie, const Axis& axis, const std::string& where) {
  const std::string at = where.empty() ? "" : " (" + where + ")", both = tie.other + " and " + tie.baseline;
  const auto label = [&](double x) { return axis.label(Json(x)); };
  if (tie.equal_throughout()) return both + " are equal throughout" + at;
  std::string text;
  if (tie.interval) {
    const Interval& i = *tie.interval;
    text = both + " tie at " + label(i.mean);
    if (i.n > 1) text += " [" + label(i.low) + ", " + label(i.high) + "]";
    text += at;
    if (!tie.faster_below.empty()) text += ", below that " + tie.faster_below + " is faster";
  } else if (tie.several_ties > 0) {
    text = both + " tie more than once" + at;
  } else if (!tie.faster_below.empty() && !tie.faster_above.empty() && tie.faster_below != tie.faster_above) {
    text = tie.faster_below + " is faster below, and " + tie.faster_above + " above" + at;
  } else {
    const std::string& winner = tie.faster_below.empty() ? tie.faster_above : tie.faster_below;
    text = winner + " is faster than " + (winner == tie.other ? tie.baseline : tie.other) +
           (tie.equal.empty() ? " throughout" : " elsewhere") + at;
  }
  for (std::size_t i = 0; i < tie.equal.size(); ++i) {
    const Stretch& stretch = tie.equal[i];
    text += (i == 0 ? ", equal at " : " and at ") + label(stretch.from);
    if (stretch.to > stretch.from) text += " to " + label(stretch.to);
  }
  return text;
}

std::string state_of(const Crossover& tie) {
  if (tie.equal_throughout()) return "equal throughout";
  if (tie.interval) return tie.by_seed.size() == tie.seeds ? "tie" : "tie for some seeds";
  if (tie.several_ties > 0) return "several ties";
  if (!tie.equal.empty() || tie.faster_below != tie.faster_above) return "equal in part";
  return tie.faster_below == tie.other ? "faster throughout" : "slower throughout";
}

/// Who is faster on which side ("equal" where nobody is), and the first stretch where they are equal.
std::vector<std::pair<std::string, Json>> sides(const Crossover& tie, const Axis& axis) {
  const auto name = [](const std::string& faster) { return faster.empty() ? "equal" : faster; };
  const auto end = [&](double Stretch::*member) {
    return tie.equal.empty() ? Json() : Json(tie.equal[0].*member);
  };
  return {{"faster_below", name(tie.faster_below)},
          {"faster_above", name(tie.faster_above)},
          {"equal_from_" + axis.column, end(&Stretch::from)},
          {"equal_to_" + axis.column, end(&Stretch::to)}};
}

Figure crossover(const Dataset& dataset, const FigureOptions& options) {
  const auto measure = time_measure(dataset);
  if (!measure) throw NotApplicable("no completed run has a simulated time in its run.json");
  const std::size_t along = tie_axis(dataset, options);
  const Axis& axis = dataset.axes()[along];
  const std::string baseline = baseline_series(dataset, options.baseline);
  const std::vector<Crossover> ties = find_crossovers(dataset, along, *measure, baseline);
  if (ties.empty()) {
    throw NotApplicable("no series has times at two values of " + lowered(axis.title) + " where " + baseline +
                        " has them too" +
                        (measure->to_target ? " (a target met at the first test gives none)" : ""));
  }
  // Against the next axis with numbers, if there is one; otherwise the series are the axis.
  std::optional<std::size_t> against;
  for (std::size_t i = 0; i < dataset.axes().size() && !against; ++i) {
    if (i != along && dataset.axes()[i].numeric) against = i;
  }
  const Axis x = against ? dataset.axes()[*against] : series_axis(dataset);
  AxisRoles roles{{along}, {}};
  if (against) roles.shown.push_back(*against);
  const Panels panels =
      choose_panels(dataset, roles, options, options.width == FigureWidth::one_column ? 4 : 8);
  AxisPlot plot{.name = "crossover",
                .title = "Crossover " + lowered(axis.title) + " with " + baseline,
                .x = x,
                .column = "crossover_" + axis.column,
                .y_title = "Crossover " + lowered(axis.title),
                .unit = axis.unit,
                .range = std::pair(ties.front().lowest, ties.front().highest),
                .top_label = "faster than " + baseline + " throughout",
                .bottom_label = "slower than " + baseline + " throughout",
                .compared_with = baseline,
                .from = "equal_from_" + axis.column,
                .to = "equal_to_" + axis.column,
                .panels = panels};
  bool any_equal = false, others_below = true, baseline_below = true;
  std::size_t several = 0, some_only = 0, fewest = SIZE_MAX, most = 0;
  for (const Crossover& tie : ties) {
    const auto placed = std::ranges::find(panels.groups, tie.group, &PlacedGroup::group);
    // The group that stands for a tie is at some value of the axis itself, which has no panels.
    if (placed == panels.groups.end()) continue;
    plot.range =
        std::pair(std::min(plot.range->first, tie.lowest), std::max(plot.range->second, tie.highest));
    fewest = std::min(fewest, tie.seeds);
    most = std::max(most, tie.seeds);
    some_only += tie.interval && tie.by_seed.size() < tie.seeds;
    several += tie.several_ties;
    any_equal = any_equal || !tie.equal.empty();
    const std::string state = state_of(tie);
    AxisPoint point{.series = tie.other,
                    .panel = placed->panel,
                    .x = against ? tie.group->coordinates[*against] : Json(tie.other),
                    .y = tie.interval,
                    .n = tie.seeds,
                    .with_value = tie.by_seed.size(),
                    .state = state,
                    .edge = state == "faster throughout"   ? Edge::top
                            : state == "slower throughout" ? Edge::bottom
                                                           : Edge::none,
                    .more = sides(tie, axis)};
    plot.points.push_back(std::move(point));
    const std::string where = against ? point_label(dataset, *tie.group, {*against}) : std::string();
    const std::string panel = panels.labels.size() > 1 ? placed->panel : std::string();
    plot.notes.push_back(tie_note(tie, axis, where + (where.empty() || panel.empty() ? "" : ", ") + panel) +
                         '.');
    if (!tie.interval) continue;
    others_below = others_below && tie.faster_below == tie.other;
    baseline_below = baseline_below && tie.faster_below == baseline;
  }
  if (plot.points.empty()) throw NotApplicable("no crossover at the values shown");
  // Which side is whose, where it is the same for all.
  const std::string others = dataset.series().size() == 2 ? plot.points.front().series : "the protocol";
  if (others_below != baseline_below) {
    plot.lower_means = (others_below ? others : baseline) + " is faster";
    plot.higher_means = (others_below ? baseline : others) + " is faster";
  }
  const std::string n =
      fewest == most ? std::to_string(most) : std::to_string(fewest) + " to " + std::to_string(most);
  plot.caption = sentences(
      {axis.title + " where a protocol and " + baseline + " take the same time (" + lowered(measure->title) +
           "), interpolated between the swept values in the logarithms, seed by seed.",
       most > 1 ? "Geometric mean of n = " + n + " seeds; whiskers: 95 % confidence interval (Student t)."
                : "One seed (n = 1), so no interval.",
       any_equal ? std::string(against ? "Dotted, between open markers: equal, that is" : "Equal:") +
                       " within 2 % at neighbouring values or at an end of the range, with all seeds."
                 : "",
       some_only > 0 ? "Open markers with a value: of those seeds that have a tie." : "",
       several > 0 ? "Of some seeds times cross more than once (the middle tie counts)." : "", panels.note});
  return draw(plot, dataset, options);
}

}  // namespace

std::vector<FigureKind> crossover_kinds() {
  return {{"crossover", "Bandwidth (or --x) where a protocol and --baseline tie, by the next swept axis",
           crossover}};
}

}  // namespace isthmus::analysis
