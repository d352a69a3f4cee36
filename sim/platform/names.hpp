#pragma once

#include <span>
#include <string>
#include <vector>

namespace isthmus {

/// For error messages: at most three of `names`, the nearest by edit distance first, as "'n-1', 'n-2'";
/// "none" if there are no names.
std::string nearest_names(const std::string& wanted, std::span<const std::string> names);

}  // namespace isthmus
