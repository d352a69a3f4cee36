#pragma once

#include <simgrid/s4u.hpp>
#include <vector>

#include "sim/core/host.hpp"
#include "sim/simgrid/loaded_platform.hpp"
#include "sim/simgrid/traffic.hpp"

namespace isthmus {

/// What the workers of one simulation share.
struct SimulationState {
  LoadedPlatform& platform;
  Traffic traffic;
  Timeline timeline;
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
  struct Peer {
    simgrid::s4u::Mailbox* outbox = nullptr;
    simgrid::s4u::Mailbox* inbox = nullptr;
    const Route* way_in = nullptr;
  };
  Peer& peer(int other);
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
