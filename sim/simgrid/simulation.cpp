#include "sim/simgrid/simulation.hpp"

#include <algorithm>
#include <simgrid/Exception.hpp>
#include <utility>

#include "models/error.hpp"
#include "sim/core/patience.hpp"
#include "sim/process/plain_words.hpp"
#include "sim/simgrid/compat.hpp"
#include "sim/simgrid/network_config.hpp"
#include "sim/simgrid/simulated_host.hpp"

namespace isthmus {
namespace {

namespace s4u = simgrid::s4u;

/// One run of a protocol: an actor a rank.
class Simulation {
 public:
  Simulation(const Scenario& scenario, const Job& job, const Protocol& protocol,
             const SimulationOptions& options, const Trajectory& recorded, TrajectoryKeeper* keeper)
      : job_(job),
        protocol_(protocol),
        platform_(platform_of(scenario, protocol), scenario.network, protocol.talking_pairs(job.workers())),
        state_{platform_,
               Traffic(),
               Timeline(options.trace),
               scenario.network,
               wire_format_of(scenario.protocol),
               scenario.platform.variability},
        traced_(options.trace),
        pool_(options.threads),
        recorder_(job, pool_, recorded, keeper, options.progress,
                  [&](const Round& round, std::vector<float> parameters) {
                    return protocol.test(job, round, std::move(parameters));
                  }) {
    state_.losses.resize(static_cast<std::size_t>(platform_.ranks()));
    recorder_.observe(options.observer);
    platform_.faults().start();
    for (int rank = 0; rank < platform_.ranks(); ++rank) add_host(rank, options.enforce_memory);
    at_work_.assign(hosts_.size(), true);
    if (protocol.servers() > 0)
      recorder_.let_servers_report(protocol.servers(), [this] { return ledgers(); });
    recorder_.when_over([this] { end_training(); });
  }

  /// Throws StorageError of the keeper.
  RunResult run() {
    compat::on_host_onoff([this](const s4u::Host& host) { host_changed(host); });
    s4u::Engine::on_deadlock_cb(
        [this] { note(Outcome::deadlock, "every worker waits for a message that nobody sends"); });
    for (int rank = 0; rank < platform_.ranks() && !failed_; ++rank) {
      if (platform_.host(rank)->is_on()) start(rank);
    }
    platform_.engine().run();
    if (storage_trouble_) std::rethrow_exception(storage_trouble_);
    if (!failed_) {
      const bool finished =
          recorder_.rounds_completed() == job_.rounds().last_kept() || recorder_.has_ended_early();
      result_.outcome = finished ? Outcome::completed : Outcome::failed;
      if (!finished) result_.message = "some workers ended before training did";
    }
    if (!end_) look_at_end();
    collect();
    return std::move(result_);
  }

 private:
  /// What there is to see when training is over.
  struct End {
    double seconds = 0;
    std::vector<WorkerLedger> ledgers;  ///< by rank
    Traffic traffic;
  };

  bool is_server(int rank) const { return rank >= job_.workers(); }
  /// Whether the run goes on without that rank.
  bool may_lose(int rank) const { return protocol_.survives_losses() && !is_server(rank); }
  SimulatedHost& host(int rank) const { return *hosts_[static_cast<std::size_t>(rank)]; }

  void add_host(int rank, bool enforce_memory) {
    const auto same = [&](int other) { return platform_.host(other) == platform_.host(rank); };
    int beside = 0;
    while (is_server(rank) && beside < rank && !same(beside)) ++beside;
    const bool shares_device = is_server(rank) && beside < rank;
    hosts_.push_back(shares_device ? std::make_unique<SimulatedHost>(state_, rank, host(beside))
                                   : std::make_unique<SimulatedHost>(state_, rank, enforce_memory));
    if (platform_.host(rank)->is_on() || may_lose(rank)) return;
    note(Outcome::failed,
         job_.name_of(rank) + ": its host " + platform_.device(rank).host + " is off from the start");
  }

  // The first thing that goes wrong decides the outcome; most things end all ranks.

  void note(Outcome outcome, const std::string& message) {
    if (std::exchange(failed_, true)) return;
    result_.outcome = outcome;
    result_.message = message;
  }
  void stop(Outcome outcome, const std::string& message) {
    note(outcome, message);
    end_others();
  }
  void end_others() {
    state_.over = true;
    s4u::Actor::kill_all();
  }

  /// All servers have ended the last round, or time is over: what workers are in the midst of comes to
  /// nothing.
  void end_training() {
    look_at_end();
    state_.timeline.stop();
    at_work_.assign(at_work_.size(), false);
    end_others();
    s4u::this_actor::exit();
  }

  void start(int rank) {
    ++running_;
    compat::add_actor(job_.name_of(rank), platform_.host(rank), [this, rank] {
      s4u::this_actor::on_exit([this](bool) {
        if (--running_ == 0) platform_.faults().stop();
      });
      take_part_at_last(rank);
    });
  }

  /// Tries again while a link on its way is off.
  void take_part_at_last(int rank) {
    double pause_seconds = first_pause_seconds, since_seconds = s4u::Engine::get_clock();
    std::int64_t steps = steps_of_all();
    while (!take_part(rank)) {
      lose(rank);
      const double now_seconds = s4u::Engine::get_clock();
      if (const std::int64_t before = std::exchange(steps, steps_of_all()); before != steps) {
        since_seconds = now_seconds;
        pause_seconds = first_pause_seconds;
      }
      if (now_seconds > since_seconds + forever_seconds)
        return stop(Outcome::failed, "nobody has reached a server for a day");
      s4u::this_actor::sleep_for(pause_seconds);
      pause_seconds = std::min(2 * pause_seconds, longest_pause_seconds);
    }
  }

