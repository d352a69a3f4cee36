// Every rank the server of its slice (a sharded parameter server): everybody talks to everybody at once.

#include "sim/collectives/collectives.hpp"
#include "sim/collectives/pairs.hpp"
#include "sim/collectives/slices.hpp"
#include "sim/collectives/two_phase.hpp"

namespace isthmus {
namespace {

/// The other ranks' slices, beginning with the next rank, so that not everybody turns to the same one first.
std::vector<Message> others(const Communicator& comm, Values values) {
  std::vector<Message> messages;
  for (int step = 1; step < comm.size(); ++step) {
    const int peer = (comm.rank() + step) % comm.size();
    const Values part = slice(values, comm.size(), peer);
    if (part.size() > 0) messages.push_back({peer, part});
  }
  return messages;
}

class DirectPhase : public Collective {
 public:
  std::vector<RankPair> talking_pairs(int workers) const override { return all_pairs_of(workers); }
  double seconds(int workers, double bytes, const LinkModel& link) const override {
    if (workers == 1) return 0;
    return link.latency_seconds + (workers - 1) * bytes / workers / link.bandwidth_bytes_per_second;
  }
};

class DirectReduceScatter final : public DirectPhase {
 public:
  void run(Communicator& comm, Values values) const override {
    const int n = comm.size(), rank = comm.rank();
    const Values own = slice(values, n, rank);
    Buffer buffer = comm.buffer(own.size() * static_cast<std::size_t>(n - 1));
    std::vector<Message> incoming;
    std::size_t offset = 0;
    for (int peer = 0; peer < n && own.size() > 0; ++peer) {
      if (peer == rank) continue;
      incoming.push_back({peer, buffer.values().slice(offset, own.size())});
      offset += own.size();
    }
    comm.send_receive_all(others(comm, values), incoming);
    for (const Message& message : incoming) comm.add(message.values, own);
  }
  std::size_t values_sent(int rank, int workers, std::size_t count) const override {
    return count - slice_size(count, workers, rank);
  }
  std::size_t buffer_values(int rank, int workers, std::size_t count) const override {
    return slice_size(count, workers, rank) * static_cast<std::size_t>(workers - 1);
  }
};

class DirectAllGather final : public DirectPhase {
 public:
  void run(Communicator& comm, Values values) const override {
    const Values own = slice(values, comm.size(), comm.rank());
    std::vector<Message> outgoing;
    for (int step = 1; step < comm.size() && own.size() > 0; ++step) {
      outgoing.push_back({(comm.rank() + step) % comm.size(), own});  // not everybody to the same one first
    }
    comm.send_receive_all(outgoing, others(comm, values));
  }
  std::size_t values_sent(int rank, int workers, std::size_t count) const override {
    return slice_size(count, workers, rank) * static_cast<std::size_t>(workers - 1);
  }
  std::size_t buffer_values(int, int, std::size_t) const override { return 0; }
};

}  // namespace

std::unique_ptr<Collective> direct_reduce_scatter(const CollectiveOptions&) {
  return std::make_unique<DirectReduceScatter>();
}

std::unique_ptr<Collective> direct_all_gather(const CollectiveOptions&) {
  return std::make_unique<DirectAllGather>();
}

std::unique_ptr<Collective> sharded_all_reduce(const CollectiveOptions& options) {
  return std::make_unique<TwoPhase>(direct_reduce_scatter(options), direct_all_gather(options));
}

}  // namespace isthmus
