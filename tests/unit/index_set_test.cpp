#include "models/partition/index_set.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <iterator>
#include <set>

#include "models/random.hpp"

using namespace isthmus;

namespace index_set_test {
namespace {

using Plain = std::set<Index>;

Plain plain(const IndexSet& set) {
  Plain result;
  for (Index i = 0; i < set.size(); ++i) result.insert(set[i]);
  return result;
}

Plain common_of(const Plain& a, const Plain& b) {
  Plain common;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::inserter(common, common.end()));
  return common;
}

/// A range or list within 0 .. 30, sometimes empty; or a list's slice, as an intersection leaves it.
IndexSet random_set(Random& random) {
  const auto below = [&](Index end) {
    return boost::random::uniform_int_distribution<Index>(0, end - 1)(random);
  };
  const Index kind = below(3);
  if (kind == 0) {
    const Index begin = below(30);
    return IndexSet::range(begin, below(31 - begin));
  }
  std::vector<Index> list;
  const Index share = 1 + below(6);
  for (Index i = 0; i < 30; ++i) {
    if (below(share) == 0) list.push_back(i);
  }
  const IndexSet set = IndexSet::list(std::move(list));
  return kind == 1 ? set : intersection(set, IndexSet::range(below(15), below(20)));
}

}  // namespace

TEST_CASE("Ranges and lists", "[index_set]") {
  CHECK(plain(IndexSet::range(3, 4)) == Plain{3, 4, 5, 6});
  CHECK(IndexSet::range(3, 4).is_range());
  CHECK(plain(IndexSet::list({1, 4, 9})) == Plain{1, 4, 9});
  CHECK_FALSE(IndexSet::list({1, 4, 9}).is_range());
  CHECK(IndexSet::list({1, 4, 9})[1] == 4);
  CHECK(IndexSet().empty());
  CHECK(IndexSet::range(5, 0).empty());
  CHECK(IndexSet::list({}).empty());
}

TEST_CASE("Intersections are those of sets", "[index_set]") {
  Random random = random_stream(1, "test");
  int non_empty = 0;
  for (int i = 0; i < 5000; ++i) {
    const IndexSet a = random_set(random), b = random_set(random);
    const Plain expected = common_of(plain(a), plain(b));
    const IndexSet common = intersection(a, b);
    REQUIRE(static_cast<std::size_t>(common.size()) == expected.size());
    REQUIRE(plain(common) == expected);
    // And once more, as with a home's share of a worker's share.
    const IndexSet c = random_set(random);
    REQUIRE(plain(intersection(common, c)) == common_of(expected, plain(c)));
    non_empty += expected.empty() ? 0 : 1;
  }
  CHECK(non_empty > 1000);
}

TEST_CASE("Positions of a subset", "[index_set]") {
  Random random = random_stream(2, "test");
  for (int i = 0; i < 5000; ++i) {
    const IndexSet container = random_set(random);
    const IndexSet part = intersection(random_set(random), container);
    const IndexSet positions = part.positions_in(container);
    REQUIRE(positions.size() == part.size());
    for (Index j = 0; j < part.size(); ++j) {
      REQUIRE(positions[j] >= 0);
      REQUIRE(positions[j] < container.size());
      REQUIRE(container[positions[j]] == part[j]);
    }
  }
}

}  // namespace index_set_test
