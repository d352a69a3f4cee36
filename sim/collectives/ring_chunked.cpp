// The ring with its slices cut into chunks, several of which a rank has on their way at once: NCCL's ring
// (slices of the channels' buffers) and Gloo's (two segments of at most 1 MiB in flight). A chunk is passed
// on as soon as it has come in, so latency is paid once per chunks in flight and not once per step.

#include "sim/collectives/pairs.hpp"
#include "sim/collectives/pipeline.hpp"
#include "sim/collectives/slices.hpp"

namespace isthmus {
namespace {

/// Steps 0 to n - 2 of the ring are a reduce-scatter, n - 1 to 2 n - 3 an all-gather; without a pause between
/// them they are an all-reduce.
class ChunkedRing final : public Collective {
 public:
  ChunkedRing(const CollectiveOptions& options, bool reduces, bool gathers)
      : pipeline_(options), reduces_(reduces), gathers_(gathers) {}

  void run(Communicator& comm, Values values) const override {
    const int n = comm.size(), rank = comm.rank();
    if (n == 1) return;
    const int chunks = pipeline_.chunks(slice_size(values.size(), n, 0)), window = pipeline_.in_flight();
    const int first = reduces_ ? 0 : n - 1, last = gathers_ ? 2 * n - 2 : n - 1;
    const std::size_t largest = slice_size(slice_size(values.size(), n, 0), chunks, 0);
    Buffer buffer = comm.buffer(buffer_values(rank, n, values.size()));

    struct Piece {
      std::vector<Request> requests;
      Values incoming, sum;  // sum: what the incoming is to be added to, if it is
    };
    std::vector<Piece> under_way(static_cast<std::size_t>(window));
    const auto finish = [&](Piece& piece) {
      comm.wait_all(piece.requests);
      piece.requests.clear();
      if (piece.sum.size() > 0) comm.add(piece.incoming, piece.sum);
      piece.sum = {};
    };
    for (int step = first, at = 0; step < last; ++step) {
      for (int chunk = 0; chunk < chunks; ++chunk, at = (at + 1) % window) {
        Piece& piece = under_way[static_cast<std::size_t>(at)];
        finish(piece);
        const Values out = slice(slice(values, n, rank - 1 - step), chunks, chunk);
        const Values in = slice(slice(values, n, rank - 2 - step), chunks, chunk);
        const bool adds = step < n - 1;
        piece.incoming = adds ? buffer.values().slice(static_cast<std::size_t>(at) * largest, in.size()) : in;
        if (adds) piece.sum = in;
        if (out.size() > 0) piece.requests.push_back(comm.start_send((rank + 1) % n, out));
        if (in.size() > 0) piece.requests.push_back(comm.start_receive((rank + n - 1) % n, piece.incoming));
      }
    }
    const int pieces = (last - first) * chunks;
    for (int i = 0; i < window; ++i) finish(under_way[static_cast<std::size_t>((pieces + i) % window)]);
  }

  std::vector<RankPair> talking_pairs(int workers) const override { return ring_pairs(workers); }
  std::size_t values_sent(int rank, int workers, std::size_t count) const override {
    return (reduces_ ? count - slice_size(count, workers, rank) : 0) +
           (gathers_ ? count - slice_size(count, workers, rank + 1) : 0);
  }
  std::size_t buffer_values(int, int workers, std::size_t count) const override {
    if (!reduces_ || workers == 1) return 0;
    const std::size_t largest = slice_size(count, workers, 0);
    return static_cast<std::size_t>(pipeline_.in_flight()) *
           slice_size(largest, pipeline_.chunks(largest), 0);
  }
  double seconds(int workers, double bytes, const LinkModel& link) const override {
    const int steps = (workers - 1) * ((reduces_ ? 1 : 0) + (gathers_ ? 1 : 0));
    const int chunks = pipeline_.chunks(bytes / workers);
    return pipeline_.seconds(steps * chunks, bytes / workers / chunks, link);
  }

 private:
  Pipeline pipeline_;
  bool reduces_, gathers_;
};

}  // namespace

std::unique_ptr<Collective> chunked_ring_reduce_scatter(const CollectiveOptions& options) {
  return std::make_unique<ChunkedRing>(options, true, false);
}

std::unique_ptr<Collective> chunked_ring_all_gather(const CollectiveOptions& options) {
  return std::make_unique<ChunkedRing>(options, false, true);
}

std::unique_ptr<Collective> chunked_ring_all_reduce(const CollectiveOptions& options) {
  return std::make_unique<ChunkedRing>(options, true, true);
}

}  // namespace isthmus
