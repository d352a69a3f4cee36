#pragma once

#include <filesystem>

#include "sim/commands/options.hpp"
#include "sim/scenario/read.hpp"
#include "sim/study/trajectory_store.hpp"

namespace isthmus {

/// The scenario a command was given: a file, changed by any --set.
struct ScenarioSource {
  ScenarioDocument document;
  std::filesystem::path folder;  ///< of the file
};

void add_set_option(CommandLine& line);
ScenarioSource read_source(const CommandLine& line);

/// Adds --trajectories.
void add_trajectories_option(CommandLine& line);

/// The store that it names, or the usual one.
TrajectoryStore store_of(const CommandLine& line);

}  // namespace isthmus
