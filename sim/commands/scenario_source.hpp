#pragma once

#include <filesystem>

#include "sim/commands/options.hpp"
#include "sim/scenario/read.hpp"

namespace isthmus {

/// The scenario a command was given: a file, changed by any --set.
struct ScenarioSource {
  ScenarioDocument document;
  std::filesystem::path folder;  ///< of the file
};

void add_set_option(CommandLine& line);
ScenarioSource read_source(const CommandLine& line);

}  // namespace isthmus
