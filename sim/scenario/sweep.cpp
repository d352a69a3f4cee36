#include "sim/scenario/sweep.hpp"

#include "models/error.hpp"
#include "sim/scenario/messages.hpp"
#include "sim/scenario/resolve.hpp"
#include "sim/scenario/sweep_axes.hpp"
#include "sim/scenario/sweep_exclude.hpp"
#include "sim/scenario/sweep_texts.hpp"

namespace isthmus {
namespace {

using nlohmann::json;

constexpr std::size_t most_points = 100000;

std::size_t product_of(const std::vector<SweepGroup>& groups) {
  std::size_t count = 1;
  for (const SweepGroup& group : groups) {
    count *= group.size();
    if (count > most_points) {
      throw InputError("/sweep",
                       "more than " + std::to_string(most_points) + " points; sweep over fewer values");
    }
  }
  return count;
}

/// The points of the product: each of `points` with each position of the group.
std::vector<SweepPoint> multiply(const std::vector<SweepPoint>& points, const SweepGroup& group) {
  std::vector<SweepPoint> product;
  product.reserve(points.size() * group.size());
  for (const SweepPoint& point : points) {
    for (std::size_t i = 0; i < group.size(); ++i) {
      SweepPoint& next = product.emplace_back(point);
      for (const SweepAxis& axis : group.axes) {
        next.values.emplace_back(axis.pointer, axis.values[i]);
        if (!axis.labels.empty()) next.labels.emplace_back(axis.pointer, axis.labels[i]);
      }
    }
  }
  return product;
}

void exclude(Sweep& sweep, const ScenarioDocument& scenario, const Checker& checker) {
  ExclusionRules rules(scenario["sweep"]["exclude"], checker);
  ScenarioDocument fixed = scenario;
  fixed.erase("sweep");
  std::erase_if(sweep.points, [&](const SweepPoint& point) {
    json configuration = checker.with_defaults(at_point(fixed, sweep, point));
    fill_dependent_defaults(configuration);
    return rules.removes(configuration);
  });
  rules.require_use();
  if (sweep.points.empty()) {
    throw InputError("/sweep/exclude", "the rules remove all " + std::to_string(sweep.product) + " points");
  }
}

}  // namespace

Sweep read_sweep(const ScenarioDocument& scenario, const Checker& checker) {
  Sweep sweep;
  sweep.points.resize(1);
  if (!scenario.is_object() || !scenario.contains("sweep")) return sweep;
  const ScenarioDocument& text = scenario["sweep"];
  const SchemaView& view = checker.view();
  checker.check_itself(text, view.child(view.at_root(nullptr), "sweep", nullptr), "/sweep");
  sweep.groups = read_groups(text, checker);
  require_plain_texts(sweep.groups);
  sweep.product = product_of(sweep.groups);
  for (const SweepGroup& group : sweep.groups) sweep.points = multiply(sweep.points, group);
  if (text.contains("exclude")) exclude(sweep, scenario, checker);
  return sweep;
}

json at_point(const ScenarioDocument& fixed, const Sweep& sweep, const SweepPoint& point) {
  ScenarioDocument document = fixed;
  std::size_t i = 0;
  for (const SweepGroup& group : sweep.groups) {
    for (const SweepAxis& axis : group.axes) {
      set_at(document, axis.tokens, point.values[i++].second, axis.place);
    }
  }
  return document;
}

}  // namespace isthmus
