#include <algorithm>
#include <cmath>

#include "analysis/figures/curves.hpp"
#include "analysis/figures/kinds.hpp"
#include "analysis/figures/spec.hpp"

namespace isthmus::analysis {
namespace {

/// Markers only tell lines apart, so a few are enough; the first and last points have one.
bool has_marker(std::size_t index, std::size_t count) {
  constexpr std::size_t markers = 6;
  if (count <= markers) return true;
  const std::size_t stride = (count + markers - 1) / markers;
  return index % stride == 0 || index + 1 == count;
}

/// The target that all runs share, or null.
Json common_target(const std::vector<PlacedGroup>& groups) {
  Json target;
  for (const PlacedGroup& placed : groups) {
    for (const Run* run : placed.group->runs) {
      const auto value = run->summary_number("target_accuracy");
      if (!value || (!target.is_null() && target != *value)) return nullptr;
      target = *value;
    }
  }
  return target;
}

struct Extent {
  double low = INFINITY, high = -INFINITY;
  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

Figure learning_curve(const Quality& quality, const Cost& cost, const Dataset& dataset,
                      const FigureOptions& options) {
  const std::size_t most_panels = options.width == FigureWidth::one_column ? 4 : 9;
  const Panels panels =
      choose_panels(dataset, {{}, curve_irrelevant_axes(dataset, quality, cost)}, options, most_panels);
  Table table({"series", "panel", "round", cost.column, quality.name, "low", "high", "n", "marker"});
  Extent costs, qualities, ends;
  bool has_bands = false;
  for (const PlacedGroup& placed : panels.groups) {
    const std::vector<CurvePoint> curve = mean_curve(*placed.group, quality, cost);
    for (std::size_t i = 0; i < curve.size(); ++i) {
      const CurvePoint& point = curve[i];
      table.add({placed.group->series, placed.panel, point.round, point.cost, point.quality.mean,
                 point.quality.low, point.quality.high, point.quality.n, has_marker(i, curve.size())});
      costs.add(point.cost);
      qualities.add(point.quality.low);
      qualities.add(point.quality.high);
      has_bands = has_bands || point.quality.n > 1;
    }
    if (!curve.empty()) ends.add(curve.back().cost);
  }
  if (table.empty()) {
    throw NotApplicable("no run has " + lowered(quality.title) + " and " + lowered(cost.title) +
                        " in its files (runs that only count costs have no tests)");
  }
  const Json target = quality.name == "test_accuracy" ? common_target(panels.groups) : Json();
  const bool has_target = target.is_number();
  if (has_target) qualities.add(target.get<double>());

  // Where one protocol takes ten times as much as another, a linear axis would hide it.
  const bool logarithmic = costs.low > 0 && ends.high >= 10 * ends.low;
  Plot plot = plot_of("learning_curves", dataset, panels);
  plot.height = panels.labels.size() > 1 ? 120 : 170;
  set_field(plot.view, "cost", cost.column, cost.title);
  set_field(plot.view, "quality", quality.name, quality.title);
  fill_position(plot.view["encoding"]["x"], {.unit = cost.unit,
                                             .logarithmic = logarithmic,
                                             .low = logarithmic ? costs.low : 0,
                                             .high = costs.high,
                                             .from_zero = true});
  fill_position(plot.view["encoding"]["y"],
                {.unit = quality.unit, .low = qualities.low, .high = qualities.high});
  fill_series(plot.view, dataset, present_series(dataset, table), options);
  if (!has_bands) drop_layer(plot.view, "bands");
  fill_layer(plot.view, "target", has_target ? Json::array({{{"target", target}}}) : Json::array());

  std::string name = quality.in_names + "-" + cost.name;
  const std::string title = quality.title + " against " + lowered(cost.title);
  const std::string caption = sentences(
      {quality.name == consensus_distance().name ? "Mean over workers of the squared distance of their "
                                                   "parameters from the mean of all, before they come "
                                                   "together."
                                                 : "",
       sample_note(panels.groups, "band"),
       has_target ? "Dotted: the target, " + format_quantity(target.get<double>(), Unit::fraction) + '.' : "",
       panels.note, outcome_summary(panels.groups)});
  Json spec = make_spec(plot, table, options);
  return {std::move(name), title,           caption, outcome_notes(dataset, panels.groups),
          std::move(spec), std::move(table)};
}

}  // namespace

std::vector<FigureKind> learning_curve_kinds() {
  std::vector<FigureKind> kinds;
  const auto add = [&](const Quality& quality, const Cost& cost) {
    kinds.push_back({quality.in_names + "-" + cost.name, quality.title + " against " + lowered(cost.title),
                     [quality, cost](const Dataset& dataset, const FigureOptions& options) {
                       return learning_curve(quality, cost, dataset, options);
                     }});
  };
  for (const Quality& quality : curve_qualities()) {
    for (const Cost& cost : curve_costs()) add(quality, cost);
  }
  add(consensus_distance(), *std::ranges::find(curve_costs(), "samples", &Cost::name));
  return kinds;
}

}  // namespace isthmus::analysis
