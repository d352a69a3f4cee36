#pragma once

#include "sim/core/host.hpp"
#include "sim/simgrid/simulated_communicator.hpp"

namespace isthmus {

/// A worker's host on SimGrid.
class SimulatedHost final : public Host {
 public:
  SimulatedHost(SimulationState& state, int rank, bool enforce_memory = true);
  /// Beside another rank, on the same device.
  SimulatedHost(SimulationState& state, int rank, const SimulatedHost& other);

  double now_seconds() const override { return simgrid::s4u::Engine::get_clock(); }
  void execute(const Computation& computation, double slowdown) override;
  void pause(double seconds) override { simgrid::s4u::this_actor::sleep_for(seconds); }
  double seconds_for(const Computation& computation) const override;
  const DeviceModel* device_model() const override { return state_.platform.device_model(worker_.rank); }
  VariabilityOptions variability() const override { return state_.variability; }
  Communicator& communicator() override { return communicator_; }
  std::unique_ptr<CommunicationStream> communication_stream() override;
  /// With what has been computed so far of what is not over yet.
  WorkerLedger ledger_now() const;
  const MemoryUse& memory_peak() const { return worker_.memory->peak(); }
  Timeline& timeline() override { return state_.timeline; }

 private:
  SimulationState& state_;
  SimulatedCommunicator communicator_;
  int streams_ = 0;
  std::optional<double> computing_since_;
};

}  // namespace isthmus
