// Around a ring, step by step (Patarasuk and Yuan 2009): in each of n - 1 steps a rank sends one slice on to
// the next rank while another comes in.

#include "sim/collectives/collectives.hpp"
#include "sim/collectives/pairs.hpp"
#include "sim/collectives/slices.hpp"
#include "sim/collectives/two_phase.hpp"

namespace isthmus {
namespace {

class Ring : public Collective {
 public:
  std::vector<RankPair> talking_pairs(int workers) const override { return ring_pairs(workers); }
  double seconds(int workers, double bytes, const LinkModel& link) const override {
    if (workers == 1) return 0;
    const double step = link.latency_seconds + bytes / workers / link.bandwidth_bytes_per_second;
    return (workers - 1) * step;
  }
};

class RingReduceScatter final : public Ring {
 public:
  void run(Communicator& comm, Values values) const override { reduce_scatter(comm, values); }
  std::size_t values_sent(int rank, int workers, std::size_t count) const override {
    return count - slice_size(count, workers, rank);
  }
  std::size_t buffer_values(int, int workers, std::size_t count) const override {
    return workers == 1 ? 0 : slice_size(count, workers, 0);
  }
};

class RingAllGather final : public Ring {
 public:
  void run(Communicator& comm, Values values) const override { all_gather(comm, values); }
  /// All slices but the next rank's, which comes last.
  std::size_t values_sent(int rank, int workers, std::size_t count) const override {
    return count - slice_size(count, workers, rank + 1);
  }
  std::size_t buffer_values(int, int, std::size_t) const override { return 0; }
};

}  // namespace

std::unique_ptr<Collective> ring_reduce_scatter(const CollectiveOptions&) {
  return std::make_unique<RingReduceScatter>();
}

std::unique_ptr<Collective> ring_all_gather(const CollectiveOptions&) {
  return std::make_unique<RingAllGather>();
}

std::unique_ptr<Collective> ring_all_reduce(const CollectiveOptions& options) {
  return std::make_unique<TwoPhase>(ring_reduce_scatter(options), ring_all_gather(options));
}

}  // namespace isthmus
