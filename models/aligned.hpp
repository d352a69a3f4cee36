#pragma once

#include <boost/align/aligned_allocator.hpp>
#include <vector>

namespace isthmus {

/// Numbers that begin on a cache line, as vector instructions like it.
using AlignedFloats = std::vector<float, boost::alignment::aligned_allocator<float, 64>>;

}  // namespace isthmus
