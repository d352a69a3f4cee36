#include "sim/simgrid/simulation.hpp"

#include <simgrid/Exception.hpp>

#include "models/error.hpp"
#include "sim/process/plain_words.hpp"
#include "sim/simgrid/compat.hpp"
#include "sim/simgrid/network_config.hpp"
#include "sim/simgrid/simulated_host.hpp"

namespace isthmus {
namespace {

/// The first thing that went wrong decides the outcome, and ends all workers.
class Failure {
 public:
  explicit Failure(RunResult& result) : result_(result) {}
  void note(Outcome outcome, const std::string& message) {
    if (happened_) return;
    happened_ = true;
    result_.outcome = outcome;
    result_.message = message;
  }
  void stop(Outcome outcome, const std::string& message) {
    note(outcome, message);
    simgrid::s4u::Actor::kill_all();
  }
  bool happened() const { return happened_; }

 private:
  RunResult& result_;
  bool happened_ = false;
};

}  // namespace

RunResult simulate(const Scenario& scenario, const Job& job, const Protocol& protocol,
                   const SimulationOptions& options, const Trajectory& recorded, TrajectoryKeeper* keeper) {
  const std::vector<RankPair> pairs = protocol.talking_pairs(job.workers());
  LoadedPlatform platform(scenario.platform, scenario.network, pairs);
  SimulationState state{platform,
                        Traffic(),
                        Timeline(options.trace),
                        scenario.network,
                        wire_format_of(scenario.protocol),
                        scenario.platform.variability};
  RunResult result;
  result.parameters = job.model().layout().trainable_size();
  result.network_constants = platform.network_constants();
  Failure failure(result);
  TaskPool pool(options.threads);
  Recorder recorder(job, pool, recorded, keeper, options.progress,
                    [&](const Round& round) { return protocol.evaluation_model(job, round); });
  recorder.observe(options.observer);

  std::vector<std::unique_ptr<SimulatedHost>> hosts;
  for (int rank = 0; rank < job.workers(); ++rank) {
    hosts.push_back(std::make_unique<SimulatedHost>(state, rank, options.enforce_memory));
    if (platform.host(rank)->is_on()) continue;
    failure.note(Outcome::failed, "worker " + std::to_string(rank) + ": its host " +
                                      platform.device(rank).host + " is off from the start");
  }
  std::exception_ptr storage_trouble;
  std::vector<bool> at_work(hosts.size(), true);
  compat::on_host_onoff([&](const simgrid::s4u::Host& host) {
    for (int rank = 0; rank < job.workers() && !host.is_on(); ++rank) {
      if (platform.host(rank) == &host && at_work[static_cast<std::size_t>(rank)])
        failure.note(Outcome::failed,
                     "worker " + std::to_string(rank) + ": its host " + host.get_name() + " was turned off");
    }
  });
  for (int rank = 0; rank < job.workers() && !failure.happened(); ++rank) {
    compat::add_actor("worker " + std::to_string(rank), platform.host(rank), [&, rank] {
      // By type: to catch everything would swallow the exception with which SimGrid ends an actor.
      try {
        Worker worker(job, *hosts[static_cast<std::size_t>(rank)], pool, recorder);
        protocol.run(worker);
        at_work[static_cast<std::size_t>(rank)] = false;
      } catch (const OutOfMemory& error) {
        if (!result.out_of_memory) result.out_of_memory = error;
        failure.stop(Outcome::out_of_memory, error.what());
      } catch (const StorageError& error) {  // of the keeper: it tells nothing of the run
        storage_trouble = std::current_exception();
        failure.stop(Outcome::failed, error.what());
      } catch (const std::exception& error) {
        failure.stop(Outcome::failed, "worker " + std::to_string(rank) + ": " + plain_words(error));
      }
    });
  }
  simgrid::s4u::Engine::on_deadlock_cb(
      [&failure] { failure.note(Outcome::deadlock, "every worker waits for a message that nobody sends"); });
  platform.engine().run();
  if (storage_trouble) std::rethrow_exception(storage_trouble);

  if (!failure.happened()) {
    const bool finished = recorder.rounds_completed() == job.rounds().last_kept();
    result.outcome = finished ? Outcome::completed : Outcome::failed;
    if (!finished) result.message = "some workers ended before training did";
  }
  result.rounds = recorder.rounds_completed();
  result.paper_bytes = recorder.paper_bytes();
  result.history = recorder.history();
  result.trajectory = recorder.trajectory();
  const double end = simgrid::s4u::Engine::get_clock();
  result.simulated_seconds = end;
  std::vector<std::string> tracks;
  for (int rank = 0; rank < job.workers(); ++rank) {
    const SimulatedHost& host = *hosts[static_cast<std::size_t>(rank)];
    const Device& device = platform.device(rank);
    WorkerResult worker{.host = device.host,
                        .ledger = host.ledger(),
                        .memory_peak = host.memory_peak(),
                        .memory_limit_bytes = device.memory_bytes};
    // Who is done early is idle until the last one is.
    const double rest = end - worker.ledger.compute_seconds - worker.ledger.communication_seconds;
    if (rest > worker.ledger.idle_seconds + time_precision_seconds) worker.ledger.idle_seconds = rest;
    if (const DeviceModel* model = platform.device_model(rank))
      worker.energy_joules = model->profile().joules(worker.ledger.compute_seconds, end);
    tracks.push_back(std::to_string(rank) + " " + device.host);
    result.workers.push_back(worker);
  }
  result.links = state.traffic.results(platform.links());
  if (options.trace) result.trace = state.timeline.chrome_trace(tracks);
  return result;
}

}  // namespace isthmus
