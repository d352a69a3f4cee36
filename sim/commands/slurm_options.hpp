#pragma once

#include "sim/commands/options.hpp"
#include "sim/scenario/read.hpp"
#include "sim/study/study.hpp"

namespace isthmus {

/// `--executor slurm`, and what may go with it.
void add_slurm_options(CommandLine& line);

/// Whether the study is to go to Slurm. Throws InputError for an unknown executor, and for options of Slurm
/// without it.
bool wants_slurm(const CommandLine& line);

/// Puts what the command line asks of Slurm into the scenario's `slurm`, where it is checked with the rest.
void apply_slurm_options(const CommandLine& line, ScenarioDocument& scenario);

/// Submits the study, or shows with --dry-run what it would submit. Returns the exit code.
int run_on_slurm(const CommandLine& line, const StudyOptions& options);

}  // namespace isthmus
