#pragma once

#include <filesystem>
#include <string>

#include "analysis/figures/figure.hpp"

namespace isthmus::analysis {

struct ReportOptions {
  FigureOptions figures;
  std::filesystem::path file;  ///< where it will be written: links to runs are relative to it
  std::string generator;       ///< "isthmus 0.1.0 (...)"
};

struct ReportPage {
  std::string html;
  std::string warning;  ///< why figures are missing, or empty
};

/// One page of HTML that tells what a study found; it needs no network and no other file. Links lead to the
/// files of the runs, where they are.
ReportPage make_report(const Dataset& data, const ReportOptions& options);

}  // namespace isthmus::analysis
