#include "models/partition/neurons.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "models/partition/hands.hpp"
#include "models/random.hpp"
#include "models/slices.hpp"

namespace isthmus {
namespace {

IndexSet home_slice(Index size, int workers, int worker) {
  const auto [begin, count] = slice_of(static_cast<std::size_t>(size), static_cast<std::size_t>(workers),
                                       static_cast<std::size_t>(worker));
  return IndexSet::range(static_cast<Index>(begin), static_cast<Index>(count));
}

/// Each worker's neurons of `size`. Strata are shuffled one after the other and the whole dealt round robin
/// to those who have not all of theirs yet, so that with equal shares those of a stratum and of the axis both
/// differ by at most one.
std::vector<IndexSet> deal_axis(Index size, const std::vector<double>& of_workers, NeuronDeal deal,
                                int holders, Random& random) {
  const std::vector<Index> counts = neuron_counts(size, of_workers);
  const int strata = deal == NeuronDeal::stratified ? static_cast<int>(counts.size()) : 1;
  std::vector<std::vector<Index>> hands(counts.size());
  std::size_t next = 0;
  const auto has_all = [&] { return static_cast<Index>(hands[next].size()) == counts[next]; };
  for (int stratum = 0; stratum < strata; ++stratum) {
    const IndexSet slice = home_slice(size, strata, stratum);
    std::vector<Index> neurons(static_cast<std::size_t>(slice.size()));
    std::iota(neurons.begin(), neurons.end(), slice.empty() ? 0 : slice[0]);
    shuffle(neurons, random);
    for (const Index neuron : neurons) {
      while (has_all()) next = (next + 1) % hands.size();
      hands[next].push_back(neuron);
      next = (next + 1) % hands.size();
    }
  }
  std::vector<IndexSet> shares;
  for (auto& hand : hands_of_neighbours(hands, holders)) shares.push_back(IndexSet::list(std::move(hand)));
  return shares;
}

}  // namespace

std::vector<Index> neuron_counts(Index size, const std::vector<double>& shares) {
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  const auto spare = static_cast<double>(size - static_cast<Index>(shares.size()));  // beyond one for each
  std::vector<Index> counts;
  std::vector<std::pair<double, std::size_t>> rests;  // the largest first, of equal ones the first
  Index left = size;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    // With equal shares both ways are the same; with unequal ones nobody falls below one.
    const double wanted = std::max(1.0, static_cast<double>(size) * shares[i] / sum);
    const double most = std::min(wanted, spare + 1);
    counts.push_back(static_cast<Index>(std::floor(most + 1e-9)));
    rests.emplace_back(static_cast<double>(counts.back()) - most, i);
    left -= counts.back();
  }
  std::ranges::stable_sort(rests, {}, &std::pair<double, std::size_t>::first);
  for (std::size_t i = 0; left > 0; i = (i + 1) % rests.size(), --left) ++counts[rests[i].second];
  while (left < 0) {  // who was lifted to one has taken it from the largest
    --*std::ranges::max_element(counts);
    ++left;
  }
  return counts;
}

AxisSet axes_of(const ParameterLayout& layout, AxisKind kind) {
  AxisSet set;
  for (const LayoutAxis& axis : layout.axes()) set.push_back(axis.kind == kind);
  return set;
}

Selection chosen_on_axes(const ParameterLayout& layout, const std::vector<IndexSet>& chosen) {
  std::vector<BlockSelection> blocks;
  for (std::size_t i = 0; i < layout.blocks().size(); ++i) {
    const ParameterBlock& block = layout.blocks()[i];
    blocks.push_back({i, chosen[static_cast<std::size_t>(block.row_axis)],
                      chosen[static_cast<std::size_t>(block.column_axis)].neighbours(block.per_column)});
  }
  return Selection(std::move(blocks));
}

void scale_readers(const ParameterLayout& layout, const AxisSet& axes, float factor, Values parameters) {
  for (const ParameterBlock& block : layout.blocks()) {
    if (axes[static_cast<std::size_t>(block.column_axis)])
      scale(parameters.slice(block.offset, block.size()), factor);
  }
}

Partition draw_neurons(const ParameterLayout& layout, const AxisSet& dealt,
                       const std::vector<double>& of_workers, NeuronDeal deal, std::uint64_t seed,
                       std::uint64_t round, int holders) {
  const std::size_t workers = of_workers.size();
  std::vector<std::vector<IndexSet>> chosen(workers);  // by worker, by axis
  for (std::size_t axis = 0; axis < layout.axes().size(); ++axis) {
    const Index size = layout.axes()[axis].size;
    Random random = random_stream(seed, "neurons", axis, round);
    const auto shares = dealt[axis] ? deal_axis(size, of_workers, deal, holders, random)
                                    : std::vector<IndexSet>(workers, IndexSet::range(0, size));
    for (std::size_t worker = 0; worker < workers; ++worker) chosen[worker].push_back(shares[worker]);
  }
  std::vector<bool> shared;
  for (const ParameterBlock& block : layout.blocks())
    shared.push_back(!dealt[static_cast<std::size_t>(block.row_axis)] &&
                     !dealt[static_cast<std::size_t>(block.column_axis)]);
  std::vector<Selection> parts;
  for (const std::vector<IndexSet>& axes : chosen) parts.push_back(chosen_on_axes(layout, axes));
  std::vector<BlockSelection> common;
  for (std::size_t block = 0; block < shared.size(); ++block) {
    if (const BlockSelection* of_all = parts.front().find(block); shared[block] && of_all)
      common.push_back(*of_all);
  }
  return {std::move(parts), shared, Selection(std::move(common)), holders > 1};
}

std::vector<Selection> neuron_homes(const ParameterLayout& layout, const AxisSet& dealt, int workers) {
  std::vector<Selection> homes;
  for (int worker = 0; worker < workers; ++worker) {
    std::vector<BlockSelection> home;
    for (std::size_t i = 0; i < layout.blocks().size(); ++i) {
      const ParameterBlock& block = layout.blocks()[i];
      const auto is_dealt = [&](int axis) { return dealt[static_cast<std::size_t>(axis)]; };
      const bool by_columns = is_dealt(block.column_axis) && !is_dealt(block.row_axis);
      home.push_back(by_columns ? BlockSelection{i, IndexSet::range(0, block.rows),
                                                 home_slice(block.columns / block.per_column, workers, worker)
                                                     .neighbours(block.per_column)}
                                : BlockSelection{i, home_slice(block.rows, workers, worker),
                                                 IndexSet::range(0, block.columns)});
    }
    homes.emplace_back(std::move(home));
  }
  return homes;
}

}  // namespace isthmus
