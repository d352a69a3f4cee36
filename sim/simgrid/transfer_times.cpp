#include "sim/simgrid/transfer_times.hpp"

#include <algorithm>

#include "sim/simgrid/network_config.hpp"

namespace isthmus {

TransferTimes::Share TransferTimes::draw(Timeline& timeline, int track, double start_seconds,
                                         double end_seconds) {
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
  Share share;
  double position = start_seconds;
  for (const Time& time : times_) {
    if (!within(time) || time.end_seconds <= position) continue;
    // A shorter pause is none.
    const bool goes_on = time.start_seconds <= position + time_precision_seconds;
    const double begin = goes_on ? position : time.start_seconds;
    const double end = std::min(end_seconds, time.end_seconds);
    timeline.add(track, "wait", position, begin);
    timeline.add(track, name, begin, end);
    share.idle_seconds += begin - position;
    share.busy_seconds += end - begin;
    position = end;
  }
  timeline.add(track, "wait", position, end_seconds);
  share.idle_seconds += end_seconds - position;
  return share;
}

}  // namespace isthmus
