#include "sim/study/run_child.hpp"

#include <algorithm>
#include <stdexcept>

#include "analysis/format.hpp"
#include "sim/process/isolated.hpp"
#include "sim/process/machine.hpp"
#include "sim/simgrid/simulation.hpp"
#include "sim/study/dry_run.hpp"
#include "sim/study/stopwatch.hpp"

namespace isthmus {
namespace {

/// Stores the state of a training now and then: not so often that this takes more than some hundredths of
/// its time.
class StoreKeeper final : public TrajectoryKeeper {
 public:
  StoreKeeper(const TrajectoryStore& store, const TrajectoryKey& key, double seconds_between)
      : store_(store), key_(key), seconds_between_(seconds_between) {}

  bool due() override { return since_last_.seconds() >= seconds_between_; }
  void keep(const Trajectory& trajectory) override {
    constexpr double least_share_of_training = 20;
    const Stopwatch writing;
    store_.write(key_, trajectory);
    since_last_ = Stopwatch();
    seconds_between_ = std::max(seconds_between_, least_share_of_training * writing.seconds());
  }

 private:
  const TrajectoryStore& store_;
  const TrajectoryKey& key_;
  double seconds_between_;
  Stopwatch since_last_;
};

Provenance provenance_of(const RunTask& task, const std::string& numerics) {
  Provenance provenance{.numerics = numerics, .trajectory = {}, .platform = platform_hash(*task.run)};
  provenance.devices = device_hashes(*task.run);
  if (task.trajectory) provenance.trajectory = task.trajectory->name;
  return provenance;
}

bool fits_devices(const PlannedRun& run, const DryRun& dry) {
  for (std::size_t rank = 0; rank < dry.memory_peaks.size(); ++rank) {
    const auto limit = run.platform->hosts[rank].memory_bytes;
    if (limit && dry.memory_peaks[rank].total() > *limit) return false;
  }
  return true;
}

/// Whether to compute: not if this machine cannot hold the parameters of all workers, but phantoms, which
/// take none of its memory, show what does not fit the devices either. Throws std::runtime_error if it does.
bool can_compute(const PlannedRun& run) {
  const Job& job = *run.job;
  const double model = sizeof(float) * static_cast<double>(job.model().layout().size());
  const double available = available_memory_bytes();
  constexpr double copies = 3;  // of the model, at most: parameters, and what optimizers keep
  if (model * (1 + copies * job.workers()) <= available) return true;
  const std::optional<DryRun> dry = dry_run(run.point.scenario);
  const double need = model + (dry ? dry->state_bytes() : model * job.workers());
  if (need <= available) return true;
  if (dry && !fits_devices(run, *dry)) return false;
  throw std::runtime_error("training needs " + format_memory(need) +
                           " of this machine's memory at least, for the parameters of all workers; " +
                           format_memory(available) +
                           " are available (a smaller model, fewer workers, or \"numerics\": \"costs\")");
}

}  // namespace

nlohmann::json carry_out(const RunTask& task, const TrajectoryStore& store, RunProgress& progress) {
  const Stopwatch watch;
  const Scenario& scenario = task.run->point.scenario;
  Trajectory recorded;
  std::optional<TrajectoryStore::Lock> lock;
  if (task.trajectory) {
    recorded = store.read(*task.trajectory);
    if (!is_complete(recorded)) {
      lock.emplace(store, *task.trajectory);
      if (!lock->try_lock()) {
        progress.waits = true;
        lock->lock();
        progress.waits = false;
      }
      recorded = store.read(*task.trajectory);  // another process may have gone on with it
    }
  }
  const bool computes = scenario.live && !is_complete(recorded) && can_compute(*task.run);
  Job job(scenario.data, scenario.model, scenario.training, scenario.platform.workers,
          task.run->protocol->round_plan(), computes);
  if (!computes) job.set_shard_samples(recorded.shard_samples);
  progress.rounds = job.rounds().size();
  std::optional<StoreKeeper> keeper;
  if (lock) keeper.emplace(store, *task.trajectory, task.seconds_between_states);
  const RunResult result = simulate(scenario, job, *task.run->protocol,
                                    {.threads = task.threads,
                                     .trace = task.trace,
                                     .progress =
                                         [&](const Round& round, const HistoryRow& so_far) {
                                           progress.round = round.index;
                                           progress.simulated_seconds = so_far.simulated_seconds;
                                           if (so_far.test_accuracy)
                                             progress.test_accuracy = *so_far.test_accuracy;
                                         }},
                                    recorded, keeper ? &*keeper : nullptr);
  const bool trained = lock && computes && result.outcome == Outcome::completed;
  if (trained) store.write(*task.trajectory, result.trajectory);
  const OrderedJson run = write_run(task.folder, task.run->point, result,
                                    provenance_of(task, !scenario.live          ? "costs"
                                                        : is_complete(recorded) ? "replayed"
                                                                                : "live"),
                                    watch.seconds());
  return {{"run", run.dump()}, {"complete", trained || is_complete(recorded)}};
}

OrderedJson write_failure(const RunTask& task, const std::exception& error, double wall_seconds) {
  RunResult result;
  result.message = error.what();
  Provenance provenance = provenance_of(task, task.run->point.scenario.live ? "live" : "costs");
  const auto* death = dynamic_cast<const IsolatedDeath*>(&error);
  provenance.killed = death && death->killed();
  return write_run(task.folder, task.run->point, result, provenance, wall_seconds);
}

}  // namespace isthmus
