#pragma once

#include <string>
#include <string_view>

namespace isthmus {

/// The order people expect of names: n-2 before n-10.
bool natural_less(const std::string& a, const std::string& b);

/// How many characters to insert, delete, replace or swap with their neighbour to make one text the other.
std::size_t edit_distance(std::string_view a, std::string_view b);

std::string first_line(const std::string& text);

}  // namespace isthmus
