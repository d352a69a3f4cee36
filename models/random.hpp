#pragma once

#include <boost/random/uniform_int_distribution.hpp>
#include <cstdint>
#include <random>
#include <string_view>
#include <utility>
#include <vector>

namespace isthmus {

/// Distributions come from Boost.Random: unlike those of <random>, they give the same numbers everywhere.
using Random = std::mt19937_64;

/// The stream of random numbers for one purpose of one rank (and one round), independent of all others: to
/// change how one thing draws does not shift another.
Random random_stream(std::uint64_t seed, std::string_view purpose, std::uint64_t rank = 0,
                     std::uint64_t round = 0);

/// One of 2^24 numbers from 0 to less than 1.
inline float uniform(Random& random) { return static_cast<float>(random() >> 40U) * 0x1p-24F; }

/// Fisher-Yates; std::shuffle may differ between standard libraries.
template <typename T>
void shuffle(std::vector<T>& items, Random& random) {
  for (std::size_t i = items.size(); i > 1; --i) {
    std::swap(items[i - 1], items[boost::random::uniform_int_distribution<std::size_t>(0, i - 1)(random)]);
  }
}

}  // namespace isthmus
