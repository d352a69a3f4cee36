// Over a binomial tree with rank 0 at its root: ceil(log2 n) steps of all values. A rank's parent is the rank
// without its lowest bit.

#include <bit>

#include "sim/collectives/collectives.hpp"
#include "sim/collectives/two_phase.hpp"

namespace isthmus {
namespace {

int parent(int rank) { return rank & (rank - 1); }

int children(int rank, int workers) {
  int count = 0;
  for (int step = 1; step < workers && (rank & step) == 0; step *= 2) count += rank + step < workers ? 1 : 0;
  return count;
}

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
    for (int rank = 1; rank < workers; ++rank) pairs.emplace_back(rank, parent(rank));
    return pairs;
  }
  std::size_t values_sent(int rank, int, std::size_t count) const override { return rank > 0 ? count : 0; }
  std::size_t buffer_values(int rank, int workers, std::size_t count) const override {
    return children(rank, workers) > 0 ? count : 0;
  }
};

class TreeBroadcast final : public Tree {
 public:
  void run(Communicator& comm, Values values) const override { broadcast(comm, values); }
  std::vector<RankPair> talking_pairs(int workers) const override {
    std::vector<RankPair> pairs;
    for (int rank = 1; rank < workers; ++rank) pairs.emplace_back(parent(rank), rank);
    return pairs;
  }
  std::size_t values_sent(int rank, int workers, std::size_t count) const override {
    return count * static_cast<std::size_t>(children(rank, workers));
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
