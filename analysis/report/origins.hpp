#pragma once

#include <string>

#include "analysis/study/dataset.hpp"

namespace isthmus::analysis {

// Sections of the page, as HTML: what was run, and by what.

/// What all runs have in common, by JSON pointer; what they differ in; every scenario as it was given.
std::string configuration_section(const Dataset& data);

/// For each study: folder, command, times, build. Where the runs' numbers come from.
std::string provenance_section(const Dataset& data);

}  // namespace isthmus::analysis
