#include "sim/simgrid/simulated_host.hpp"

#include "sim/simgrid/simulated_stream.hpp"

namespace isthmus {

SimulatedHost::SimulatedHost(SimulationState& state, int rank, bool enforce_memory)
    : Host(rank, state.platform.device(rank).host,
           enforce_memory ? state.platform.device(rank).memory_bytes : std::nullopt),
      state_(state),
      communicator_(state_, worker_, rank) {}

SimulatedHost::SimulatedHost(SimulationState& state, int rank, const SimulatedHost& other)
    : Host(rank, other), state_(state), communicator_(state_, worker_, rank) {}

void SimulatedHost::execute(const Computation& computation, double slowdown) {
  const double start = now_seconds();
  computing_since_ = start;
  simgrid::s4u::this_actor::execute(state_.platform.amount(worker_.rank, computation) * slowdown);
  computing_since_.reset();
  worker_.ledger.flops += computation.flops;
  worker_.ledger.compute_seconds += now_seconds() - start;
  worker_.ledger.computing += computation.takes * slowdown;
  state_.timeline.add(worker_.rank, "compute", start, now_seconds());
}

WorkerLedger SimulatedHost::ledger_now() const {
  WorkerLedger ledger = worker_.ledger;
  if (computing_since_) ledger.compute_seconds += now_seconds() - *computing_since_;
  return ledger;
}

double SimulatedHost::seconds_for(const Computation& computation) const {
  const simgrid::s4u::Host* host = state_.platform.host(worker_.rank);
  return state_.platform.amount(worker_.rank, computation) /
         (host->get_speed() * host->get_available_speed());
}

std::unique_ptr<CommunicationStream> SimulatedHost::communication_stream() {
  return std::make_unique<SimulatedStream>(state_, worker_, communicator_, ++streams_);
}

}  // namespace isthmus
