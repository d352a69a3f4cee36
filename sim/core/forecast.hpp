#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sim/core/memory.hpp"

namespace isthmus {

/// The alpha-beta model of one worker's link: a message takes latency + bytes / bandwidth.
struct LinkModel {
  struct Way {
    double latency_seconds = 0;  ///< with the sender's software overhead, if there is any
    double bandwidth_bytes_per_second = 0;
  };

  double latency_seconds = 0;  ///< with the sender's software overhead, if there is any
  double bandwidth_bytes_per_second = 0;
  double collective_overhead_seconds = 0;  ///< before each collective, not part of the algorithm
  /// What an algorithm in two levels gets inside a site, and between two sites when all that send there do so
  /// at once. Empty: the same as everywhere.
  std::optional<Way> inside_site = {}, between_sites = {};

  /// The same with so many times the bandwidth everywhere.
  LinkModel with_bandwidth_times(double factor) const;
  /// The same where every way is this one.
  LinkModel along(const std::optional<Way>& way) const;
};

/// What follows in closed form from a scenario, for one full round. Printed by `isthmus check` and held
/// against the ledger by tests; never used in place of it.
struct Forecast {
  struct Worker {
    std::uint64_t bytes_sent = 0;
    double flops = 0;
    MemoryUse memory;  ///< at its peak
  };
  std::vector<Worker> workers;
  bool varies = false;           ///< rounds differ in what is sent
  long round = 1;                ///< whose figures these are; later rounds are as this one, or vary
  std::vector<Forecast> before;  ///< one of the rounds before that one, if they are of another kind
  double paper_bytes = 0;        ///< the papers' accounting: bytes up plus bytes down, over all workers
  double communication_seconds =
      0;  ///< on full-duplex links of that model, without contention inside the network

  /// Communication that overlaps computing: pieces, one after the other.
  struct Overlapped {
    double begins_after_flops = 0;  ///< of its worker in this round, and not before the piece before it ends
    double seconds = 0;
  };
  std::vector<Overlapped> overlapped;  ///< empty: all communication comes after computing

  std::uint64_t bytes_sent() const;  ///< by all workers
  /// A whole round of a worker on a device of that speed, if it waits for no other.
  double round_seconds(const Worker& worker, double speed_flops) const;
};

}  // namespace isthmus
