#pragma once

#include <span>
#include <string>
#include <vector>

namespace isthmus {

/// For error messages: at most three of `names`, the nearest by edit distance first, as "'n-1', 'n-2'";
/// "none" if there are no names.
std::string nearest_names(const std::string& wanted, std::span<const std::string> names);

/// What a platform file may call a link of SimGrid's: its own name, and if that ends in a direction what a
/// split-duplex link would be called.
std::vector<std::string> declared_names(const std::string& link);

}  // namespace isthmus
