// Gloo's broadcast: over a binomial tree, each worker to all its children at once, so that they share its
// link and none has the values before all have. On 2^k workers it takes about k (k + 1) / 2 times size /
// bandwidth, where sending to one child after the other takes k times.

#include <algorithm>

#include "sim/collectives/collective.hpp"
#include "sim/collectives/pairs.hpp"

namespace isthmus {
namespace {

class TreeAtOnce final : public Collective {
 public:
  void run(Communicator& comm, Values values) const override {
    if (comm.rank() > 0) comm.receive(binomial_parent(comm.rank()), values);
    std::vector<Message> outgoing;
    for (const int child : binomial_children(comm.rank(), comm.size())) outgoing.push_back({child, values});
    comm.send_receive_all(outgoing, {});
  }

  std::vector<RankPair> talking_pairs(int workers) const override { return binomial_pairs(workers); }
  std::size_t values_sent(int rank, int workers, std::size_t count) const override {
    return count * binomial_children(rank, workers).size();
  }
  std::size_t buffer_values(int, int, std::size_t) const override { return 0; }
  double seconds(int workers, double bytes, const LinkModel& link) const override {
    std::vector<double> there(static_cast<std::size_t>(workers));  // when each rank has the values
    for (int rank = 1; rank < workers; ++rank) {
      const int parent = binomial_parent(rank);
      const auto siblings = static_cast<double>(binomial_children(parent, workers).size());
      there[static_cast<std::size_t>(rank)] = there[static_cast<std::size_t>(parent)] + link.latency_seconds +
                                              siblings * bytes / link.bandwidth_bytes_per_second;
    }
    return *std::ranges::max_element(there);
  }
};

}  // namespace

std::unique_ptr<Collective> tree_at_once_broadcast(const CollectiveOptions&) {
  return std::make_unique<TreeAtOnce>();
}

}  // namespace isthmus
