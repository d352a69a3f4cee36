#pragma once

#include "sim/collectives/collective.hpp"

namespace isthmus {

/// How pipelined algorithms cut values into chunks, and what the pipeline takes. A worker has at most so many
/// chunks on their way at once: NCCL's slices of a channel's buffer times channels, or Gloo's two segments.
class Pipeline {
 public:
  explicit Pipeline(const CollectiveOptions& options) : options_(options) {}

  int in_flight() const { return options_.chunks_in_flight; }
  /// Chunks of `count` values: of at most chunk_bytes but at least a value, and so many that the pipeline can
  /// be full.
  int chunks(std::size_t count) const {
    return chunks(static_cast<double>(count * options_.bytes_per_value));
  }
  int chunks(double bytes) const;

  /// Seconds until the last of `chunks` chunks of so many bytes has arrived over one link. While the pipeline
  /// covers the latency, the link is never idle and the latency is paid once; else once per chunks in flight.
  double seconds(int chunks, double chunk_bytes, const LinkModel& link) const;

 private:
  CollectiveOptions options_;
};

}  // namespace isthmus
