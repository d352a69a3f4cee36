#pragma once

#include <cstdint>
#include <vector>

#include "models/parameters.hpp"
#include "models/partition/partition.hpp"

namespace isthmus {

/// How neurons are dealt out: `uniform`, any worker may get any; `stratified`, of the neurons at home with
/// one worker each worker gets an equal share.
enum class NeuronDeal { uniform, stratified };

/// Some axes of a layout: of each whether it is among them.
using AxisSet = std::vector<bool>;

/// Those of a kind.
AxisSet axes_of(const ParameterLayout& layout, AxisKind kind);

/// All parameters whose row and column are chosen, by axis.
Selection chosen_on_axes(const ParameterLayout& layout, const std::vector<IndexSet>& chosen);

/// Multiplies all weights that read these axes: what a unit's output counts for.
void scale_readers(const ParameterLayout& layout, const AxisSet& axes, float factor, Values parameters);

/// How many of `size` neurons each worker gets, by its share (whatever they sum up to): the nearest whole
/// numbers that sum up to `size`, of equal shares the first workers' being larger, and none below 1. At least
/// as many neurons as workers.
std::vector<Index> neuron_counts(Index size, const std::vector<double>& shares);

/// IST's partition (Yuan et al. 2022, section 3): every round the indices of each of these axes, neurons or
/// channels, are shuffled and dealt to the workers, by their shares and without replacement. A parameter
/// belongs to a worker iff its row and its column do; parameters on no such axis belong to every worker. All
/// ranks draw the same partition from the shared seed, so that indices are never sent. With several `holders`
/// a worker has its own indices and those of so many of its next neighbours: everything is held that often.
Partition draw_neurons(const ParameterLayout& layout, const AxisSet& dealt, const std::vector<double>& shares,
                       NeuronDeal deal, std::uint64_t seed, std::uint64_t round, int holders = 1);
/// Of equal shares, which differ by at most one.
inline Partition draw_neurons(const ParameterLayout& layout, const AxisSet& dealt, int workers,
                              NeuronDeal deal, std::uint64_t seed, std::uint64_t round, int holders = 1) {
  return draw_neurons(layout, dealt, std::vector<double>(static_cast<std::size_t>(workers), 1), deal, seed,
                      round, holders);
}

/// Where parameters rest between rounds when every worker is the home of 1/n of the neurons: a block is at
/// home with its rows if they are dealt, else with its columns; one without such axes is cut by rows.
std::vector<Selection> neuron_homes(const ParameterLayout& layout, const AxisSet& dealt, int workers);

}  // namespace isthmus
