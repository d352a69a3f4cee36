#pragma once

#include <string>

namespace isthmus {

/// The order people expect of names: n-2 before n-10.
bool natural_less(const std::string& a, const std::string& b);

std::string first_line(const std::string& text);

}  // namespace isthmus
