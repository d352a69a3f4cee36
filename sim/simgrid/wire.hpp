#pragma once

#include <cstdint>
#include <deque>
#include <simgrid/s4u.hpp>
#include <unordered_map>

namespace isthmus {

/// The ordered way from one worker to another. Like the bytes of a TCP connection, messages leave one after
/// the other: one that is started while another is under way waits for its turn at the link, but its latency
/// passes meanwhile. So m messages of s bytes that are started at once take latency + m s / bandwidth.
/// (SimGrid alone would let them share the bandwidth and arrive together.)
class Wire {
 public:
  /// To be called whenever one side has posted its end. True if the message is complete by that: it starts.
  bool post_send(std::uint64_t payload_bytes);
  bool post_receive() { return ++receives_ <= sends_; }

  /// How many receives have been posted; the next one gets the message of that index.
  long receives() const { return receives_; }
  /// The payload of a message that has started, until it is forgotten.
  std::uint64_t payload_bytes(long index) const { return payload_bytes_.at(index); }
  void forget(long index) { payload_bytes_.erase(index); }

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
  std::unordered_map<long, std::uint64_t> payload_bytes_;  // by index
  simgrid::s4u::CommPtr newest_, before_newest_;
  std::deque<Held> held_;
};

}  // namespace isthmus
