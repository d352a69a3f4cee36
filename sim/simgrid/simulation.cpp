#include "sim/simgrid/simulation.hpp"

#include <algorithm>
#include <simgrid/Exception.hpp>
#include <utility>

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
  Failure(RunResult& result, SimulationState& state) : result_(result), state_(state) {}
  void note(Outcome outcome, const std::string& message) {
    if (happened_) return;
    happened_ = true;
    result_.outcome = outcome;
    result_.message = message;
  }
  void stop(Outcome outcome, const std::string& message) {
    note(outcome, message);
    end_all();
  }
  void end_all() {
    state_.over = true;
    simgrid::s4u::Actor::kill_all();
  }
  bool happened() const { return happened_; }

 private:
  RunResult& result_;
  SimulationState& state_;
  bool happened_ = false;
};

constexpr double longest_pause_seconds = 64, forever_seconds = 100000;

/// What there is to see when training is over.
struct End {
  double seconds = 0;
  std::vector<WorkerLedger> ledgers;  ///< by rank
  Traffic traffic;
};

/// The host of a rank: on the device of an earlier one, if that is on the same.
std::unique_ptr<SimulatedHost> make_host(SimulationState& state, int rank,
                                         const std::vector<std::unique_ptr<SimulatedHost>>& earlier,
                                         bool enforce_memory) {
  for (int other = 0; other < rank; ++other) {
    if (state.platform.host(other) == state.platform.host(rank))
      return std::make_unique<SimulatedHost>(state, rank, *earlier[static_cast<std::size_t>(other)]);
  }
  return std::make_unique<SimulatedHost>(state, rank, enforce_memory);
}

}  // namespace

