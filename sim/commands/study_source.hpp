#pragma once

#include "analysis/study/study.hpp"
#include "sim/commands/options.hpp"

namespace isthmus {

/// The study whose folder a command was given. Throws InputError if it is none.
analysis::Study read_study_argument(const CommandLine& line,
                                    analysis::RunFiles files = analysis::RunFiles::all);

}  // namespace isthmus
