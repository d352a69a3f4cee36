#include "models/random.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <numeric>
#include <set>

#include "models/slices.hpp"

using namespace isthmus;

namespace random_test {
namespace {

std::vector<std::uint64_t> draw(Random random, int count = 4) {
  std::vector<std::uint64_t> numbers;
  for (int i = 0; i < count; ++i) numbers.push_back(random());
  return numbers;
}

}  // namespace

TEST_CASE("Streams differ by seed, purpose, rank and round", "[random]") {
  std::set<std::uint64_t> first;
  std::size_t streams = 0;
  for (const std::uint64_t seed : {0ULL, 1ULL, 2ULL, 1ULL << 32U, (1ULL << 32U) + 1}) {
    for (const char* purpose : {"", "a", "b", "ab", "ba", "neurons", "batches"}) {
      for (const std::uint64_t rank : {0ULL, 1ULL, 2ULL, 1000ULL, 1ULL << 32U}) {
        for (const std::uint64_t round : {0ULL, 1ULL, 2ULL, 1ULL << 32U}) {
          for (const std::uint64_t number : draw(random_stream(seed, purpose, rank, round)))
            first.insert(number);
          ++streams;
        }
      }
    }
  }
  CHECK(first.size() == 4 * streams);  // 64-bit numbers: one in 10^13 to meet by chance
}

TEST_CASE("A stream is the same whenever it is asked for", "[random]") {
  const auto expected = draw(random_stream(7, "batches", 3, 2));
  Random other = random_stream(7, "split", 3, 2);
  other.discard(1000);
  CHECK(draw(random_stream(7, "batches", 3, 2)) == expected);
  CHECK(draw(random_stream(7, "batches", 3, 2), 2) == std::vector(expected.begin(), expected.begin() + 2));
}

TEST_CASE("Shuffling makes every order equally likely", "[random]") {
  std::map<std::vector<int>, int> seen;
  Random random = random_stream(1, "test");
  constexpr int trials = 24000;
  for (int i = 0; i < trials; ++i) {
    std::vector<int> items = {0, 1, 2, 3};
    shuffle(items, random);
    ++seen[items];
  }
  CHECK(seen.size() == 24);
  double chi_square = 0;  // 23 degrees of freedom: mean 23, deviation 6.8
  for (const auto& [order, count] : seen) chi_square += std::pow(count - trials / 24.0, 2) / (trials / 24.0);
  CHECK(chi_square < 50);
  CHECK(chi_square > 5);  // nor too regular to be random
}

TEST_CASE("Slices are consecutive, cover all, and differ by at most one, larger ones first", "[slices]") {
  for (std::size_t total = 0; total <= 40; ++total) {
    for (std::size_t parts = 1; parts <= 13; ++parts) {
      CAPTURE(total, parts);
      std::size_t end = 0, last = total;
      for (std::size_t i = 0; i < parts; ++i) {
        const auto [begin, size] = slice_of(total, parts, i);
        CHECK(begin == end);
        CHECK((size == total / parts || size == total / parts + 1));
        CHECK(size <= last);
        end += size;
        last = size;
      }
      CHECK(end == total);
    }
  }
}

}  // namespace random_test
