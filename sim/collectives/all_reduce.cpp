#include "sim/collectives/all_reduce.hpp"

#include <bit>
#include <stdexcept>

#include "models/slices.hpp"
#include "sim/collectives/collectives.hpp"

namespace isthmus {
namespace {

std::size_t slice_size(std::size_t count, int workers, int index) {
  return slice_of(count, static_cast<std::size_t>(workers),
                  static_cast<std::size_t>((index + workers) % workers))
      .second;
}

std::vector<RankPair> all_pairs(int workers) {
  std::vector<RankPair> pairs;
  for (int from = 0; from < workers; ++from) {
    for (int to = 0; to < workers; ++to) {
      if (from != to) pairs.emplace_back(from, to);
    }
  }
  return pairs;
}

class Ring final : public AllReduce {
 public:
  void sum(Communicator& comm, Values values) const override {
    reduce_scatter(comm, values);
    all_gather(comm, values);
  }
  std::vector<RankPair> talking_pairs(int workers) const override {
    std::vector<RankPair> pairs;
    for (int rank = 0; workers > 1 && rank < workers; ++rank) pairs.emplace_back(rank, (rank + 1) % workers);
    return pairs;
  }
  /// All slices but two of them twice: reduce-scatter leaves out its own, all-gather the next one's.
  std::size_t values_sent(int rank, int workers, std::size_t count) const override {
    return 2 * count - slice_size(count, workers, rank) - slice_size(count, workers, rank + 1);
  }
  std::size_t buffer_values(int, int workers, std::size_t count) const override {
    return workers == 1 ? 0 : slice_size(count, workers, 0);
  }
  double seconds(int workers, double bytes, const LinkModel& link) const override {
    const double step = link.latency_seconds + bytes / workers / link.bandwidth_bytes_per_second;
    return 2 * (workers - 1) * step;
  }
};

class Tree final : public AllReduce {
 public:
  void sum(Communicator& comm, Values values) const override {
    reduce(comm, values);
    broadcast(comm, values);
  }
  std::vector<RankPair> talking_pairs(int workers) const override {
    std::vector<RankPair> pairs;
    for (int rank = 1; rank < workers; ++rank) {
      pairs.emplace_back(rank, parent(rank));
      pairs.emplace_back(parent(rank), rank);
    }
    return pairs;
  }
  std::size_t values_sent(int rank, int workers, std::size_t count) const override {
    return count * static_cast<std::size_t>(children(rank, workers) + (rank > 0 ? 1 : 0));
  }
  std::size_t buffer_values(int rank, int workers, std::size_t count) const override {
    return children(rank, workers) > 0 ? count : 0;
  }
  double seconds(int workers, double bytes, const LinkModel& link) const override {
    const int steps = std::bit_width(static_cast<unsigned>(workers - 1));  // ceil(log2 workers)
    return 2 * steps * (link.latency_seconds + bytes / link.bandwidth_bytes_per_second);
  }

 private:
  static int parent(int rank) { return rank & (rank - 1); }
  static int children(int rank, int workers) {
    int count = 0;
    for (int step = 1; step < workers && (rank & step) == 0; step *= 2)
      count += rank + step < workers ? 1 : 0;
    return count;
  }
};

class Server final : public AllReduce {
 public:
  void sum(Communicator& comm, Values values) const override {
    const int n = comm.size();
    if (comm.rank() != 0) {
      comm.send(0, values);
      comm.receive(0, values);
      return;
    }
    Buffer buffer = comm.buffer(values.size() * static_cast<std::size_t>(n - 1));
    std::vector<Message> incoming, outgoing;
    for (int rank = 1; rank < n; ++rank) {
      const std::size_t offset = static_cast<std::size_t>(rank - 1) * values.size();
      incoming.push_back({rank, buffer.values().slice(offset, values.size())});
      outgoing.push_back({rank, values});
    }
    exchange(comm, {}, incoming);
    for (const Message& message : incoming) add(message.values, values);
    exchange(comm, outgoing, {});
  }
  std::vector<RankPair> talking_pairs(int workers) const override {
    std::vector<RankPair> pairs;
    for (int rank = 1; rank < workers; ++rank) {
      pairs.emplace_back(rank, 0);
      pairs.emplace_back(0, rank);
    }
    return pairs;
  }
  std::size_t values_sent(int rank, int workers, std::size_t count) const override {
    return rank == 0 ? count * static_cast<std::size_t>(workers - 1) : count;
  }
  std::size_t buffer_values(int rank, int workers, std::size_t count) const override {
    return rank == 0 ? count * static_cast<std::size_t>(workers - 1) : 0;
  }
  double seconds(int workers, double bytes, const LinkModel& link) const override {
    if (workers == 1) return 0;
    return 2 * (link.latency_seconds + (workers - 1) * bytes / link.bandwidth_bytes_per_second);
  }
};

class Sharded final : public AllReduce {
 public:
  void sum(Communicator& comm, Values values) const override {
    const int n = comm.size(), rank = comm.rank();
    const auto slice = [&](int index) {
      const auto [offset, count] =
          slice_of(values.size(), static_cast<std::size_t>(n), static_cast<std::size_t>(index));
      return values.slice(offset, count);
    };
    const Values own = slice(rank);
    Buffer buffer = comm.buffer(own.size() * static_cast<std::size_t>(n - 1));
    std::vector<Message> others, incoming,
        shares;  // their slices; what they send of mine; where it goes back to
    std::size_t offset = 0;
    for (int step = 1; step < n; ++step) {
      const int to = (rank + step) % n;
      if (slice(to).size() > 0) others.push_back({to, slice(to)});
    }
    for (int peer = 0; peer < n && own.size() > 0; ++peer) {
      if (peer == rank) continue;
      incoming.push_back({peer, buffer.values().slice(offset, own.size())});
      shares.push_back({peer, own});
      offset += own.size();
    }
    exchange(comm, others, incoming);
    for (const Message& message : incoming) add(message.values, own);
    exchange(comm, shares, others);
  }
  std::vector<RankPair> talking_pairs(int workers) const override { return all_pairs(workers); }
  std::size_t values_sent(int rank, int workers, std::size_t count) const override {
    const std::size_t own = slice_size(count, workers, rank);
    return count - own + own * static_cast<std::size_t>(workers - 1);
  }
  std::size_t buffer_values(int rank, int workers, std::size_t count) const override {
    return slice_size(count, workers, rank) * static_cast<std::size_t>(workers - 1);
  }
  double seconds(int workers, double bytes, const LinkModel& link) const override {
    if (workers == 1) return 0;
    return 2 * (link.latency_seconds + (workers - 1) * bytes / workers / link.bandwidth_bytes_per_second);
  }
};

}  // namespace

void AllReduce::mean(Communicator& comm, Values values) const {
  sum(comm, values);
  scale(values, 1 / static_cast<float>(comm.size()));
}

const AllReduce& all_reduce_named(const std::string& name) {
  static const Ring ring;
  static const Tree tree;
  static const Server server;
  static const Sharded sharded;
  if (name == "ring") return ring;
  if (name == "tree") return tree;
  if (name == "server") return server;
  if (name == "sharded") return sharded;
  throw std::invalid_argument("no all-reduce named " + name);
}

nlohmann::json aggregate_schema() {
  return {{"description",
           "How all-reduce travels: around a ring, over a binomial tree, via a server (rank 0), or "
           "with every worker the server of 1/n of the values."},
          {"enum", {"ring", "tree", "server", "sharded"}},
          {"default", "ring"}};
}

}  // namespace isthmus
