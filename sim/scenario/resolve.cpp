#include "sim/scenario/resolve.hpp"

#include <utility>

#include "models/error.hpp"
#include "models/optimizer/optimizer.hpp"
#include "sim/scenario/checker.hpp"
#include "sim/scenario/messages.hpp"
#include "sim/scenario/schema_view.hpp"

namespace isthmus {

using nlohmann::json;
namespace fs = std::filesystem;

namespace {

/// A checked point with its defaults.
json complete(json point, const Checker& checker) {
  checker.check(point);
  check_sense(point);
  point.erase("$schema");
  point.erase("slurm");
  SchemaView(checker.schema()).fill_defaults(point);
  fill_dependent_defaults(point);
  return point;
}

Point resolve_point(const ScenarioDocument& fixed, const Sweep& sweep, const SweepPoint& swept,
                    const Checker& checker, const fs::path& base_folder) {
  Point point;
  point.swept = swept.values;
  point.labels = swept.labels;
  point.configuration = complete(at_point(fixed, sweep, swept), checker);
  point.scenario = read_configuration(point.configuration, base_folder);
  return point;
}

/// The message about a point, if something is wrong with it.
std::string problem_at(const ScenarioDocument& fixed, const Sweep& sweep, const SweepPoint& swept,
                       const Checker& checker, const fs::path& base_folder) {
  try {
    resolve_point(fixed, sweep, swept, checker, base_folder);
  } catch (const InputError& error) {
    return error.what();
  }
  return {};
}

/// Whether the place at the start of a message lies in what an axis sets, or holds it.
bool speaks_of_an_axis(const std::string& message, const SweptValues& values) {
  const std::string place = message.substr(0, message.find(": ")) + '/';
  for (const auto& [pointer, unused] : values) {
    const std::string axis = pointer + '/';
    if (place.starts_with(axis) || axis.starts_with(place)) return true;
  }
  return false;
}

void check_optimizer(const json& training) {
  if (!training.contains("optimizer")) return;
  for (const char* short_form : {"momentum", "nesterov", "weight_decay"}) {
    if (training.contains(short_form)) {
      throw InputError(std::string("/training/") + short_form,
                       "found beside \"optimizer\", whose own option it is; give it there");
    }
  }
  const json& optimizer = training.at("optimizer");
  const std::string kind = optimizer.at("kind");
  if (optimizer.value("nesterov", false) && optimizer.value("momentum", 0.0) == 0) {
    throw InputError("/training/optimizer/nesterov",
                     "found true; Nesterov's momentum needs \"momentum\" greater than 0");
  }
  if (training.value("optimizer_state", "") == "average" && make_optimizer(optimizer)->states() == 0) {
    throw InputError("/training/optimizer_state",
                     "found \"average\"; " + kind + " keeps nothing that could be averaged");
  }
}

}  // namespace

void check_sense(const json& point) {
  const json training = point.value("training", json::object());
  check_optimizer(training);
  if (training.value("nesterov", false) && training.value("momentum", 0.0) == 0) {
    throw InputError("/training/nesterov",
                     "found true; Nesterov's momentum needs \"momentum\" greater than 0");
  }
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
  if (!training.contains("epochs") && !training.contains("rounds")) training["epochs"] = 1;
  if (!training.contains("evaluate_every_rounds") && !training.contains("evaluate_every_epochs")) {
    training["evaluate_every_epochs"] = 1;
  }
  if (training.contains("optimizer")) {  // whose short form these are
    for (const char* short_form : {"momentum", "nesterov", "weight_decay"}) training.erase(short_form);
  }
}

std::vector<Point> resolve_points(const ScenarioDocument& scenario, const json& schema,
                                  const fs::path& base_folder) {
  const Checker checker(schema);
  if (!scenario.is_object()) checker.check(scenario);
  const Sweep sweep = read_sweep(scenario, schema);
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
      const std::string message = error.what();
      const bool everywhere = sweep.points.size() > 1 && !speaks_of_an_axis(message, swept.values) &&
                              problem_at(fixed, sweep, sweep.points.back(), checker, base_folder) == message;
      if (swept.values.empty() || everywhere) throw;
      throw InputError(message + " (at the point " + describe_values(swept.values, swept.labels) +
                       " of the sweep)");
    }
  }
  return result;
}

}  // namespace isthmus
