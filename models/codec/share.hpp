#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <nlohmann/json.hpp>

namespace isthmus {

/// How many of `count` values a share of them is: at least one.
inline std::size_t kept_of(double share, std::size_t count) {
  constexpr double hair = 1e-9;  // 0.29 * 100 is 29
  const double wanted = std::floor(share * static_cast<double>(count) + hair);
  return std::min(count, std::max(static_cast<std::size_t>(wanted), std::size_t{1}));
}

/// JSON Schema of the option `share`.
inline nlohmann::json share_schema(const char* description) {
  return {{"description", description},
          {"type", "number"},
          {"exclusiveMinimum", 0},
          {"maximum", 1},
          {"default", 0.01}};
}

}  // namespace isthmus
