#include "models/partition/partition.hpp"

#include <algorithm>

namespace isthmus {

Partition::Partition(std::vector<Selection> parts, const std::vector<bool>& shared, Selection common,
                     bool overlapping)
    : parts_(std::move(parts)),
      common_(std::move(common)),
      overlapping_(overlapping),
      sharers_(shared.size()) {
  for (std::size_t block = 0; block < shared.size(); ++block) {
    for (int worker = 0; shared[block] && worker < workers(); ++worker) {
      if (part(worker).find(block)) sharers_[block].push_back(worker);
    }
  }
}

Turn Partition::turn(int worker, std::size_t block) const {
  const std::vector<int>& sharers = sharers_[block];
  if (sharers.empty()) return {};
  const auto place = std::ranges::lower_bound(sharers, worker);
  return {static_cast<int>(place - sharers.begin()), static_cast<int>(sharers.size())};
}

std::size_t Partition::held_entries(const ParameterBlock& whole, std::size_t block) const {
  std::size_t count = 0;
  std::vector<bool> held(overlapping_ ? whole.size() : 0);  // only there some may be held twice
  for (const Selection& part : parts_) {
    const BlockSelection* of_block = part.find(block);
    if (!of_block) continue;
    if (!overlapping_) {
      count += of_block->size();
      continue;
    }
    for (Index row = 0; row < of_block->rows.size(); ++row) {
      for (Index column = 0; column < of_block->columns.size(); ++column)
        held[static_cast<std::size_t>(of_block->rows[row] * whole.columns + of_block->columns[column])] =
            true;
    }
  }
  return overlapping_ ? static_cast<std::size_t>(std::ranges::count(held, true)) : count;
}

std::optional<std::size_t> Partition::abandoned(const ParameterLayout& layout) const {
  for (std::size_t block = 0; block < sharers_.size(); ++block) {
    if (!sharers_[block].empty()) continue;
    if (held_entries(layout.blocks()[block], block) < layout.blocks()[block].size()) return block;
  }
  return {};
}

Partition intersection(const Partition& a, const Partition& b) {
  std::vector<Selection> parts;
  for (int worker = 0; worker < a.workers(); ++worker)
    parts.push_back(intersection(a.part(worker), b.part(worker)));
  std::vector<bool> shared;
  std::vector<BlockSelection> common;
  for (std::size_t block = 0; block < a.sharers_.size(); ++block) {
    shared.push_back(!a.sharers_[block].empty() && !b.sharers_[block].empty());
    const BlockSelection* of_all = a.common_.find(block);
    if (shared.back() && of_all && b.common_.find(block)) common.push_back(*of_all);
  }
  return {std::move(parts), shared, Selection(std::move(common)), a.overlapping_ || b.overlapping_};
}

Partition undivided(const ParameterLayout& layout, int workers) {
  const Selection everything = Selection::everything(layout);
  return {std::vector<Selection>(static_cast<std::size_t>(workers), everything),
          std::vector<bool>(layout.blocks().size(), true), everything};
}

}  // namespace isthmus
