#pragma once

#include <string>
#include <vector>

namespace isthmus::analysis {

std::string percent(double fraction);       ///< "83.2 %"
std::string points(double difference);      ///< of fractions: "2.1 percentage points"
std::string lower_first(std::string text);  ///< but not of "SGD"
std::string upper_first(std::string text);
/// "a", "a and b", "a, b and c".
std::string enumerate(const std::vector<std::string>& items);
/// With a full stop where it ends in no mark.
std::string as_sentence(std::string text);

/// What to do about a target that was met at the first test.
extern const char* const test_more_often;

}  // namespace isthmus::analysis
