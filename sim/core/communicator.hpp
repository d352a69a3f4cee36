#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "models/codec/number_format.hpp"
#include "models/device/work.hpp"
#include "models/values.hpp"
#include "sim/core/memory.hpp"

namespace isthmus {

/// Memory for values that are sent or received, charged to the worker's device while it lives. In runs that
/// only count costs the values are phantoms; the charge is the same.
class Buffer {
 public:
  Buffer(std::size_t count, bool phantom, Reservation reservation)
      : storage_(phantom ? 0 : count),
        count_(count),
        phantom_(phantom),
        reservation_(std::move(reservation)) {}

  Values values() { return phantom_ ? Values::phantom(count_) : Values(storage_); }
  operator Values() { return values(); }
  operator ConstValues() { return values(); }

 private:
  std::vector<float> storage_;
  std::size_t count_;
  bool phantom_;
  Reservation reservation_;
};

/// A message came to nothing: a rank was lost, or the way to it.
class PeerLost : public std::runtime_error {
 public:
  PeerLost(const std::string& message, int rank, std::size_t index)
      : std::runtime_error(message), peer(rank), request(index) {}
  int peer;
  std::size_t request;  ///< index of those that were waited for
};

/// A message under way.
class Transmission {
 public:
  virtual ~Transmission() = default;

  /// Of a received message that has been waited for: how many bytes came, and from whom.
  std::uint64_t received_bytes() const { return received_bytes_; }
  int source() const { return source_; }
  /// How often that rank had been lost when it sent this, see Communicator::losses().
  long losses_of_source() const { return losses_of_source_; }

 protected:
  std::uint64_t received_bytes_ = 0;
  int source_ = -1;
  long losses_of_source_ = 0;

 private:
  friend class Communicator;
  std::vector<std::byte> encoded_;        // if values travel in another form than they have in memory
  const NumberFormat* format_ = nullptr;  // how what comes in is to be decoded, if values are received
  Values into_;
  bool may_be_fewer_ = false;
};
using Request = std::unique_ptr<Transmission>;

/// What is sent to, or received from, a peer. Values of an outgoing message are only read.
struct Message {
  int peer = 0;
  Values values;
};

/// How a worker reaches the others: what protocols and collectives know of a network. Payloads between two
/// ranks arrive in the order in which they were sent; a transfer starts when both sides have posted it
/// (rendezvous).
class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;

  /// Begins to send. The payload must stay where and as it is until the request has been waited for.
  virtual Request post_send(int to, ConstPayload payload) = 0;
  /// Begins to receive a payload of at most that size; how much came is the request's received_bytes().
  /// Waiting for a longer one fails, and where a shorter one may come, `into` has at most 1 GiB. It must stay
  /// where it is until the request has been waited for.
  virtual Request post_receive(int from, Payload into) = 0;
  /// A rank's inbox is for messages from anybody: it hands them out in the order in which they were posted.
  /// Their sizes are at most 1 GiB. From whom one came is the request's source().
  virtual Request post_to_inbox(int to, ConstPayload payload) = 0;
  virtual Request post_from_inbox(Payload into) = 0;
  /// Returns when all have arrived. Throws PeerLost.
  void wait_all(std::span<Request> requests);
  /// Returns when one has arrived: its index. Null requests are passed over; there must be another. Throws
  /// PeerLost of one of them; the others go on.
  std::size_t wait_any(std::span<Request> requests);

  /// How often a rank has been lost so far, or its way; and whether it is there now.
  virtual long losses(int /*rank*/) const { return 0; }
  virtual bool is_up(int /*rank*/) const { return true; }

  /// How values travel.
  virtual const NumberFormat& format() const = 0;
  /// The same as post_send() and post_receive() of what format() makes of values: they arrive rounded. Both
  /// sides name the same number of values: of another, waiting throws std::runtime_error. Or the sender names
  /// none, and `into` stays as it is.
  Request start_send(int to, ConstValues values);
  Request start_receive(int from, Values into);
  Request start_to_inbox(int to, ConstValues values);
  /// Here the sender may name fewer: how many came is received_values(). Or it posts fewer bytes than one
  /// value has, which are left alone.
  Request start_from_inbox(Values into);
  std::size_t received_values(const Transmission& done) const {
    return done.received_bytes() / format().bytes(1);
  }

