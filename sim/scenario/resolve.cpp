#include "sim/scenario/resolve.hpp"

#include <algorithm>
#include <utility>

#include "models/error.hpp"
#include "models/optimizer/optimizer.hpp"
#include "sim/scenario/messages.hpp"

namespace isthmus {

using nlohmann::json;
namespace fs = std::filesystem;

namespace {

Point resolve_point(const ScenarioDocument& fixed, const Sweep& sweep, const SweepPoint& swept,
                    const Checker& checker, const fs::path& base_folder) {
  json given = at_point(fixed, sweep, swept);
  checker.check(given);
  check_sense(given);
  given.erase("$schema");
  given.erase("slurm");
  Point point;
  point.swept = swept.values;
  point.labels = swept.labels;
  point.configuration = checker.with_defaults(std::move(given));
  fill_dependent_defaults(point.configuration);
  point.scenario = read_configuration(point.configuration, base_folder);
  return point;
}

/// Whether a place lies in what an axis sets, or holds it.
bool is_on_an_axis(const std::string& pointer, const SweptValues& values) {
  return std::ranges::any_of(values, [&, place = pointer + '/'](const auto& value) {
    const std::string axis = value.first + '/';
    return place.starts_with(axis) || axis.starts_with(place);
  });
}

/// Whether something is wrong with `swept` in the same words.
bool is_wrong_at(const SweepPoint& swept, const InputError& error, const ScenarioDocument& fixed,
                 const Sweep& sweep, const Checker& checker, const fs::path& base_folder) {
  try {
    resolve_point(fixed, sweep, swept, checker, base_folder);
  } catch (const InputError& other) {
    return other.place() == error.place() && other.text() == error.text();
  }
  return false;
}

void check_own_optimizer(const json& training) {
  if (!training.contains("optimizer")) return;
  for (const char* short_form : {"momentum", "nesterov", "weight_decay"}) {
    if (training.contains(short_form)) {
      throw InputError(std::string("/training/") + short_form,
                       "found beside \"optimizer\", whose own option it is; give it there");
    }
  }
  const json& optimizer = training.at("optimizer");
  const std::string kind = optimizer.at("kind");
  check_optimizer(optimizer, "/training/optimizer");
  if (training.value("optimizer_state", "") == "average" && make_optimizer(optimizer)->states() == 0) {
    throw InputError("/training/optimizer_state",
                     "found \"average\"; " + kind + " keeps nothing that could be averaged");
  }
}

}  // namespace

void check_sense(const json& point) {
  const json training = point.value("training", json::object());
  check_own_optimizer(training);
  check_optimizer(training, "/training");  // its short form
  if (training.value("optimizer_state", "") == "average" && !training.contains("optimizer") &&
      training.value("momentum", 0.0) == 0) {
    throw InputError("/training/optimizer_state",
                     "found \"average\"; there is none to average without \"momentum\" greater than 0");
  }
  const json milestones = training.value("schedule", json::object()).value("milestones", json::array());
  for (std::size_t i = 1; i < milestones.size(); ++i) {
    if (milestones[i] <= milestones[i - 1]) {
      throw InputError("/training/schedule/milestones/" + std::to_string(i),
                       "found " + milestones[i].dump() + " after " + milestones[i - 1].dump() +
                           "; milestones must increase");
    }
  }
}

void fill_dependent_defaults(json& configuration) {
  json& training = configuration["training"];
  if (!training.is_object()) return;  // a point that is not right, and may be excluded
  if (!training.contains("epochs") && !training.contains("rounds")) training["epochs"] = 1;
  if (!training.contains("evaluate_every_rounds") && !training.contains("evaluate_every_epochs")) {
    training["evaluate_every_epochs"] = 1;
  }
  if (training.contains("optimizer")) {  // whose short form these are
    for (const char* short_form : {"momentum", "nesterov", "weight_decay"}) training.erase(short_form);
  }
}

std::vector<Point> resolve_points(const ScenarioDocument& scenario, const Checker& checker,
                                  const fs::path& base_folder) {
  if (!scenario.is_object()) checker.check(scenario);
  const Sweep sweep = read_sweep(scenario, checker);
  ScenarioDocument fixed = scenario;  // without the sweep, which is not to be copied for each point
  fixed.erase("sweep");

  std::vector<Point> result;
  result.reserve(sweep.points.size());
  for (const SweepPoint& swept : sweep.points) {
    try {
      result.push_back(resolve_point(fixed, sweep, swept, checker, base_folder));
      Point& point = result.back();
      point.id = point_id(result.size() - 1, sweep.points.size(), swept, point.scenario.protocol.at("kind"));
    } catch (const InputError& error) {
      const bool everywhere = swept.values.empty() ||
                              (sweep.points.size() > 1 && !is_on_an_axis(error.place(), swept.values) &&
                               is_wrong_at(sweep.points.back(), error, fixed, sweep, checker, base_folder));
      if (everywhere) throw;
      throw InputError(error.place(), error.text() + " (at the point " +
                                          describe_values(swept.values, swept.labels) + " of the sweep)");
    }
  }
  return result;
}

}  // namespace isthmus
