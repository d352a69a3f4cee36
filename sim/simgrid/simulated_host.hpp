#pragma once

#include <map>
#include <simgrid/s4u.hpp>
#include <vector>

#include "sim/core/host.hpp"
#include "sim/simgrid/loaded_platform.hpp"
#include "sim/simgrid/traffic.hpp"
#include "sim/simgrid/wire.hpp"

namespace isthmus {

/// What the workers of one simulation share.
struct SimulationState {
  LoadedPlatform& platform;
  Traffic traffic;
  Timeline timeline;
  NetworkOptions network = {};
  WireFormat wire_format = WireFormat::fp32;
  std::map<RankPair, std::vector<Wire>> wires = {};  ///< one for each flow
};

/// A worker's host on SimGrid: messages go through one mailbox for each ordered pair of ranks.
class SimulatedHost final : public Host, private Communicator {
 public:
  SimulatedHost(SimulationState& state, int rank);

  double now_seconds() const override { return simgrid::s4u::Engine::get_clock(); }
  void execute(double flops) override;
  Communicator& communicator() override { return *this; }
  void carry_values() override { phantom_ = false; }
  MemoryAccount& memory() override { return memory_; }
  const WorkerLedger& ledger() const override { return ledger_; }
  const MemoryUse& memory_peak() const { return memory_.peak(); }
  Timeline& timeline() override { return state_.timeline; }

 private:
  struct Transfer;

  int rank() const override { return rank_; }
  int size() const override { return state_.platform.workers(); }
  Request start_send(int to, ConstValues values) override;
  Request start_receive(int from, Values into) override;
  void wait_all(std::span<Request> requests) override;
  Buffer buffer(std::size_t count) override;
  WireFormat wire_format() const override { return state_.wire_format; }
  void begin_collective() override;
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
  std::uint64_t wire_bytes(std::size_t values) const { return values * bytes_per_value(state_.wire_format); }
  std::uint64_t bytes_on_links(std::uint64_t payload) const;
  void spend_software_time(double seconds);
  std::vector<Lane> lanes(int from, int to);
  void begin(Wire& wire, const simgrid::s4u::CommPtr& message, int from, int to, std::uint64_t bytes);
  void account_wait(std::span<Request> requests, double start_seconds);

  SimulationState& state_;
  int rank_;
  double speed_scale_;
  bool phantom_ = true;  // buffers have a size but no values
  MemoryAccount memory_;
  WorkerLedger ledger_;
  std::vector<Peer> peers_;                                // looked up when first used
  std::vector<std::pair<double, double>> transfer_times_;  // scratch of account_wait()
};

}  // namespace isthmus
