#include "sim/study/estimate.hpp"

#include <algorithm>
#include <boost/random/normal_distribution.hpp>
#include <map>
#include <set>

#include "models/network.hpp"
#include "models/threads.hpp"
#include "sim/study/round_trial.hpp"
#include "sim/study/stopwatch.hpp"

namespace isthmus {
namespace {

constexpr long most_trial_rounds = 4;

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

/// FLOPs of training, and of tests on the whole model.
double numeric_flops(const PlannedRun& run) {
  const auto tests = static_cast<double>(run.job->rounds().evaluations());
  return training_flops(run) +
         tests * run.job->model().costs(1).forward_flops * static_cast<double>(run.job->data().test_samples);
}

/// Bytes of a run's files, by their usual rows.
double file_bytes(const PlannedRun& run) {
  constexpr double run_json = 5000, history_row = 110, worker_row = 190, link_row = 80;
  return run_json + history_row * static_cast<double>(run.job->rounds().evaluations()) +
         (worker_row + 2 * link_row) * run.job->workers();
}

/// The sum of what each run takes, if a trial of each kind tells.
class Total {
 public:
  /// `kind`: runs for which `trial` would return the same.
  void add(const std::string& kind, double amount, const std::function<nlohmann::json()>& trial) {
    const auto [known, is_new] = trials_.emplace(kind, std::nullopt);
    if (is_new) {
      if (const auto seconds = try_out(trial)) known->second = seconds->get<double>();
    }
    if (known->second) seconds_ += amount * *known->second;
    complete_ = complete_ && known->second;
  }
  std::optional<double> seconds(int cores) const {
    return complete_ ? std::optional(seconds_ / cores) : std::nullopt;
  }

 private:
  std::map<std::string, std::optional<double>> trials_;
  double seconds_ = 0;
  bool complete_ = true;
};

}  // namespace

StudyEstimate estimate_study(const std::vector<PlannedRun>& runs, const TrajectoryStore& store, int cores) {
  StudyEstimate estimate;
  std::set<std::string> trajectories;
  Total training, replay;
  for (const PlannedRun& run : runs) {
    const nlohmann::json& configuration = run.point.configuration;
    const std::string workers = std::to_string(run.job->workers());
    estimate.study_bytes += file_bytes(run);
    const long rounds = run.job->rounds().size();
    replay.add(configuration.at("protocol").dump() + configuration.at("model").dump() + workers,
               static_cast<double>(rounds), [&] {
                 return try_rounds(run.point.scenario, std::min(rounds, most_trial_rounds)).wall_seconds;
               });
    if (!run.point.scenario.live) continue;
    ++estimate.live_runs;
    const TrajectoryKey key = trajectory_key(run);
    if (!trajectories.insert(key.name).second) continue;
    if (store.is_complete(key)) {
      ++estimate.stored;
      continue;
    }
    estimate.store_bytes = std::max(estimate.store_bytes, cores * state_bytes(run));
    training.add(configuration.at("model").dump() + configuration.at("data").dump(), numeric_flops(run),
                 [&] { return 1 / training_speed(*run.job); });
  }
  estimate.trajectories = trajectories.size();
  estimate.training_seconds = training.seconds(cores);
  estimate.replay_seconds = replay.seconds(cores);
  return estimate;
}

}  // namespace isthmus
