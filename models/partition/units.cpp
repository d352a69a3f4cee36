#include "models/partition/units.hpp"

#include <algorithm>
#include <cassert>

#include "models/partition/hands.hpp"
#include "models/random.hpp"
#include "models/slices.hpp"

namespace isthmus {
namespace {

using Hand = std::vector<int>;

bool contains(const std::vector<int>& items, int item) {
  return std::ranges::find(items, item) != items.end();
}

/// Gives a hand some of the units it lacks, at random, until it has `minimum`.
void fill_up(Hand& hand, std::vector<int> units, std::size_t minimum, Random& random) {
  std::erase_if(units, [&](int unit) { return contains(hand, unit); });
  shuffle(units, random);
  for (const int unit : units) {
    if (hand.size() >= minimum) break;
    hand.push_back(unit);
  }
}

std::vector<Hand> deal_units(const std::vector<int>& units, std::size_t workers, std::size_t minimum,
                             Random& random) {
  assert(minimum <= units.size());
  const std::size_t needed = std::max(workers * minimum, units.size());
  std::vector<int> sequence;
  while (sequence.size() < needed && !units.empty()) {
    std::vector<int> permutation = units;
    shuffle(permutation, random);
    sequence.insert(sequence.end(), permutation.begin(), permutation.end());
  }
  std::vector<Hand> hands(workers);
  for (std::size_t worker = 0; worker < workers; ++worker) {
    const auto [begin, count] = slice_of(needed, workers, worker);
    for (std::size_t i = begin; i < begin + count; ++i) {
      if (!contains(hands[worker], sequence[i])) hands[worker].push_back(sequence[i]);
    }
    fill_up(hands[worker], units, minimum, random);
  }
  return hands;
}

}  // namespace

std::vector<int> dealt_units(const ParameterLayout& layout, const std::vector<int>& sections) {
  std::vector<int> units;
  for (std::size_t i = 0; i < layout.units().size(); ++i) {
    const Unit& unit = layout.units()[i];
    if (unit.removable && contains(sections, unit.section)) units.push_back(static_cast<int>(i));
  }
  return units;
}

Partition draw_units(const ParameterLayout& layout, int workers, const UnitDeal& deal, std::uint64_t seed,
                     std::uint64_t round) {
  const std::vector<int> units = dealt_units(layout, deal.sections);
  Random random = random_stream(seed, "units", 0, round);
  const std::vector<Hand> hands =
      hands_of_neighbours(deal_units(units, static_cast<std::size_t>(workers),
                                     static_cast<std::size_t>(deal.minimum_depth), random),
                          deal.holders);
  std::vector<BlockSelection> common;
  std::vector<std::vector<BlockSelection>> parts(hands.size());
  const Selection everything = Selection::everything(layout);
  for (const BlockSelection& whole : everything.blocks()) {
    const int unit = layout.blocks()[whole.block].unit;
    const bool dealt = contains(units, unit);
    if (!dealt) common.push_back(whole);
    for (std::size_t worker = 0; worker < parts.size(); ++worker) {
      if (!dealt || contains(hands[worker], unit)) parts[worker].push_back(whole);
    }
  }
  return {std::vector<Selection>(parts.begin(), parts.end()), std::vector<bool>(layout.blocks().size(), true),
          Selection(std::move(common))};
}

}  // namespace isthmus
