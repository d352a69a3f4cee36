#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sim/scenario/checker.hpp"
#include "sim/scenario/read.hpp"
#include "sim/scenario/scenario.hpp"
#include "sim/scenario/sweep.hpp"

namespace isthmus {

/// One run to be: a point of the sweep with every default filled in and every unit read.
struct Point {
  std::string id;                ///< number and swept values: letters, digits, '-', '_' and '.'
  SweptValues swept;             ///< JSON pointer and value, in the order of the axes
  SweptLabels labels;            ///< of those swept values that have one
  nlohmann::json configuration;  ///< the scenario of this point with its defaults, without `sweep`, `slurm`
                                 ///< and `$schema`
  Scenario scenario;
  /// What options that were "auto" became, and why; null if none was.
  nlohmann::json chosen = nullptr;
};

/// All points of a scenario, each checked by the schema, in `checker`, and for sense. `base_folder` is that of the scenario
/// file: a relative platform file starts there. Anything wrong is an InputError; in a sweep it names the
/// point, too.
std::vector<Point> resolve_points(const ScenarioDocument& scenario, const Checker& checker,
                                  const std::filesystem::path& base_folder);

/// What the schema cannot say of a point, before defaults are filled in: options that go together.
void check_sense(const nlohmann::json& point);

/// Adds the defaults that depend on other options and so are not in the schema.
void fill_dependent_defaults(nlohmann::json& configuration);

/// The network options that a scenario's `network` says, checked by the schema and with its defaults, for
/// what has no scenario. Throws InputError.
NetworkOptions read_network_options(const nlohmann::json& network);

/// Reads a configuration that has been checked and completed.
Scenario read_configuration(const nlohmann::json& configuration, const std::filesystem::path& base_folder);

}  // namespace isthmus
