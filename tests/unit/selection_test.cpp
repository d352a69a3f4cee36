#include "models/partition/selection.hpp"

#include <catch2/catch.hpp>
#include <numeric>
#include <optional>
#include <set>

#include "models/partition/partition.hpp"
#include "models/random.hpp"

using namespace isthmus;

namespace selection_test {
namespace {

/// Two axes of neurons, one of inputs; a matrix over each pair, vectors, statistics.
ParameterLayout some_layout() {
  ParameterLayout layout;
  const int in = layout.add_axis("in", 5), a = layout.add_axis("a", 7, AxisKind::neurons),
            b = layout.add_axis("b", 6, AxisKind::neurons);
  layout.add("first", a, in);
  layout.add("vector", a);
  layout.add("second", b, a);
  layout.add("last", in, b);
  layout.add("statistics", b, 0, 1, false);
  return layout;
}

IndexSet random_indices(Index size, Random& random) {
  const auto below = [&](Index end) {
    return boost::random::uniform_int_distribution<Index>(0, end - 1)(random);
  };
  if (below(2) == 0) {
    const Index begin = below(size);
    return IndexSet::range(begin, below(size - begin + 1));
  }
  std::vector<Index> list;
  for (Index i = 0; i < size; ++i) {
    if (below(3) > 0) list.push_back(i);
  }
  return IndexSet::list(std::move(list));
}

Selection random_selection(const ParameterLayout& layout, Random& random) {
  std::vector<BlockSelection> blocks;
  for (std::size_t i = 0; i < layout.blocks().size(); ++i) {
    const ParameterBlock& block = layout.blocks()[i];
    if (random() % 4 == 0) continue;
    blocks.push_back({i, random_indices(block.rows, random), random_indices(block.columns, random)});
  }
  return Selection(std::move(blocks));
}

/// Places in the whole flat vector, in packed order; written without Transfer.
std::vector<std::size_t> places(const Selection& selection, const ParameterLayout& layout) {
  std::vector<std::size_t> result;
  for (const BlockSelection& chosen : selection.blocks()) {
    const ParameterBlock& block = layout.blocks()[chosen.block];
    for (Index i = 0; i < chosen.rows.size(); ++i) {
      for (Index j = 0; j < chosen.columns.size(); ++j) {
        result.push_back(block.offset +
                         static_cast<std::size_t>(chosen.rows[i] * block.columns + chosen.columns[j]));
      }
    }
  }
  return result;
}

std::vector<float> counting(std::size_t size, float first = 0) {
  std::vector<float> values(size);
  std::iota(values.begin(), values.end(), first);
  return values;
}

}  // namespace

TEST_CASE("Everything is the whole vector in order", "[selection]") {
  const ParameterLayout layout = some_layout();
  const Selection all = Selection::everything(layout);
  CHECK(all.size() == layout.size());
  const auto order = places(all, layout);
  for (std::size_t i = 0; i < order.size(); ++i) REQUIRE(order[i] == i);
}

TEST_CASE("Empty blocks are dropped", "[selection]") {
  const Selection selection(
      {{0, IndexSet::range(0, 2), IndexSet::range(0, 0)}, {2, IndexSet::range(1, 2), IndexSet::range(0, 3)}});
  CHECK(selection.blocks().size() == 1);
  CHECK(selection.size() == 6);
  CHECK(selection.find(0) == nullptr);
  CHECK(selection.find(1) == nullptr);
  REQUIRE(selection.find(2) != nullptr);
  CHECK(selection.find(2)->rows.size() == 2);
  CHECK(selection.find(3) == nullptr);
  CHECK(Selection().empty());
}

TEST_CASE("Transfers between the whole vector, selections and parts of them", "[selection]") {
  const ParameterLayout layout = some_layout();
  Random random = random_stream(1, "test");
  for (int trial = 0; trial < 300; ++trial) {
    const Selection held = random_selection(layout, random), other = random_selection(layout, random);
    const Selection what = intersection(held, other);
    // The intersection has exactly the common places.
    const auto of_held = places(held, layout), of_other = places(other, layout),
               of_what = places(what, layout);
    const std::set<std::size_t> in_held(of_held.begin(), of_held.end()),
        in_other(of_other.begin(), of_other.end());
    std::set<std::size_t> common;
    for (const std::size_t place : in_held) {
      if (in_other.contains(place)) common.insert(place);
    }
    REQUIRE(what.size() == common.size());
    REQUIRE(std::set<std::size_t>(of_what.begin(), of_what.end()) == common);

    // Gathered from the whole: the values at those places, in packed order.
    const auto whole = counting(layout.size());
    const Transfer from_whole(held, Selection::everything(layout)), part(what, held);
    REQUIRE(from_whole.size() == held.size());
    std::vector<float> packed(held.size(), -1);
    from_whole.gather(whole, packed);
    for (std::size_t i = 0; i < packed.size(); ++i) REQUIRE(packed[i] == static_cast<float>(of_held[i]));

    // Gathered once more from what is held.
    std::vector<float> piece(what.size(), -1);
    part.gather(packed, piece);
    for (std::size_t i = 0; i < piece.size(); ++i) REQUIRE(piece[i] == static_cast<float>(of_what[i]));

    // Scattered back: those places and no others.
    const auto fresh = counting(what.size(), 1000);
    std::vector<float> held_again = packed;
    part.scatter(fresh, held_again);
    std::vector<float> whole_again = whole, expected = whole;
    from_whole.scatter(held_again, whole_again);
    for (std::size_t i = 0; i < fresh.size(); ++i) expected[of_what[i]] = fresh[i];
    REQUIRE(whole_again == expected);

    // And gather after scatter is the identity.
    std::vector<float> back(what.size(), -1);
    part.gather(held_again, back);
    REQUIRE(back == fresh);
  }
}

TEST_CASE("Phantoms are left alone", "[selection]") {
  const ParameterLayout layout = some_layout();
  const Selection all = Selection::everything(layout);
  const Transfer transfer(all, all);
  auto values = counting(layout.size());
  const Values phantom = Values::phantom(layout.size());
  transfer.gather(phantom, values);
  transfer.scatter(phantom, values);
  transfer.gather(values, phantom);
  transfer.scatter(values, phantom);
  transfer.accumulate(phantom, values, [](std::size_t) { return Turn{0, 2}; });
  transfer.accumulate(values, phantom, [](std::size_t) { return Turn{0, 2}; });
  CHECK(values == counting(layout.size()));
}

TEST_CASE("Accumulating in turns gives the mean over sharers", "[selection]") {
  const ParameterLayout layout = some_layout();
  Random random = random_stream(2, "test");
  const Selection all = Selection::everything(layout);
  for (int count = 1; count <= 5; ++count) {
    const Selection what = random_selection(layout, random);
    const auto order = places(what, layout);
    std::vector<float> whole(layout.size(), 99);  // must not enter the mean
    std::vector<double> expected(layout.size(), 99);
    for (const std::size_t place : order) expected[place] = 0;
    for (int turn = 0; turn < count; ++turn) {
      auto packed = counting(what.size(), static_cast<float>(turn * turn));
      for (std::size_t i = 0; i < order.size(); ++i)
        expected[order[i]] += static_cast<double>(packed[i]) / count;
      Transfer(what, all).accumulate(packed, whole, [&](std::size_t) { return Turn{turn, count}; });
    }
    for (std::size_t i = 0; i < whole.size(); ++i) {
      REQUIRE(static_cast<double>(whole[i]) == Approx(expected[i]).epsilon(1e-6));
    }
  }
}

TEST_CASE("Each block has turns of its own", "[selection]") {
  const ParameterLayout layout = some_layout();
  const Selection all = Selection::everything(layout);
  const Transfer transfer(all, all);
  std::vector<float> whole(layout.size(), 99);
  const auto turn_of = [](int worker) {
    return [worker](std::size_t block) { return block == 1 ? Turn{worker, 2} : Turn{}; };
  };
  transfer.accumulate(std::vector<float>(layout.size(), 2), whole, turn_of(0));
  transfer.accumulate(std::vector<float>(layout.size(), 4), whole, turn_of(1));
  const ParameterBlock& averaged = layout.blocks()[1];
  for (std::size_t i = 0; i < whole.size(); ++i) {
    const bool inside = i >= averaged.offset && i < averaged.offset + averaged.size();
    REQUIRE(whole[i] == (inside ? 3.0f : 4.0f));
  }
}

TEST_CASE("Turns of a partition: ascending among those who share a block", "[partition]") {
  const auto all = IndexSet::range(0, 3), none = IndexSet::range(0, 0);
  // Block 0 is dealt out entry by entry; 1 shared by all; 2 by workers 1 and 3; 3 by worker 2 alone.
  std::vector<Selection> parts;
  for (int worker = 0; worker < 4; ++worker) {
    parts.push_back(Selection({{0, IndexSet::range(worker, 1), all},
                               {1, all, all},
                               {2, worker % 2 == 1 ? all : none, all},
                               {3, worker == 2 ? all : none, all}}));
  }
  const Partition partition(parts, {false, true, true, true});
  CHECK(partition.workers() == 4);
  CHECK(partition.sharers(0).empty());
  CHECK(partition.sharers(1) == std::vector{0, 1, 2, 3});
  CHECK(partition.sharers(2) == std::vector{1, 3});
  CHECK(partition.sharers(3) == std::vector{2});
  const auto turn = [&](int worker, std::size_t block) {
    const Turn t = partition.turn(worker, block);
    return std::pair(t.index, t.count);
  };
  for (int worker = 0; worker < 4; ++worker) {
    CHECK(turn(worker, 0) == std::pair(0, 1));
    CHECK(turn(worker, 1) == std::pair(worker, 4));
  }
  CHECK(turn(1, 2) == std::pair(0, 2));
  CHECK(turn(3, 2) == std::pair(1, 2));
  CHECK(turn(2, 3) == std::pair(0, 1));
}

}  // namespace selection_test