  /// Until its part is done, or the run; false if it is to begin anew.
  bool take_part(int rank) {
    // By type: to catch everything would swallow the exception with which SimGrid ends an actor.
    try {
      Worker worker(job_, host(rank), pool_, recorder_);
      is_server(rank) ? protocol_.serve(worker) : protocol_.run(worker);
      at_work_[static_cast<std::size_t>(rank)] = false;
    } catch (const OutOfMemory& error) {
      if (!result_.out_of_memory) result_.out_of_memory = error;
      stop(Outcome::out_of_memory, error.what());
    } catch (const StorageError& error) {  // of the keeper: it tells nothing of the run
      storage_trouble_ = std::current_exception();
      stop(Outcome::failed, error.what());
    } catch (const PeerLost& error) {
      if (may_lose(rank)) return false;
      stop(Outcome::failed, job_.name_of(rank) + ": " + error.what());
    } catch (const std::exception& error) {
      stop(Outcome::failed, job_.name_of(rank) + ": " + plain_words(error));
    }
    return true;
  }

  void host_changed(const s4u::Host& changed) {
    for (int rank = 0; rank < platform_.ranks(); ++rank) {
      if (platform_.host(rank) != &changed || !at_work_[static_cast<std::size_t>(rank)] || state_.over)
        continue;
      if (may_lose(rank)) {
        changed.is_on() ? start(rank) : lose(rank);
      } else if (!changed.is_on()) {
        note(Outcome::failed, job_.name_of(rank) + ": its host " + changed.get_name() + " was turned off");
        if (protocol_.survives_losses()) end_others();  // workers would try to reach it for ever
      }
    }
    if (all_are_gone() && !state_.over)
      stop(Outcome::failed, "all workers are lost, and none will come back");
  }
  bool all_are_gone() {
    for (int rank = 0; rank < job_.workers(); ++rank)
      if (!may_lose(rank) || !platform_.faults().is_gone(platform_.host(rank))) return false;
    return true;
  }
  void lose(int rank) {
    state_.lose(rank);
    ++result_.losses;
  }

  std::int64_t steps_of_all() const {
    std::int64_t steps = 0;
    for (const auto& host : hosts_) steps += host->ledger().local_steps;
    return steps;
  }
  std::vector<WorkerLedger> ledgers() const {
    std::vector<WorkerLedger> all;
    for (const auto& host : hosts_) all.push_back(host->ledger_now());
    return all;
  }
  void look_at_end() { end_ = End{s4u::Engine::get_clock(), ledgers(), state_.traffic}; }

  void collect() {
    result_.parameters = job_.model().layout().trainable_size();
    result_.network_constants = platform_.network_constants();
    result_.rounds = recorder_.rounds_completed();
    result_.paper_bytes = recorder_.paper_bytes();
    result_.history = recorder_.history();
    result_.trajectory = recorder_.trajectory();
    result_.staleness = recorder_.staleness();
    result_.simulated_seconds = end_->seconds;
    result_.links = end_->traffic.results(platform_.links());
    std::vector<std::string> tracks;
    for (int rank = 0; rank < platform_.ranks(); ++rank) {
      result_.workers.push_back(result_of(rank));
      tracks.push_back(std::to_string(rank) + " " + platform_.device(rank).host);
    }
    if (protocol_.servers() > 0 && result_.outcome == Outcome::completed) result_.count_lost(job_);
    if (traced_) result_.trace = state_.timeline.chrome_trace(tracks);
  }

  WorkerResult result_of(int rank) const {
    const Device& device = platform_.device(rank);
    WorkerResult worker{.host = device.host,
                        .is_server = is_server(rank),
                        .ledger = end_->ledgers[static_cast<std::size_t>(rank)],
                        .memory_peak = host(rank).memory_peak(),
                        .memory_limit_bytes = device.memory_bytes};
    // Who is done early is idle until the last one is.
    const double rest = end_->seconds - worker.ledger.compute_seconds - worker.ledger.communication_seconds;
    if (rest > worker.ledger.idle_seconds + time_precision_seconds) worker.ledger.idle_seconds = rest;
    if (const DeviceModel* model = platform_.device_model(rank))
      worker.energy_joules = model->profile().joules(worker.ledger.compute_seconds, end_->seconds);
    return worker;
  }

  const Job& job_;
  const Protocol& protocol_;
  LoadedPlatform platform_;
  SimulationState state_;
  bool traced_;
  TaskPool pool_;
  Recorder recorder_;
  std::vector<std::unique_ptr<SimulatedHost>> hosts_;  // by rank
  std::vector<bool> at_work_;                          // likewise
  int running_ = 0;                                    // actors
  std::optional<End> end_;
  RunResult result_;
  bool failed_ = false;
  std::exception_ptr storage_trouble_;
};

}  // namespace

RunResult simulate(const Scenario& scenario, const Job& job, const Protocol& protocol,
                   const SimulationOptions& options, const Trajectory& recorded, TrajectoryKeeper* keeper) {
  return Simulation(scenario, job, protocol, options, recorded, keeper).run();
}

}  // namespace isthmus
