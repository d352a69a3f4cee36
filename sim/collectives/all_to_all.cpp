// Everybody has something for everybody: in n - 1 steps, or at once.

#include <stdexcept>

#include "sim/collectives/collective.hpp"
#include "sim/collectives/collectives.hpp"
#include "sim/collectives/pairs.hpp"
#include "sim/collectives/slices.hpp"

namespace isthmus {
namespace {

class AllToAll : public Collective {
 public:
  void run(Communicator& comm, Values values) const override {
    const int n = comm.size(), rank = comm.rank();
    if (values.size() % static_cast<std::size_t>(n) != 0)
      throw std::invalid_argument("all_to_all needs equal slices");
    const std::size_t size = slice_size(values.size(), n, 0);
    if (n == 1 || size == 0) return;
    Buffer buffer = comm.buffer(size * static_cast<std::size_t>(n - 1));
    std::vector<Message> outgoing, incoming;
    for (int step = 1; step < n; ++step) {
      const int to = (rank + step) % n, from = (rank + n - step) % n;
      outgoing.push_back({to, slice(values, n, to)});
      incoming.push_back({from, slice(buffer.values(), n - 1, step - 1)});
    }
    carry(comm, outgoing, incoming);
    for (const Message& message : incoming) copy(message.values, slice(values, n, message.peer));
  }
  std::vector<RankPair> talking_pairs(int workers) const override { return all_pairs_of(workers); }
  std::size_t values_sent(int rank, int workers, std::size_t count) const override {
    return count - slice_size(count, workers, rank);
  }
  std::size_t buffer_values(int rank, int workers, std::size_t count) const override {
    return count - slice_size(count, workers, rank);
  }

 protected:
  virtual void carry(Communicator& comm, std::span<const Message> outgoing,
                     std::span<const Message> incoming) const = 0;
};

class Pairwise final : public AllToAll {
  void carry(Communicator& comm, std::span<const Message> outgoing,
             std::span<const Message> incoming) const override {
    for (std::size_t i = 0; i < outgoing.size(); ++i)
      comm.send_receive(outgoing[i].peer, outgoing[i].values, incoming[i].peer, incoming[i].values);
  }

 public:
  double seconds(int workers, double bytes, const LinkModel& link) const override {
    if (workers == 1) return 0;
    return (workers - 1) * (link.latency_seconds + bytes / workers / link.bandwidth_bytes_per_second);
  }
};

class Direct final : public AllToAll {
  void carry(Communicator& comm, std::span<const Message> outgoing,
             std::span<const Message> incoming) const override {
    comm.exchange(outgoing, incoming);
  }

 public:
  double seconds(int workers, double bytes, const LinkModel& link) const override {
    if (workers == 1) return 0;
    return link.latency_seconds + (workers - 1) * bytes / workers / link.bandwidth_bytes_per_second;
  }
};

}  // namespace

std::unique_ptr<Collective> pairwise_all_to_all(const CollectiveOptions&) {
  return std::make_unique<Pairwise>();
}

std::unique_ptr<Collective> direct_all_to_all(const CollectiveOptions&) { return std::make_unique<Direct>(); }

}  // namespace isthmus
