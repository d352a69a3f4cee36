#pragma once

#include <string>
#include <vector>

#include "analysis/study/dataset.hpp"

namespace isthmus::analysis {

/// What a study asked, and what its runs say to that, in words.
struct Answer {
  std::string question;
  std::vector<std::string> sentences;  ///< who wins where and by how much; where it turns; what did not fit
};

Answer answer(const Dataset& data);

/// What a reader must know before believing a figure: files missing, runs that failed or did not fit, targets
/// not reached, few seeds, different builds.
std::vector<std::string> reader_warnings(const Dataset& data);

}  // namespace isthmus::analysis
