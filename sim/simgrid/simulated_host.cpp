#include "sim/simgrid/simulated_host.hpp"

#include "sim/simgrid/simulated_stream.hpp"

namespace isthmus {

SimulatedHost::SimulatedHost(SimulationState& state, int rank, bool enforce_memory)
    : Host(rank, state.platform.device(rank).host,
           enforce_memory ? state.platform.device(rank).memory_bytes : std::nullopt),
      state_(state),
      communicator_(state_, worker_, rank) {}

void SimulatedHost::execute(const Computation& computation, double slowdown) {
  const double start = now_seconds();
  simgrid::s4u::this_actor::execute(state_.platform.amount(worker_.rank, computation) * slowdown);
  worker_.ledger.flops += computation.flops;
  worker_.ledger.compute_seconds += now_seconds() - start;
  worker_.ledger.computing += computation.takes * slowdown;
  state_.timeline.add(worker_.rank, "compute", start, now_seconds());
}

std::unique_ptr<CommunicationStream> SimulatedHost::communication_stream() {
  return std::make_unique<SimulatedStream>(state_, worker_, communicator_);
}

}  // namespace isthmus
