#pragma once

#include <cstddef>
#include <utility>

namespace isthmus {

/// Offset and length of part `index` when `total` things are cut into `parts` consecutive parts whose sizes
/// differ by at most one, larger ones first.
inline std::pair<std::size_t, std::size_t> slice_of(std::size_t total, std::size_t parts, std::size_t index) {
  const std::size_t size = total / parts, larger = total % parts;
  return {index * size + (index < larger ? index : larger), size + (index < larger ? 1 : 0)};
}

}  // namespace isthmus
