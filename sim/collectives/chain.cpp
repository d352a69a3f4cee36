// From rank to rank in chunks, several of them on their way at once: what NCCL's "ring" is for broadcast and
// reduce.

#include "sim/collectives/pipeline.hpp"
#include "sim/collectives/slices.hpp"

namespace isthmus {
namespace {

/// Passes chunks on from `from` to `to` (no rank: -1). Each comes into a place of `incoming` and leaves from
/// one of `values` as soon as it has been taken in.
template <typename Incoming, typename TakeIn>
void pass_on(Communicator& comm, Values values, int from, int to, int chunks, int window, Incoming&& incoming,
             TakeIn&& take_in) {
  std::vector<std::vector<Request>> received(static_cast<std::size_t>(chunks)), sent(received.size());
  const auto receive = [&](int chunk) {
    if (from < 0 || chunk >= chunks || slice(values, chunks, chunk).size() == 0) return;
    received[static_cast<std::size_t>(chunk)].push_back(comm.start_receive(from, incoming(chunk)));
  };
  const auto finish = [&](std::vector<Request>& requests) {
    comm.wait_all(requests);
    requests.clear();
  };
  for (int chunk = 0; chunk < window; ++chunk) receive(chunk);
  for (int chunk = 0; chunk < chunks; ++chunk) {
    const auto at = static_cast<std::size_t>(chunk);
    if (!received[at].empty()) {
      finish(received[at]);
      take_in(chunk);
    }
    receive(chunk + window);
    if (to < 0) continue;
    if (chunk >= window) finish(sent[static_cast<std::size_t>(chunk - window)]);
    const Values out = slice(values, chunks, chunk);
    if (out.size() > 0) sent[at].push_back(comm.start_send(to, out));
  }
  for (auto& requests : sent) finish(requests);
}

class Chain : public Collective {
 public:
  explicit Chain(const CollectiveOptions& options) : pipeline_(options) {}
  /// The pipeline fills over n - 2 ranks before the last one gets its first chunk.
  double seconds(int workers, double bytes, const LinkModel& link) const override {
    if (workers == 1) return 0;
    const int chunks = pipeline_.chunks(bytes);
    const double chunk = bytes / chunks;
    return (workers - 2) * (link.latency_seconds + chunk / link.bandwidth_bytes_per_second) +
           pipeline_.seconds(chunks, chunk, link);
  }

 protected:
  Pipeline pipeline_;
};

class ChainBroadcast final : public Chain {
 public:
  using Chain::Chain;
  void run(Communicator& comm, Values values) const override {
    const int n = comm.size(), rank = comm.rank(), chunks = pipeline_.chunks(values.size());
    if (n == 1) return;
    pass_on(
        comm, values, rank - 1, rank + 1 < n ? rank + 1 : -1, chunks, pipeline_.in_flight(),
        [&](int chunk) { return slice(values, chunks, chunk); }, [](int) {});
  }
  std::vector<RankPair> talking_pairs(int workers) const override {
    std::vector<RankPair> pairs;
    for (int rank = 1; rank < workers; ++rank) pairs.emplace_back(rank - 1, rank);
    return pairs;
  }
  std::size_t values_sent(int rank, int workers, std::size_t count) const override {
    return rank + 1 < workers ? count : 0;
  }
  std::size_t buffer_values(int, int, std::size_t) const override { return 0; }
};

class ChainReduce final : public Chain {
 public:
  using Chain::Chain;
  void run(Communicator& comm, Values values) const override {
    const int n = comm.size(), rank = comm.rank(), chunks = pipeline_.chunks(values.size());
    if (n == 1) return;
    const int window = pipeline_.in_flight();
    Buffer buffer = comm.buffer(buffer_values(rank, n, values.size()));
    const auto place = [&](int chunk) {
      const std::size_t offset =
          static_cast<std::size_t>(chunk % window) * slice_size(values.size(), chunks, 0);
      return buffer.values().slice(offset, slice_size(values.size(), chunks, chunk));
    };
    pass_on(comm, values, rank + 1 < n ? rank + 1 : -1, rank - 1, chunks, window, place,
            [&](int chunk) { comm.add(place(chunk), slice(values, chunks, chunk)); });
  }
  std::vector<RankPair> talking_pairs(int workers) const override {
    std::vector<RankPair> pairs;
    for (int rank = 1; rank < workers; ++rank) pairs.emplace_back(rank, rank - 1);
    return pairs;
  }
  std::size_t values_sent(int rank, int, std::size_t count) const override { return rank > 0 ? count : 0; }
  std::size_t buffer_values(int rank, int workers, std::size_t count) const override {
    if (rank + 1 >= workers) return 0;
    return static_cast<std::size_t>(pipeline_.in_flight()) * slice_size(count, pipeline_.chunks(count), 0);
  }
};

}  // namespace

std::unique_ptr<Collective> chain_broadcast(const CollectiveOptions& options) {
  return std::make_unique<ChainBroadcast>(options);
}

std::unique_ptr<Collective> chain_reduce(const CollectiveOptions& options) {
  return std::make_unique<ChainReduce>(options);
}

}  // namespace isthmus