RunResult simulate(const Scenario& scenario, const Job& job, const Protocol& protocol,
                   const SimulationOptions& options, const Trajectory& recorded, TrajectoryKeeper* keeper) {
  const std::vector<RankPair> pairs = protocol.talking_pairs(job.workers());
  LoadedPlatform platform(platform_of(scenario, protocol), scenario.network, pairs);
  SimulationState state{platform,
                        Traffic(),
                        Timeline(options.trace),
                        scenario.network,
                        wire_format_of(scenario.protocol),
                        scenario.platform.variability};
  RunResult result;
  result.parameters = job.model().layout().trainable_size();
  result.network_constants = platform.network_constants();
  Failure failure(result, state);
  state.losses.resize(static_cast<std::size_t>(platform.ranks()));
  TaskPool pool(options.threads);
  Recorder recorder(job, pool, recorded, keeper, options.progress,
                    [&](const Round& round) { return protocol.evaluation_model(job, round); });
  recorder.observe(options.observer);

  const int ranks = platform.ranks();
  const auto name_of = [&](int rank) {
    return rank < job.workers() ? "worker " + std::to_string(rank)
                                : "server " + std::to_string(rank - job.workers());
  };
  const auto may_lose = [&](int rank) { return protocol.survives_losses() && rank < job.workers(); };
  platform.faults().start();
  std::vector<std::unique_ptr<SimulatedHost>> hosts;
  for (int rank = 0; rank < ranks; ++rank) {
    hosts.push_back(make_host(state, rank, hosts, options.enforce_memory));
    if (platform.host(rank)->is_on() || may_lose(rank)) continue;
    failure.note(Outcome::failed,
                 name_of(rank) + ": its host " + platform.device(rank).host + " is off from the start");
  }
  std::vector<bool> at_work(hosts.size(), true);
  const auto look_at_end = [&] {
    End end{simgrid::s4u::Engine::get_clock(), {}, state.traffic};
    for (const auto& host : hosts) end.ledgers.push_back(host->ledger_now());
    return end;
  };
  std::optional<End> end;  // of training, where servers say when
  if (protocol.servers() > 0) {
    const auto ledgers = [&] {
      std::vector<WorkerLedger> all;
      for (const auto& host : hosts) all.push_back(host->ledger());
      return all;
    };
    recorder.let_servers_report(protocol.servers(), ledgers, [&] {
      end = look_at_end();
      state.timeline.stop();
      state.over = true;
      at_work.assign(at_work.size(), false);
      simgrid::s4u::Actor::kill_all();
      simgrid::s4u::this_actor::exit();
    });
  }
  std::exception_ptr storage_trouble;
  /// Until its part is done; false if it is to begin anew.
  const auto take_part = [&](int rank) {
    // By type: to catch everything would swallow the exception with which SimGrid ends an actor.
    try {
      Worker worker(job, *hosts[static_cast<std::size_t>(rank)], pool, recorder);
      worker.is_server() ? protocol.serve(worker) : protocol.run(worker);
      at_work[static_cast<std::size_t>(rank)] = false;
    } catch (const OutOfMemory& error) {
      if (!result.out_of_memory) result.out_of_memory = error;
      failure.stop(Outcome::out_of_memory, error.what());
    } catch (const StorageError& error) {  // of the keeper: it tells nothing of the run
      storage_trouble = std::current_exception();
      failure.stop(Outcome::failed, error.what());
    } catch (const PeerLost& error) {
      if (may_lose(rank)) return false;
      failure.stop(Outcome::failed, name_of(rank) + ": " + error.what());
    } catch (const std::exception& error) {
      failure.stop(Outcome::failed, name_of(rank) + ": " + plain_words(error));
    }
    return true;
  };
  const auto lose = [&](int rank) {
    state.lose(rank);
    ++result.losses;
  };
  int running = 0;
  const auto steps_of_all = [&] {
    std::int64_t steps = 0;
    for (const auto& host : hosts) steps += host->ledger().local_steps;
    return steps;
  };
  const auto start = [&](int rank) {
    ++running;
    compat::add_actor(name_of(rank), platform.host(rank), [&, rank] {
      simgrid::s4u::this_actor::on_exit([&](bool) {
        if (--running == 0) platform.faults().stop();
      });
      double pause_seconds = 1, since = simgrid::s4u::Engine::get_clock();
      std::int64_t steps = steps_of_all();
      while (!take_part(rank)) {  // a link on its way is off
        lose(rank);
        if (const std::int64_t now = steps_of_all(); std::exchange(steps, now) != now) {
          since = simgrid::s4u::Engine::get_clock();
          pause_seconds = 1;
        }
        if (simgrid::s4u::Engine::get_clock() > since + forever_seconds)
          return failure.stop(Outcome::failed, "nobody has reached a server for a day");
        simgrid::s4u::this_actor::sleep_for(pause_seconds);
        pause_seconds = std::min(2 * pause_seconds, longest_pause_seconds);
      }
    });
  };
  compat::on_host_onoff([&](const simgrid::s4u::Host& host) {
    for (int rank = 0; rank < ranks; ++rank) {
      if (platform.host(rank) != &host || !at_work[static_cast<std::size_t>(rank)] || state.over) continue;
      if (!may_lose(rank) && !host.is_on()) {
        failure.note(Outcome::failed, name_of(rank) + ": its host " + host.get_name() + " was turned off");
        if (protocol.survives_losses()) failure.end_all();  // workers would try to reach it for ever
      } else if (may_lose(rank)) {
        host.is_on() ? start(rank) : lose(rank);
      }
    }
    bool all_gone = protocol.survives_losses();
    for (int rank = 0; rank < job.workers(); ++rank)
      all_gone = all_gone && platform.faults().is_gone(platform.host(rank));
    if (all_gone && !state.over)
      failure.stop(Outcome::failed, "all workers are lost, and none will come back");
  });
  for (int rank = 0; rank < ranks && !failure.happened(); ++rank) {
    if (platform.host(rank)->is_on()) start(rank);
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
  result.staleness = recorder.staleness();
  if (!end) end = look_at_end();
  result.simulated_seconds = end->seconds;
  std::vector<std::string> tracks;
  for (int rank = 0; rank < ranks; ++rank) {
    const SimulatedHost& host = *hosts[static_cast<std::size_t>(rank)];
    const Device& device = platform.device(rank);
    WorkerResult worker{.host = device.host,
                        .is_server = rank >= job.workers(),
                        .ledger = end->ledgers[static_cast<std::size_t>(rank)],
                        .memory_peak = host.memory_peak(),
                        .memory_limit_bytes = device.memory_bytes};
    // Who is done early is idle until the last one is.
    const double rest = end->seconds - worker.ledger.compute_seconds - worker.ledger.communication_seconds;
    if (rest > worker.ledger.idle_seconds + time_precision_seconds) worker.ledger.idle_seconds = rest;
    if (const DeviceModel* model = platform.device_model(rank))
      worker.energy_joules = model->profile().joules(worker.ledger.compute_seconds, end->seconds);
    tracks.push_back(std::to_string(rank) + " " + device.host);
    result.workers.push_back(worker);
  }
  if (protocol.servers() > 0 && result.outcome == Outcome::completed) result.count_lost(job);
  result.links = end->traffic.results(platform.links());
  if (options.trace) result.trace = state.timeline.chrome_trace(tracks);
  return result;
}

}  // namespace isthmus
