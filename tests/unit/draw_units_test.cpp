// ResIST's partition of residual blocks.

#include <catch2/catch.hpp>
#include <cmath>
#include <set>

#include "models/partition/units.hpp"

using namespace isthmus;

namespace draw_units_test {
namespace {

/// Sections of so many blocks of two matrices each, between a stem and a head; the first block of all but the
/// first section changes the shape. Running statistics come last, as they do in networks.
ParameterLayout blocks_in(const std::vector<int>& sections) {
  ParameterLayout layout;
  const int axis = layout.add_axis("features", 2), single = layout.add_axis("one", 1);
  for (std::size_t section = 0; section < sections.size(); ++section) {
    for (int block = 0; block < sections[section]; ++block) {
      layout.add_unit({.name = std::to_string(section + 1) + "." + std::to_string(block + 1),
                       .section = static_cast<int>(section) + 1,
                       .removable = section == 0 || block > 0});
    }
  }
  const auto units = static_cast<int>(layout.units().size());
  layout.add("stem", axis, single);
  for (int unit = 0; unit < units; ++unit) {
    layout.set_unit(unit);
    layout.add("first" + std::to_string(unit), axis, axis);
    layout.add("second" + std::to_string(unit), single, axis);
  }
  layout.set_unit(-1);
  layout.add("head", single, axis);
  for (int unit = 0; unit < units; ++unit) {
    layout.set_unit(unit);
    layout.add("mean" + std::to_string(unit), axis, 0, 1, false);
  }
  return layout;
}

/// Units of which a worker has anything; it must have all of each.
std::set<int> units_of(const Selection& part, const ParameterLayout& layout) {
  std::set<int> units;
  for (const BlockSelection& chosen : part.blocks()) {
    const ParameterBlock& block = layout.blocks()[chosen.block];
    CHECK(chosen.rows.size() == block.rows);
    CHECK(chosen.columns.size() == block.columns);
    if (block.unit >= 0) units.insert(block.unit);
  }
  for (std::size_t i = 0; i < layout.blocks().size(); ++i) {
    const int unit = layout.blocks()[i].unit;
    CHECK((part.find(i) != nullptr) == (unit < 0 || units.contains(unit)));
  }
  return units;
}

std::vector<std::size_t> hand_sizes(const ParameterLayout& layout, int workers, const UnitDeal& deal,
                                    std::uint64_t seed, std::uint64_t round) {
  const Partition partition = draw_units(layout, workers, deal, seed, round);
  const std::vector<int> dealt = dealt_units(layout, deal.sections);
  const std::set<int> all(dealt.begin(), dealt.end());
  std::set<int> owned;
  std::vector<std::size_t> sizes;
  for (int worker = 0; worker < workers; ++worker) {
    std::size_t size = 0;
    for (const int unit : units_of(partition.part(worker), layout)) {
      if (all.contains(unit)) ++size, owned.insert(unit);
    }
    sizes.push_back(size);
  }
  CHECK(owned == all);
  return sizes;
}

using Sizes = std::vector<std::size_t>;

const ParameterLayout resnet101 = blocks_in({3, 4, 23, 3});

}  // namespace

TEST_CASE("Of ResNet101 the 22 ordinary blocks of section 3 are dealt", "[units]") {
  const std::vector<int> dealt = dealt_units(resnet101, {3});
  CHECK(dealt.size() == 22);
  CHECK(dealt.front() == 8);
  CHECK(dealt.back() == 29);
  CHECK(dealt_units(resnet101, {1, 2, 3, 4}).size() == 3 + 3 + 22 + 2);
  CHECK(dealt_units(resnet101, {4, 1}) == std::vector<int>{0, 1, 2, 31, 32});
  CHECK(dealt_units(resnet101, {5}).empty());
}

TEST_CASE("Workers get as many blocks as in the authors' code", "[units]") {
  for (std::uint64_t round = 1; round <= 50; ++round) {
    const auto sizes = [&](int workers, int minimum) {
      return hand_sizes(resnet101, workers, {.minimum_depth = minimum}, 3, round);
    };
    CHECK(sizes(1, 0) == Sizes{22});
    CHECK(sizes(2, 0) == Sizes{11, 11});
    CHECK(sizes(4, 0) == Sizes{6, 6, 5, 5});
    CHECK(sizes(8, 0) == Sizes{3, 3, 3, 3, 3, 3, 2, 2});
    CHECK(sizes(2, 11) == Sizes{11, 11});
    CHECK(sizes(4, 5) == Sizes{6, 6, 5, 5});
    CHECK(sizes(4, 6) == Sizes(4, 6));
    CHECK(sizes(8, 4) == Sizes(8, 4));
    CHECK(sizes(2, 16) == Sizes(2, 16));
    CHECK(sizes(3, 22) == Sizes(3, 22));
    CHECK(sizes(30, 0)[21] == 1);
    CHECK(sizes(30, 0)[22] == 0);
    CHECK(sizes(30, 1) == Sizes(30, 1));
  }
}

TEST_CASE("Any minimum up to all blocks is met, and no block is without an owner", "[units]") {
  const ParameterLayout layout = blocks_in({2, 4, 5});
  for (const int workers : {1, 2, 3, 5, 8}) {
    for (int minimum = 0; minimum <= 9; ++minimum) {
      for (std::uint64_t round = 1; round <= 5; ++round) {
        const Sizes sizes =
            hand_sizes(layout, workers, {.sections = {1, 2, 3}, .minimum_depth = minimum}, 1, round);
        for (const std::size_t size : sizes) {
          CHECK(size >= static_cast<std::size_t>(std::max(minimum, 9 / workers)));
          CHECK(size <= static_cast<std::size_t>(std::max(minimum, 9 / workers + 1)));
        }
      }
    }
  }
}

TEST_CASE("What is not dealt is common to all workers, a mean is over a block's owners", "[units]") {
  const int workers = 4;
  const Partition partition = draw_units(resnet101, workers, {.minimum_depth = 9}, 1, 1);
  const std::vector<int> dealt = dealt_units(resnet101, {3});
  for (std::size_t block = 0; block < resnet101.blocks().size(); ++block) {
    const bool is_dealt = std::ranges::find(dealt, resnet101.blocks()[block].unit) != dealt.end();
    CHECK((partition.common().find(block) == nullptr) == is_dealt);
    std::vector<int> owners;
    for (int worker = 0; worker < workers; ++worker) {
      if (partition.part(worker).find(block)) owners.push_back(worker);
    }
    CHECK(partition.sharers(block) == owners);
    if (!is_dealt) CHECK(owners.size() == 4);
    for (std::size_t i = 0; i < owners.size(); ++i) {
      CHECK(partition.turn(owners[i], block).index == static_cast<int>(i));
      CHECK(partition.turn(owners[i], block).count == static_cast<int>(owners.size()));
    }
  }
  const Partition whole = undivided(resnet101, 3);
  CHECK(whole.part(2).size() == resnet101.size());
  CHECK(whole.common().size() == resnet101.size());
  CHECK(whole.turn(1, 5).count == 3);
}

TEST_CASE("Every block is as likely as another to go to a worker, and pairs are too", "[units]") {
  constexpr int draws = 4000, workers = 4, minimum = 7;
  const std::vector<int> dealt = dealt_units(resnet101, {3});
  for (const int worker : {0, 1, 3}) {
    std::vector<int> times(resnet101.units().size());
    int together = 0;  // the first two dealt blocks
    for (std::uint64_t round = 1; round <= draws; ++round) {
      const Partition partition = draw_units(resnet101, workers, {.minimum_depth = minimum}, 5, round);
      const auto has = [&](int unit) {
        return partition.part(worker).find(resnet101.index_of("first" + std::to_string(unit))) != nullptr;
      };
      for (const int unit : dealt) times[static_cast<std::size_t>(unit)] += has(unit) ? 1 : 0;
      together += has(dealt[0]) && has(dealt[1]) ? 1 : 0;
    }
    const double p = minimum / 22.0, deviation = std::sqrt(draws * p * (1 - p));
    for (const int unit : dealt) {
      CHECK(std::abs(times[static_cast<std::size_t>(unit)] - draws * p) < 4.5 * deviation);
    }
    const double pair = p * (minimum - 1) / 21.0;
    CHECK(std::abs(together - draws * pair) < 4.5 * std::sqrt(draws * pair * (1 - pair)));
  }
}

TEST_CASE("Draws follow seed and round alone", "[units]") {
  const auto draw = [](std::uint64_t seed, std::uint64_t round) {
    return units_of(draw_units(resnet101, 4, {}, seed, round).part(1), resnet101);
  };
  CHECK(draw(1, 1) == draw(1, 1));
  CHECK(draw(1, 1) != draw(1, 2));
  CHECK(draw(1, 1) != draw(2, 1));
}

}  // namespace draw_units_test
