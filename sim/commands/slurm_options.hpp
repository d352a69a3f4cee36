#pragma once

#include "sim/commands/options.hpp"
#include "sim/scenario/read.hpp"

namespace isthmus {

/// `--executor slurm`, and what may go with it.
void add_slurm_options(CommandLine& line);

/// Whether the study is to go to Slurm. Throws InputError for an unknown executor, and for options of Slurm
/// without it.
bool wants_slurm(const CommandLine& line);

/// Puts what the command line asks of Slurm into the scenario's `slurm`, where it is checked with the rest.
void apply_slurm_options(const CommandLine& line, ScenarioDocument& scenario);

}  // namespace isthmus
