// Recursive doubling and halving for any number of ranks: in the step of distance m, rank r passes to rank r
// - m the slices r, r + 1, ... (around the ring) that it has and that one lacks; m = 1, 2, 4, ... (Bruck et
// al. 1997). Reduce-scatter is the same backwards (Träff 2024). For powers of two that is as many steps and
// bytes as Rabenseifner's exchanges of halves have.

#include <algorithm>

#include "sim/collectives/collectives.hpp"
#include "sim/collectives/pairs.hpp"
#include "sim/collectives/slices.hpp"
#include "sim/collectives/two_phase.hpp"

namespace isthmus {
namespace {

struct Step {
  int distance, slices;
};

/// Distances grow; after the last step a rank has n slices.
std::vector<Step> doubling_steps(int workers) {
  std::vector<Step> steps;
  for (int distance = 1; distance < workers; distance *= 2)
    steps.push_back({distance, std::min(distance, workers - distance)});
  return steps;
}

/// `slices` slices from `first` on around the ring are one or two pieces of memory: appends one message each.
void append(std::vector<Message>& messages, int peer, Values values, int workers, int first, int slices) {
  const int begin = static_cast<int>(wrapped(first, workers)), end = begin + slices;
  const auto offset = [&](int index) {
    return slice_of(values.size(), static_cast<std::size_t>(workers), static_cast<std::size_t>(index)).first;
  };
  const auto piece = [&](int from, int to) {
    const std::size_t start = offset(from), stop = to == workers ? values.size() : offset(to);
    if (stop > start) messages.push_back({peer, values.slice(start, stop - start)});
  };
  piece(begin, std::min(end, workers));
  if (end > workers) piece(0, end - workers);
}

std::size_t size_of(std::size_t count, int workers, int first, int slices) {
  std::size_t size = 0;
  for (int i = 0; i < slices; ++i) size += slice_size(count, workers, first + i);
  return size;
}

class HalvingDoubling : public Collective {
 public:
  double seconds(int workers, double bytes, const LinkModel& link) const override {
    double seconds = 0;
    for (const Step& step : doubling_steps(workers))
      seconds += link.latency_seconds + step.slices * bytes / workers / link.bandwidth_bytes_per_second;
    return seconds;
  }
};

class Doubling final : public HalvingDoubling {
 public:
  void run(Communicator& comm, Values values) const override {
    const int n = comm.size(), rank = comm.rank();
    for (const auto& [distance, slices] : doubling_steps(n)) {
      std::vector<Message> outgoing, incoming;
      append(outgoing, (rank + n - distance) % n, values, n, rank, slices);
      append(incoming, (rank + distance) % n, values, n, rank + distance, slices);
      comm.send_receive_all(outgoing, incoming);
    }
  }
  std::vector<RankPair> talking_pairs(int workers) const override {
    std::vector<RankPair> pairs;
    for (const Step& step : doubling_steps(workers)) {
      for (int rank = 0; rank < workers; ++rank)
        pairs.emplace_back(rank, (rank + workers - step.distance) % workers);
    }
    return pairs;
  }
  std::size_t values_sent(int rank, int workers, std::size_t count) const override {
    std::size_t sent = 0;
    for (const Step& step : doubling_steps(workers)) sent += size_of(count, workers, rank, step.slices);
    return sent;
  }
  std::size_t buffer_values(int, int, std::size_t) const override { return 0; }
};

class Halving final : public HalvingDoubling {
 public:
  void run(Communicator& comm, Values values) const override {
    const int n = comm.size(), rank = comm.rank();
    Buffer buffer = comm.buffer(buffer_values(rank, n, values.size()));
    std::vector<Step> steps = doubling_steps(n);
    std::ranges::reverse(steps);
    for (const auto& [distance, slices] : steps) {
      std::vector<Message> outgoing, incoming, sums;
      append(outgoing, (rank + distance) % n, values, n, rank + distance, slices);
      append(sums, (rank + n - distance) % n, values, n, rank, slices);
      std::size_t offset = 0;
      for (const Message& sum : sums) {
        incoming.push_back({sum.peer, buffer.values().slice(offset, sum.values.size())});
        offset += sum.values.size();
      }
      comm.send_receive_all(outgoing, incoming);
      for (std::size_t i = 0; i < sums.size(); ++i) comm.add(incoming[i].values, sums[i].values);
    }
  }
  std::vector<RankPair> talking_pairs(int workers) const override {
    std::vector<RankPair> pairs;
    for (const Step& step : doubling_steps(workers)) {
      for (int rank = 0; rank < workers; ++rank) pairs.emplace_back(rank, (rank + step.distance) % workers);
    }
    return pairs;
  }
  std::size_t values_sent(int rank, int workers, std::size_t count) const override {
    std::size_t sent = 0;
    for (const Step& step : doubling_steps(workers))
      sent += size_of(count, workers, rank + step.distance, step.slices);
    return sent;
  }
  std::size_t buffer_values(int rank, int workers, std::size_t count) const override {
    std::size_t most = 0;
    for (const Step& step : doubling_steps(workers))
      most = std::max(most, size_of(count, workers, rank, step.slices));
    return most;
  }
};

}  // namespace

std::unique_ptr<Collective> doubling_all_gather(const CollectiveOptions&) {
  return std::make_unique<Doubling>();
}

std::unique_ptr<Collective> halving_reduce_scatter(const CollectiveOptions&) {
  return std::make_unique<Halving>();
}

std::unique_ptr<Collective> halving_doubling_all_reduce(const CollectiveOptions& options) {
  return std::make_unique<TwoPhase>(halving_reduce_scatter(options), doubling_all_gather(options));
}

}  // namespace isthmus
