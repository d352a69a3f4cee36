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
  const std::size_t unit = large ? huge_page : cache_line;
  const std::size_t whole_units = (bytes + unit - 1) / unit * unit;
  void* memory = std::aligned_alloc(unit, whole_units);
  if (!memory) throw std::bad_alloc();
  if (large) madvise(memory, whole_units, MADV_HUGEPAGE);  // a wish: if refused, pages are small
  return memory;
}

}  // namespace isthmus
