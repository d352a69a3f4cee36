#pragma once

#include <filesystem>

#include "sim/commands/options.hpp"
#include "sim/scenario/read.hpp"
#include "sim/study/trajectory_store.hpp"

namespace isthmus {

/// The scenario a command was given: a file, or the name of one that comes with the program, changed by any
/// --set.
struct ScenarioSource {
  ScenarioDocument document;
  std::filesystem::path folder;  ///< where its relative paths start: that of the file, unless told otherwise
};

void add_scenario_options(CommandLine& line);
ScenarioSource read_source(const CommandLine& line);
/// The same of a file or name, as it is.
ScenarioSource read_source(const std::string& file_or_name);

/// Adds --trajectories.
void add_trajectories_option(CommandLine& line);

/// The store that it names, or the usual one.
TrajectoryStore store_of(const CommandLine& line);

}  // namespace isthmus
