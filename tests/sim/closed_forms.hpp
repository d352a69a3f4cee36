#pragma once

// Closed forms of what a round of each protocol sends, computes, needs and takes, from its definition and not
// by running it.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

#include "sim/core/job.hpp"
#include "sim/core/memory.hpp"
#include "sim/platform/link_model.hpp"

namespace isthmus::testing {

/// What follows in closed form from a protocol, for one full round: an oracle for what running it counts.
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

/// Of a resolved scenario's protocol, on a star of such links.
Forecast closed_form(const nlohmann::json& protocol, const Job& job, const LinkModel& link);

}  // namespace isthmus::testing
