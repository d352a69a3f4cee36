#pragma once

#include <vector>

#include "sim/core/timeline.hpp"

namespace isthmus {

/// When transfers that a worker waits for were under way.
class TransferTimes {
 public:
  void add(double start_seconds, double end_seconds, bool outgoing) {
    times_.push_back({start_seconds, end_seconds, outgoing});
  }
  void clear() { times_.clear(); }

  /// Seconds in which something was under way, and in which nothing was.
  struct Share {
    double busy_seconds = 0, idle_seconds = 0;
  };
  /// Draws the time from start to end on that track: what was under way, else waiting.
  Share draw(Timeline& timeline, int track, double start_seconds, double end_seconds);

 private:
  struct Time {
    double start_seconds, end_seconds;
    bool outgoing;
  };
  std::vector<Time> times_;
};

}  // namespace isthmus
