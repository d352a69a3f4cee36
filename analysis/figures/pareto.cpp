#include <algorithm>
#include <cmath>

#include "analysis/figures/curves.hpp"
#include "analysis/figures/kinds.hpp"
#include "analysis/figures/spec.hpp"
#include "analysis/statistics/front.hpp"

namespace isthmus::analysis {
namespace {

struct Candidate {
  const Group* group;
  std::string panel;
  CurvePoint point;
  bool on_front = false;
};

void mark_front(std::vector<Candidate>& candidates, const std::string& panel) {
  std::vector<std::size_t> members;
  std::vector<CostAndGain> values;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (candidates[i].panel != panel) continue;
    members.push_back(i);
    values.push_back({candidates[i].point.cost, candidates[i].point.quality.mean});
  }
  for (const std::size_t best : pareto_front(values)) candidates[members[best]].on_front = true;
}

Figure pareto(const std::string& name, const Cost& cost, const Dataset& dataset,
              const FigureOptions& options) {
  const Quality& quality = curve_qualities().front();
  const AxisRoles roles{{}, curve_irrelevant_axes(dataset, quality, cost)};
  const Panels panels =
      choose_panels(dataset, roles, options, options.width == FigureWidth::one_column ? 4 : 9);
  std::vector<Candidate> candidates;
  double least = INFINITY, most = 0, worst = INFINITY, best = -INFINITY;
  for (const PlacedGroup& placed : panels.groups) {
    for (const CurvePoint& point : mean_curve(*placed.group, quality, cost)) {
      if (point.cost <= 0) continue;  // before the first exchange
      candidates.push_back({placed.group, placed.panel, point});
      least = std::min(least, point.cost);
      most = std::max(most, point.cost);
      worst = std::min(worst, point.quality.mean);
      best = std::max(best, point.quality.mean);
    }
  }
  if (candidates.empty())
    throw NotApplicable("no run has a test accuracy and " + lowered(cost.title) + " in its history.csv");
  for (const std::string& panel : panels.labels) mark_front(candidates, panel);
  Table table({"series", "panel", "round", cost.column, "test_accuracy", "low", "high", "n", "on_front"});
  for (const Candidate& c : candidates) {
    table.add({c.group->series, c.panel, c.point.round, c.point.cost, c.point.quality.mean,
               c.point.quality.low, c.point.quality.high, c.point.quality.n, c.on_front});
  }
  const bool logarithmic = most >= 10 * least;
  Plot plot = plot_of("pareto", dataset, panels);
  plot.height = panels.labels.size() > 1 ? 120 : 170;
  set_field(plot.view, "cost", cost.column, cost.title);
  set_field(plot.view, "quality", quality.name, quality.title);
  fill_position(plot.view["encoding"]["x"], {.unit = cost.unit,
                                             .logarithmic = logarithmic,
                                             .low = logarithmic ? least : 0,
                                             .high = most,
                                             .from_zero = true});
  fill_position(plot.view["encoding"]["y"], {.unit = quality.unit, .low = worst, .high = best});
  fill_series(plot.view, dataset, present_series(dataset, table), options);
  const std::string caption = sentences(
      {"Test accuracy against " + lowered(cost.title) +
           ": each point is an evaluation, the line is the Pareto front (no other evaluation is as "
           "accurate for as little); points behind it are faint.",
       sample_note(panels.groups, "intervals are in the data"), panels.note, outcome_summary(panels.groups)});
  Json spec = make_spec(plot, table, options);
  return {name,
          "Accuracy against " + lowered(cost.title) + ": the Pareto front",
          caption,
          outcome_notes(dataset, panels.groups),
          std::move(spec),
          std::move(table)};
}

}  // namespace

std::vector<FigureKind> pareto_kinds() {
  std::vector<FigureKind> kinds;
  for (const auto& [name, cost_name] : {std::pair("pareto", "bytes"), std::pair("pareto-time", "time")}) {
    const Cost& cost = *std::ranges::find(curve_costs(), cost_name, &Cost::name);
    kinds.push_back(
        {name, "The Pareto front of accuracy and " + lowered(cost.title),
         [figure = std::string(name), cost](const Dataset& dataset, const FigureOptions& options) {
           return pareto(figure, cost, dataset, options);
         }});
  }
  return kinds;
}

}  // namespace isthmus::analysis
