#pragma once

#include <string>

#include "analysis/statistics/contest.hpp"

namespace isthmus::analysis {

/// What a winner's speed costs, as a sentence: its accuracy in the end against the best, and its bytes
/// against those of who sends most; as ranges where these differ between settings. Empty where there is
/// nothing to say.
std::string price(const Dataset& data, const Contests& contests, const std::string& winner);

}  // namespace isthmus::analysis
