// Over a binomial tree, one child after the other: ceil(log2 n) steps of all values.

#include <bit>

#include "sim/collectives/collectives.hpp"
#include "sim/collectives/pairs.hpp"
#include "sim/collectives/two_phase.hpp"

namespace isthmus {
namespace {

class Tree : public Collective {
 public:
  double seconds(int workers, double bytes, const LinkModel& link) const override {
    if (workers == 1) return 0;
    const int steps = std::bit_width(static_cast<unsigned>(workers - 1));  // ceil(log2 workers)
    return steps * (link.latency_seconds + bytes / link.bandwidth_bytes_per_second);
  }
};

class TreeReduce final : public Tree {
 public:
  void run(Communicator& comm, Values values) const override { reduce(comm, values); }
  std::vector<RankPair> talking_pairs(int workers) const override {
    std::vector<RankPair> pairs;
    for (const auto& [parent, child] : binomial_pairs(workers)) pairs.emplace_back(child, parent);
    return pairs;
  }
  std::size_t values_sent(int rank, int, std::size_t count) const override { return rank > 0 ? count : 0; }
  std::size_t buffer_values(int rank, int workers, std::size_t count) const override {
    return binomial_children(rank, workers).empty() ? 0 : count;
  }
};

class TreeBroadcast final : public Tree {
 public:
  void run(Communicator& comm, Values values) const override { broadcast(comm, values); }
  std::vector<RankPair> talking_pairs(int workers) const override { return binomial_pairs(workers); }
  std::size_t values_sent(int rank, int workers, std::size_t count) const override {
    return count * binomial_children(rank, workers).size();
  }
  std::size_t buffer_values(int, int, std::size_t) const override { return 0; }
};

}  // namespace

std::unique_ptr<Collective> tree_reduce(const CollectiveOptions&) { return std::make_unique<TreeReduce>(); }

std::unique_ptr<Collective> tree_broadcast(const CollectiveOptions&) {
  return std::make_unique<TreeBroadcast>();
}

std::unique_ptr<Collective> tree_all_reduce(const CollectiveOptions& options) {
  return std::make_unique<TwoPhase>(tree_reduce(options), tree_broadcast(options));
}

}  // namespace isthmus
