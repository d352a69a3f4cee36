#include "models/aligned.hpp"

#include <sys/mman.h>

#include <new>

namespace isthmus {
namespace {

constexpr std::size_t cache_line = 64;
constexpr std::size_t huge_page = std::size_t{2} << 20;  // of x86-64

}  // namespace

void* allocate_aligned(std::size_t bytes) {
  const bool large = bytes >= huge_page;
  const std::size_t alignment = large ? huge_page : cache_line;
  const std::size_t whole_lines = (bytes + cache_line - 1) / cache_line * cache_line;
  void* memory = std::aligned_alloc(alignment, whole_lines);
  if (!memory) throw std::bad_alloc();
  // A wish: where it is refused, pages are small.
  if (large) madvise(memory, whole_lines, MADV_HUGEPAGE);
  return memory;
}

}  // namespace isthmus
