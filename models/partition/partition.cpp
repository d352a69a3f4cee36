#include "models/partition/partition.hpp"

#include <algorithm>

namespace isthmus {

Partition::Partition(std::vector<Selection> parts, const std::vector<bool>& shared, Selection common)
    : parts_(std::move(parts)), common_(std::move(common)), sharers_(shared.size()) {
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

Partition undivided(const ParameterLayout& layout, int workers) {
  const Selection everything = Selection::everything(layout);
  return {std::vector<Selection>(static_cast<std::size_t>(workers), everything),
          std::vector<bool>(layout.blocks().size(), true), everything};
}

}  // namespace isthmus
