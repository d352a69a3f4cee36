#pragma once

#include "models/slices.hpp"
#include "models/values.hpp"

namespace isthmus {

/// Index taken around the ring: -1 is the last of `parts`.
inline std::size_t wrapped(int index, int parts) {
  return static_cast<std::size_t>(((index % parts) + parts) % parts);
}

/// How many of `count` values are in slice `index` (taken around the ring) of `parts`.
inline std::size_t slice_size(std::size_t count, int parts, int index) {
  return slice_of(count, static_cast<std::size_t>(parts), wrapped(index, parts)).second;
}

/// That slice of some values.
template <typename V>
V slice(V whole, int parts, int index) {
  const auto [offset, count] = slice_of(whole.size(), static_cast<std::size_t>(parts), wrapped(index, parts));
  return whole.slice(offset, count);
}

}  // namespace isthmus
