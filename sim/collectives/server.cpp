// Rank 0 as a server: everybody talks to it at once.

#include "sim/collectives/collectives.hpp"
#include "sim/collectives/two_phase.hpp"

namespace isthmus {
namespace {

class Server : public Collective {
 public:
  double seconds(int workers, double bytes, const LinkModel& link) const override {
    if (workers == 1) return 0;
    return link.latency_seconds + (workers - 1) * bytes / link.bandwidth_bytes_per_second;
  }
};

class ServerReduce final : public Server {
 public:
  void run(Communicator& comm, Values values) const override {
    const int n = comm.size();
    if (comm.rank() != 0) return comm.send(0, values);
    Buffer buffer = comm.buffer(values.size() * static_cast<std::size_t>(n - 1));
    std::vector<Message> incoming;
    for (int rank = 1; rank < n; ++rank) {
      const std::size_t offset = static_cast<std::size_t>(rank - 1) * values.size();
      incoming.push_back({rank, buffer.values().slice(offset, values.size())});
    }
    comm.send_receive_all({}, incoming);
    for (const Message& message : incoming) comm.add(message.values, values);
  }
  std::vector<RankPair> talking_pairs(int workers) const override {
    std::vector<RankPair> pairs;
    for (int rank = 1; rank < workers; ++rank) pairs.emplace_back(rank, 0);
    return pairs;
  }
  std::size_t values_sent(int rank, int, std::size_t count) const override { return rank == 0 ? 0 : count; }
  std::size_t buffer_values(int rank, int workers, std::size_t count) const override {
    return rank == 0 ? count * static_cast<std::size_t>(workers - 1) : 0;
  }
};

class ServerBroadcast final : public Server {
 public:
  void run(Communicator& comm, Values values) const override {
    if (comm.rank() != 0) return comm.receive(0, values);
    std::vector<Message> outgoing;
    for (int rank = 1; rank < comm.size(); ++rank) outgoing.push_back({rank, values});
    comm.send_receive_all(outgoing, {});
  }
  std::vector<RankPair> talking_pairs(int workers) const override {
    std::vector<RankPair> pairs;
    for (int rank = 1; rank < workers; ++rank) pairs.emplace_back(0, rank);
    return pairs;
  }
  std::size_t values_sent(int rank, int workers, std::size_t count) const override {
    return rank == 0 ? count * static_cast<std::size_t>(workers - 1) : 0;
  }
  std::size_t buffer_values(int, int, std::size_t) const override { return 0; }
};

}  // namespace

std::unique_ptr<Collective> server_reduce(const CollectiveOptions&) {
  return std::make_unique<ServerReduce>();
}

std::unique_ptr<Collective> server_broadcast(const CollectiveOptions&) {
  return std::make_unique<ServerBroadcast>();
}

std::unique_ptr<Collective> server_all_reduce(const CollectiveOptions& options) {
  return std::make_unique<TwoPhase>(server_reduce(options), server_broadcast(options));
}

}  // namespace isthmus
