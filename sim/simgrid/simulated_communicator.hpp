#pragma once

#include <map>
#include <simgrid/s4u.hpp>
#include <unordered_map>
#include <vector>

#include "sim/core/host.hpp"
#include "sim/simgrid/inbox.hpp"
#include "sim/simgrid/loaded_platform.hpp"
#include "sim/simgrid/traffic.hpp"
#include "sim/simgrid/transfer_times.hpp"
#include "sim/simgrid/wire.hpp"

namespace isthmus {

/// What the workers of one simulation share.
struct SimulationState {
  LoadedPlatform& platform;
  Traffic traffic;
  Timeline timeline;
  NetworkOptions network = {};
  const NumberFormat& format = number_format_named("fp32");
  VariabilityOptions variability = {};
  /// Messages of one channel never meet those of another: each has connections of its own.
  struct Channel {
    std::map<RankPair, std::vector<Wire>> wires = {};  ///< one for each flow
    std::map<int, Inbox> inboxes = {};                 ///< by rank
  };
  std::map<int, Channel> channels = {};
  bool over = false;                ///< all that goes on is being ended
  std::vector<long> losses = {};    ///< by rank, see Communicator::losses()

  /// A rank is lost, or the way to it: what it was sending and receiving comes to nothing, for others too.
  void lose(int rank);
  /// Whether a rank that is unwinding may still talk to SimGrid.
  bool may_act(int rank) const { return !over && platform.host(rank)->is_on(); }
};

/// A worker's messages on SimGrid: through one mailbox for each channel, ordered pair of ranks and flow.
class SimulatedCommunicator : public Communicator {
 public:
  /// `track`: the timeline's on which its time is drawn.
  SimulatedCommunicator(SimulationState& state, WorkerAccount& worker, int track, int channel = 0);

  int rank() const override { return worker_.rank; }
  int size() const override { return state_.platform.ranks(); }
  Request post_send(int to, ConstPayload payload) override;
  Request post_receive(int from, Payload into) override;
  Request post_to_inbox(int to, ConstPayload payload) override;
  Request post_from_inbox(Payload into) override;
  long losses(int rank) const override { return state_.losses[static_cast<std::size_t>(rank)]; }
  bool is_up(int rank) const override { return state_.platform.host(rank)->is_on(); }
  Buffer buffer(std::size_t count) override { return worker_.buffer(count); }
  const NumberFormat& format() const override { return state_.format; }
  void spend(const Kernel& kernel) override;
  void spend(const Work& work) override;
  void begin_collective() override;
  void count_synchronised_bytes(std::uint64_t bytes) override { worker_.ledger.synchronised_bytes += bytes; }

  /// The time since start was spent waiting for these: what they took is communication, the rest was waiting
  /// for a peer.
  void book_wait(double start_seconds, TransferTimes& times);

 protected:
  /// Called when time has been spent waiting for transfers, which are in times_, or in software.
  virtual void waited(double start_seconds) { book_wait(start_seconds, times_); }
  virtual void worked(double start_seconds);

  SimulationState& state_;
  WorkerAccount& worker_;
  int track_;
  TransferTimes times_;

 private:
  void wait(std::span<Request> requests) override;
  std::size_t wait_for_one(std::span<Request> requests) override;
  void spend(const Computation& computation);
  struct Underway;
  /// One of the flows between two workers.
  struct Lane {
    simgrid::s4u::Mailbox* mailbox;
    Wire* wire;
  };
  struct Peer {
    std::vector<Lane> out, in;
    const Route* way_in = nullptr;
  };
  Peer& peer(int other);
  void start_sending(Underway& transfer, const Lane& lane, const std::shared_ptr<const Cargo>& cargo, int to);
  void start_receiving(Underway& transfer, simgrid::s4u::Mailbox* mailbox,
                       const std::shared_ptr<const Cargo>& cargo, ConstPayload into);
  void count_sent(ConstPayload payload);
  void book(Underway& transfer);
  PeerLost lost(const Underway& transfer, std::size_t index) const;
  Inbox& inbox(int rank);
  std::uint64_t bytes_on_links(std::uint64_t payload) const;
  void spend_software_time(double seconds);
  std::vector<Lane> lanes(int from, int to);
  void begin(Wire& wire, const simgrid::s4u::CommPtr& message, int from, int to, std::uint64_t bytes);

  int number_;  // of the channel
  SimulationState::Channel& channel_;
  std::unordered_map<int, Peer> peers_;  // looked up when first used
};

}  // namespace isthmus
