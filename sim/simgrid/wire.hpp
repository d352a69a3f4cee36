#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <simgrid/s4u.hpp>
#include <vector>

#include "sim/core/communicator.hpp"

namespace isthmus {

/// What a message brings: bytes that one end reads and the other writes when it ends. (SimGrid 4 copies
/// pointers only.)
struct Cargo {
  std::optional<ConstPayload> from;
  std::optional<Payload> to;      ///< where there may be room for more
  std::size_t offset = 0;         ///< where in there the bytes belong
  bool lost = false;              ///< the other end is gone, and nothing will come
  mutable bool given_up = false;  ///< nobody waits for it any more

  bool complete() const { return from && to; }  ///< both ends are posted
  bool fits() const { return offset + from->size() <= to->size(); }
  void deliver() const {
    if (complete() && fits()) copy(*from, to->slice(offset, from->size()));
  }
};

/// The ordered way from one worker to another. Like the bytes of a TCP connection, messages leave one after
/// the other: one that is started while another is under way waits for its turn at the link, but its latency
/// passes meanwhile. So m messages of s bytes that are started at once take latency + m s / bandwidth.
/// (SimGrid alone would let them share the bandwidth and arrive together.)
class Wire {
 public:
  /// To be called before a side posts its end. If the cargo is complete by that, the message will start.
  std::shared_ptr<const Cargo> post_send(ConstPayload from, std::size_t offset);
  std::shared_ptr<const Cargo> post_receive(Payload to);

  /// A message that has just started. False if another one is still under way: it must be held.
  bool enter(const simgrid::s4u::CommPtr& message);
  /// Holds the message that entered last. `latency_seconds`: what passes before its first byte moves; `from`:
  /// the sender's host.
  void hold(double latency_seconds, simgrid::s4u::Host* from);

  /// What has been posted was not: who posted it has given up.
  void forget(const std::shared_ptr<const Cargo>& cargo);
  /// The sender is lost, or the receiver: what it has posted is forgotten. Returns what the other side has,
  /// which is lost.
  std::vector<std::shared_ptr<const Cargo>> lose(bool sender);

 private:
  struct Held {
    simgrid::s4u::CommPtr before, message;
    double ready_seconds;  ///< when its latency will have passed
  };
  void release_held();
  std::shared_ptr<Cargo> next(bool to_be_sent);

  std::deque<std::shared_ptr<Cargo>> half_posted_;  // all by the same side
  simgrid::s4u::CommPtr newest_, before_newest_;
  std::deque<Held> held_;
  int losses_ = 0;
};

}  // namespace isthmus
