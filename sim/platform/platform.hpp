#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace isthmus {

/// What a host can do.
struct Device {
  std::string host;
  double speed_flops = 0;                     ///< sustained FLOP/s of one core; its peak, by a profile
  std::optional<std::uint64_t> memory_bytes;  ///< none: unlimited
  std::string profile = {};                   ///< name or file of its profile; empty: only its speed is known
};

struct LinkFacts {
  std::string name;
  double bandwidth_bytes_per_second = 0;
  double latency_seconds = 0;
  std::string sharing;  ///< "shared" (half duplex), "splitduplex" or "fatpipe"
};

/// What a message from one worker to another crosses.
struct Route {
  std::vector<int> links;  ///< indices into the platform's links
  double latency_seconds = 0;
  double bandwidth_bytes_per_second = 0;  ///< of its narrowest link
};

/// Ranks (from, to) that will exchange messages.
using RankPair = std::pair<int, int>;

}  // namespace isthmus
