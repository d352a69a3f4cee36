#include "sim/simgrid/transfer_times.hpp"

#include <algorithm>

namespace isthmus {

double TransferTimes::draw(Timeline& timeline, int track, double start_seconds, double end_seconds) {
  std::ranges::sort(times_, {}, &Time::start_seconds);
  const auto within = [&](const Time& time) {
    return time.end_seconds > start_seconds && time.start_seconds < end_seconds &&
           time.end_seconds > time.start_seconds;
  };
  bool sending = false, receiving = false;
  for (const Time& time : times_) {
    if (within(time)) (time.outgoing ? sending : receiving) = true;
  }
  const char* name = sending && receiving ? "send and receive" : sending ? "send" : "receive";
  double position = start_seconds, busy = 0;
  for (const Time& time : times_) {
    if (!within(time) || time.end_seconds <= position) continue;
    const double begin = std::max(position, time.start_seconds);
    const double end = std::min(end_seconds, time.end_seconds);
    timeline.add(track, "wait", position, begin);
    timeline.add(track, name, begin, end);
    busy += end - begin;
    position = end;
  }
  timeline.add(track, "wait", position, end_seconds);
  return busy;
}

}  // namespace isthmus
