#include "models/partition/neurons.hpp"

#include <algorithm>
#include <numeric>

#include "models/random.hpp"
#include "models/slices.hpp"

namespace isthmus {
namespace {

IndexSet home_slice(Index size, int workers, int worker) {
  const auto [begin, count] = slice_of(static_cast<std::size_t>(size), static_cast<std::size_t>(workers),
                                       static_cast<std::size_t>(worker));
  return IndexSet::range(static_cast<Index>(begin), static_cast<Index>(count));
}

/// Each worker's share of `size` neurons. Strata are shuffled one after the other and the whole dealt round
/// robin, so that shares of a stratum and of the axis both differ by at most one.
std::vector<IndexSet> deal_axis(Index size, int workers, NeuronDeal deal, Random& random) {
  const int strata = deal == NeuronDeal::stratified ? workers : 1;
  std::vector<std::vector<Index>> hands(static_cast<std::size_t>(workers));
  std::size_t dealt = 0;
  for (int stratum = 0; stratum < strata; ++stratum) {
    const IndexSet slice = home_slice(size, strata, stratum);
    std::vector<Index> neurons(static_cast<std::size_t>(slice.size()));
    std::iota(neurons.begin(), neurons.end(), slice.empty() ? 0 : slice[0]);
    shuffle(neurons, random);
    for (const Index neuron : neurons) hands[dealt++ % hands.size()].push_back(neuron);
  }
  std::vector<IndexSet> shares;
  for (auto& hand : hands) {
    std::ranges::sort(hand);
    shares.push_back(IndexSet::list(std::move(hand)));
  }
  return shares;
}

}  // namespace

Partition draw_neurons(const ParameterLayout& layout, int workers, NeuronDeal deal, std::uint64_t seed,
                       std::uint64_t round) {
  std::vector<std::vector<IndexSet>> shares;  // by axis, by worker
  for (const LayoutAxis& axis : layout.axes()) {
    Random random = random_stream(seed, "neurons", shares.size(), round);
    shares.push_back(axis.divisible ? deal_axis(axis.size, workers, deal, random)
                                    : std::vector<IndexSet>(static_cast<std::size_t>(workers),
                                                            IndexSet::range(0, axis.size)));
  }
  std::vector<bool> shared;
  std::vector<std::vector<BlockSelection>> parts(static_cast<std::size_t>(workers));
  for (std::size_t i = 0; i < layout.blocks().size(); ++i) {
    const auto rows = static_cast<std::size_t>(layout.blocks()[i].row_axis);
    const auto columns = static_cast<std::size_t>(layout.blocks()[i].column_axis);
    shared.push_back(!layout.axes()[rows].divisible && !layout.axes()[columns].divisible);
    for (std::size_t worker = 0; worker < parts.size(); ++worker) {
      parts[worker].push_back({i, shares[rows][worker], shares[columns][worker]});
    }
  }
  return {std::vector<Selection>(parts.begin(), parts.end()), shared};
}

std::vector<Selection> neuron_homes(const ParameterLayout& layout, int workers) {
  std::vector<Selection> homes;
  for (int worker = 0; worker < workers; ++worker) {
    std::vector<BlockSelection> home;
    for (std::size_t i = 0; i < layout.blocks().size(); ++i) {
      const ParameterBlock& block = layout.blocks()[i];
      const auto divisible = [&](int axis) {
        return layout.axes()[static_cast<std::size_t>(axis)].divisible;
      };
      const bool by_columns = divisible(block.column_axis) && !divisible(block.row_axis);
      home.push_back(by_columns ? BlockSelection{i, IndexSet::range(0, block.rows),
                                                 home_slice(block.columns, workers, worker)}
                                : BlockSelection{i, home_slice(block.rows, workers, worker),
                                                 IndexSet::range(0, block.columns)});
    }
    homes.emplace_back(std::move(home));
  }
  return homes;
}

}  // namespace isthmus
