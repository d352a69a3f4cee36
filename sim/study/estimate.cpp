#include "sim/study/estimate.hpp"

#include <algorithm>
#include <boost/random/normal_distribution.hpp>
#include <map>
#include <set>

#include "models/network.hpp"
#include "models/threads.hpp"
#include "sim/process/isolated.hpp"
#include "sim/study/stopwatch.hpp"

namespace isthmus {
namespace {

/// FLOP/s at which one thread trains a model. A step on few samples stands for one on many.
double training_speed(const Job& job) {
  constexpr double enough_flops = 4e9, enough_seconds = 0.3;
  use_one_thread();
  const double flops_per_sample = job.model().costs(1).gradient_flops();
  const int batch = static_cast<int>(
      std::clamp(enough_flops / flops_per_sample, 2.0, static_cast<double>(job.training().batch)));
  const auto network = job.model().network(batch, job.training().precision);
  Random random = random_stream(1, "estimate");
  std::vector<float> parameters = job.model().initial_parameters(random_stream(1, "estimate")),
                     gradients(job.model().layout().trainable_size());
  Matrix inputs(batch, job.data().shape.size());
  boost::random::normal_distribution<float> normal;
  std::generate_n(inputs.data(), inputs.size(), [&] { return normal(random); });
  const std::vector<int> labels(static_cast<std::size_t>(batch));
  const ConstMatrixMap map(inputs.data(), inputs.rows(), inputs.cols());
  network->gradient(parameters, {map, labels}, gradients);  // the first makes the kernels
  const Stopwatch watch;
  int steps = 0;
  do {
    network->gradient(parameters, {map, labels}, gradients);
    ++steps;
  } while (watch.seconds() < enough_seconds);
  return steps * job.model().costs(batch).gradient_flops() / watch.seconds();
}

/// Of tests on the whole model.
double test_flops(const Job& job) {
  return static_cast<double>(job.rounds().evaluations()) * job.model().costs(1).forward_flops() *
         static_cast<double>(job.data().test_samples);
}

/// Bytes of a run's files, by their usual rows.
double file_bytes(const PlannedRun& run) {
  constexpr double run_json = 5000, history_row = 110, worker_row = 190, link_row = 80;
  return run_json + history_row * static_cast<double>(run.job->rounds().evaluations()) +
         (worker_row + 2 * link_row) * run.job->workers();
}

/// The sum of what each run takes, if that is known of all.
class Total {
 public:
  void add(double amount, const std::optional<double>& seconds) {
    if (seconds) seconds_ += amount * *seconds;
    complete_ = complete_ && seconds;
  }
  std::optional<double> seconds(int cores) const {
    return complete_ ? std::optional(seconds_ / cores) : std::nullopt;
  }

 private:
  double seconds_ = 0;
  bool complete_ = true;
};

/// On one thread, in training; none if even a step takes too long.
std::optional<double> seconds_of_a_flop(const Job& job) {
  constexpr double longest_seconds = 3;
  const auto found = try_isolated([&] { return nlohmann::json(1 / training_speed(job)); }, longest_seconds);
  return found ? std::optional(found->get<double>()) : std::nullopt;
}

}  // namespace

StudyEstimate estimate_study(const std::vector<PlannedRun>& runs, const TrajectoryStore& store, int cores,
                             DryRuns& dry_runs) {
  StudyEstimate estimate;
  std::set<std::string> trajectories;
  Total training, replay;
  std::map<std::string, std::optional<double>> seconds_per_flop;  // by model, data and precision
  for (const PlannedRun& run : runs) {
    const nlohmann::json& configuration = run.point.configuration;
    estimate.study_bytes += file_bytes(run);
    const std::optional<DryRun>& dry = dry_runs.of(run.point);
    replay.add(static_cast<double>(run.job->rounds().size()),
               dry ? std::optional(dry->wall_seconds) : std::nullopt);
    if (!run.point.scenario.live) continue;
    ++estimate.live_runs;
    const TrajectoryKey key = trajectory_key(run);
    const bool shares = !run.depends_on_timing();
    if (!trajectories.insert(shares ? key.name : run.point.id).second) continue;
    if (shares && store.is_complete(key)) {
      ++estimate.stored;
      continue;
    }
    if (dry) estimate.store_bytes = std::max(estimate.store_bytes, cores * dry->state_bytes());
    const auto [speed, is_new] =
        seconds_per_flop.emplace(configuration.at("model").dump() + configuration.at("data").dump() +
                                     configuration.at("training").at("precision").dump(),
                                 std::nullopt);
    if (is_new) speed->second = seconds_of_a_flop(*run.job);
    training.add(dry_runs.training_flops(run) + test_flops(*run.job), speed->second);
  }
  estimate.trajectories = trajectories.size();
  estimate.training_seconds = training.seconds(cores);
  estimate.replay_seconds = replay.seconds(cores);
  return estimate;
}

}  // namespace isthmus
