#pragma once

#include "analysis/figures/figure.hpp"
#include "sim/commands/options.hpp"

namespace isthmus {

// What commands that show studies share.

/// What to show of studies, and how.
struct FigureChoices {
  analysis::DatasetOptions data;
  analysis::FigureOptions figures;
};

/// The studies a command was given. Throws InputError where there is no run to show, or not what was chosen
/// to be shown, and says why.
analysis::Dataset read_studies(const std::vector<std::string>& folders, const FigureChoices& choices);

/// --x, --series, --facet, --baseline, --style.
void add_figure_options(CommandLine& line);
/// Throws InputError.
FigureChoices figure_choices(const CommandLine& line);

}  // namespace isthmus