  /// Throws OutOfMemory.
  virtual Buffer buffer(std::size_t count) = 0;

  /// What the device does for messages: it packs, encodes, adds. It takes the time of its FLOPs and, where a
  /// profile of the device is known, of the memory it reads and writes; no kernel is issued for it alone. The
  /// ledger's FLOPs are those of training and do not include it.
  virtual void spend(const Kernel& /*kernel*/) {}
  /// The same of kernels that are issued one by one.
  virtual void spend(const Work& /*work*/) {}
  /// Adds what has come in.
  void add(ConstValues incoming, Values sum);

  /// Spends the software time with which a collective operation begins.
  virtual void begin_collective() {}

  /// So many of this worker's values became what all made of them together. Papers count these as what goes
  /// up and comes down, however it travels.
  void count_synchronised(std::size_t values) { count_synchronised_bytes(format().bytes(values)); }
  virtual void count_synchronised_bytes(std::uint64_t /*bytes*/) {}

  void send(int to, ConstValues values);
  void receive(int from, Values into);
  /// Both at once, in full duplex.
  void send_receive(int to, ConstValues out, int from, Values in);
  /// All at once.
  void send_receive_all(std::span<const Message> outgoing, std::span<const Message> incoming);

 private:
  friend class Group;
  void spend_on_format(const NumberFormat& format, std::size_t values);
  using PostOutgoing = std::function<Request(ConstPayload)>;
  using PostIncoming = std::function<Request(Payload)>;
  Request start_outgoing(ConstValues values, const PostOutgoing& post);
  Request start_incoming(Values into, const PostIncoming& post);
  void finish(Transmission& done);
  virtual void wait(std::span<Request> requests) = 0;
  virtual std::size_t wait_for_one(std::span<Request> requests) = 0;
};

/// Some ranks of a communicator as one of their own: rank i of the group is ranks[i] of the parent, which
/// must outlive the group.
class Group final : public Communicator {
 public:
  /// The calling rank must be among `ranks`.
  Group(Communicator& parent, std::vector<int> ranks);

  int rank() const override { return rank_; }
  int size() const override { return static_cast<int>(ranks_.size()); }
  Request post_send(int to, ConstPayload payload) override {
    return parent_.post_send(ranks_.at(static_cast<std::size_t>(to)), payload);
  }
  Request post_receive(int from, Payload into) override {
    return parent_.post_receive(ranks_.at(static_cast<std::size_t>(from)), into);
  }
  Request post_to_inbox(int to, ConstPayload payload) override {
    return parent_.post_to_inbox(ranks_.at(static_cast<std::size_t>(to)), payload);
  }
  Request post_from_inbox(Payload into) override { return parent_.post_from_inbox(into); }
  long losses(int rank) const override { return parent_.losses(ranks_.at(static_cast<std::size_t>(rank))); }
  bool is_up(int rank) const override { return parent_.is_up(ranks_.at(static_cast<std::size_t>(rank))); }
  Buffer buffer(std::size_t count) override { return parent_.buffer(count); }
  void spend(const Kernel& kernel) override { parent_.spend(kernel); }
  void spend(const Work& work) override { parent_.spend(work); }
  const NumberFormat& format() const override { return parent_.format(); }
  void begin_collective() override { parent_.begin_collective(); }
  void count_synchronised_bytes(std::uint64_t bytes) override { parent_.count_synchronised_bytes(bytes); }

 private:
  void wait(std::span<Request> requests) override { parent_.wait(requests); }
  std::size_t wait_for_one(std::span<Request> requests) override { return parent_.wait_for_one(requests); }

  Communicator& parent_;
  std::vector<int> ranks_;
  int rank_;
};

}  // namespace isthmus
