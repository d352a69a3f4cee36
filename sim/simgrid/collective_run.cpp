#include "sim/simgrid/collective_run.hpp"

#include <stdexcept>

#include "sim/simgrid/compat.hpp"
#include "sim/simgrid/simulated_host.hpp"

namespace isthmus {

CollectiveRun simulate_collective(const PlatformOptions& platform, const NetworkOptions& network,
                                  const Collective& collective, std::size_t count) {
  LoadedPlatform loaded(platform, network, collective.talking_pairs(platform.workers));
  SimulationState state{loaded, Traffic(), Timeline(false), network};
  state.losses.resize(static_cast<std::size_t>(loaded.ranks()));
  std::vector<std::unique_ptr<SimulatedHost>> hosts;
  std::string failure = "the workers did not come to an end";
  int finished = 0;
  for (int rank = 0; rank < loaded.ranks(); ++rank)
    hosts.push_back(std::make_unique<SimulatedHost>(state, rank));
  for (int rank = 0; rank < loaded.ranks(); ++rank) {
    compat::add_actor("worker " + std::to_string(rank), loaded.host(rank), [&, rank] {
      // By type: to catch everything would swallow the exception with which SimGrid ends an actor.
      try {
        Communicator& comm = hosts[static_cast<std::size_t>(rank)]->communicator();
        comm.begin_collective();
        collective.run(comm, Values::phantom(count));
        ++finished;
      } catch (const std::exception& error) {
        failure = "worker " + std::to_string(rank) + ": " + error.what();
      }
    });
  }
  loaded.engine().run();
  if (finished < loaded.ranks()) throw std::runtime_error(failure);
  CollectiveRun run{.simulated_seconds = simgrid::s4u::Engine::get_clock(),
                    .links = state.traffic.results(loaded.links())};
  for (const auto& host : hosts) {
    run.bytes_sent += host->ledger().bytes_sent;
    run.messages_sent += host->ledger().messages_sent;
  }
  return run;
}

}  // namespace isthmus
