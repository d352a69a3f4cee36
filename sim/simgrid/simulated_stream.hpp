#pragma once

#include <memory>

#include "sim/core/host.hpp"
#include "sim/simgrid/simulated_communicator.hpp"

namespace isthmus {

/// A second actor on the worker's host, for its communication. What the worker itself waits for it is
/// communication; what goes on while the worker computes shows in the timeline only.
class SimulatedStream final : public CommunicationStream {
 public:
  SimulatedStream(SimulationState& state, WorkerAccount& worker, SimulatedCommunicator& of_worker,
                  int channel);

  void enqueue(std::function<void(Communicator&)> work) override;
  void wait() override;

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;  // with the actor, which may outlive this
  SimulatedCommunicator& of_worker_;
  int unfinished_ = 0;
};

}  // namespace isthmus
