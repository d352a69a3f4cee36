#pragma once

#include <map>
#include <simgrid/s4u.hpp>
#include <vector>

#include "sim/core/host.hpp"
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
  std::map<RankPair, std::vector<Wire>> wires = {};  ///< one for each flow
};

/// A worker's messages on SimGrid: through one mailbox for each ordered pair of ranks and flow.
class SimulatedCommunicator : public Communicator {
 public:
  /// `track`: the timeline's on which its time is drawn.
  SimulatedCommunicator(SimulationState& state, WorkerAccount& worker, int track);

  int rank() const override { return worker_.rank; }
  int size() const override { return state_.platform.workers(); }
  Request post_send(int to, ConstPayload payload) override;
  Request post_receive(int from, Payload into) override;
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
  std::uint64_t bytes_on_links(std::uint64_t payload) const;
  void spend_software_time(double seconds);
  std::vector<Lane> lanes(int from, int to);
  void begin(Wire& wire, const simgrid::s4u::CommPtr& message, int from, int to, std::uint64_t bytes);

  std::vector<Peer> peers_;  // looked up when first used
};

}  // namespace isthmus
