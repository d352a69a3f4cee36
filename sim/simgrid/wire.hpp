#pragma once

#include <deque>
#include <simgrid/s4u.hpp>

namespace isthmus {

/// The ordered way from one worker to another. Like the bytes of a TCP connection, messages leave one after
/// the other: one that is started while another is under way waits for its turn at the link, but its latency
/// passes meanwhile. So m messages of s bytes that are started at once take latency + m s / bandwidth.
/// (SimGrid alone would let them share the bandwidth and arrive together.)
class Wire {
 public:
  /// To be called whenever one side has posted its end. True if the message is complete by that: it starts.
  bool post_send() { return ++sends_ <= receives_; }
  bool post_receive() { return ++receives_ <= sends_; }

  /// A message that has just started. False if another one is still under way: it must be held.
  bool enter(const simgrid::s4u::CommPtr& message);
  /// Holds the message that entered last. `latency_seconds`: what passes before its first byte moves; `from`:
  /// the sender's host.
  void hold(double latency_seconds, simgrid::s4u::Host* from);

 private:
  struct Held {
    simgrid::s4u::CommPtr before, message;
    double ready_seconds;  ///< when its latency will have passed
  };
  void release_held();

  long sends_ = 0, receives_ = 0;
  simgrid::s4u::CommPtr newest_, before_newest_;
  std::deque<Held> held_;
};

}  // namespace isthmus
