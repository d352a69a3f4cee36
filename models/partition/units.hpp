#pragma once

#include <cstdint>
#include <vector>

#include "models/parameters.hpp"
#include "models/partition/partition.hpp"

namespace isthmus {

/// How residual blocks are dealt out.
struct UnitDeal {
  std::vector<int> sections = {3};  ///< whose blocks are dealt; those that cannot be left out never are
  int minimum_depth = 0;            ///< blocks that each worker has at least; at most as many as are dealt
  int holders = 1;  ///< each worker has the hands of so many, its own and its next neighbours'
};

/// The units that are dealt: the removable ones of these sections, as indices into layout.units().
std::vector<int> dealt_units(const ParameterLayout& layout, const std::vector<int>& sections);

/// ResIST's partition (Dun et al. 2022, and the authors' code): B blocks are dealt to S workers by cutting
/// random permutations of them, one after the other, into S consecutive hands of max(B / S, minimum_depth),
/// the remainder to the first workers. A block that comes twice in a hand counts once; a hand below the
/// minimum is filled up with others at random. Every block has an owner, several where the minimum asks for
/// more than B in all; workers have equally many, or one more (the first B mod S). All other parameters are
/// common to all workers. All ranks draw the same partition from the shared seed.
Partition draw_units(const ParameterLayout& layout, int workers, const UnitDeal& deal, std::uint64_t seed,
                     std::uint64_t round);

}  // namespace isthmus
