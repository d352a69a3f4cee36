#include "sim/core/recorder.hpp"

#include <algorithm>

namespace isthmus {

Recorder::Recorder(const Job& job, TaskPool& pool, const Trajectory& recorded, TrajectoryKeeper* keeper,
                   Progress progress, EvaluationModel evaluation_model)
    : job_(job),
      pool_(pool),
      recorded_(recorded),
      keeper_(keeper),
      progress_(std::move(progress)),
      evaluation_model_(std::move(evaluation_model)) {}

void Recorder::publish(const Round& round, const Selection& part, ConstValues values) {
  if (part.empty() || !round.evaluated || !computes(round.index)) return;
  std::vector<float>& parameters = open_[round.index].parameters;
  parameters.resize(job_.model().layout().size());
  Transfer(part, Selection::everything(job_.model().layout())).scatter(values, parameters);
}

void Recorder::publish_replica(const Round& round, int rank, ConstValues values, bool ends_apart) {
  if (!round.evaluated || !computes(round.index)) return;
  OpenRound& open = open_[round.index];
  open.waiting[rank].assign(values.begin(), values.end());
  open.sum.resize(values.size());
  for (auto next = open.waiting.begin(); next != open.waiting.end() && next->first == open.added;
       next = open.waiting.erase(next), ++open.added) {
    for (std::size_t i = 0; i < open.sum.size(); ++i) {
      const double value = next->second[i];
      open.sum[i] += value;
      open.squares += value * value;
    }
  }
  const int n = job_.workers();
  if (open.added < n) return;
  double squares_of_mean = 0;
  for (const double sum : open.sum) squares_of_mean += sum / n * (sum / n);
  const double distance = open.squares / n - squares_of_mean;  // NaN of what has diverged
  open.row.consensus_distance = distance < 0 ? 0 : distance;
  if (!ends_apart) return;
  open.parameters.clear();
  for (const double sum : open.sum) open.parameters.push_back(static_cast<float>(sum / n));
}

void Recorder::end_round(const Round& round, const RoundReport& report, const Selection& part,
                         ConstValues values) {
  Recorder::publish(round, part, values);
  OpenRound& open = open_[round.index];
  open.row.simulated_seconds = std::max(open.row.simulated_seconds, report.simulated_seconds);
  open.row.bytes_sent += report.ledger.bytes_sent;
  open.synchronised_bytes += report.ledger.synchronised_bytes;
  open.training.resize(static_cast<std::size_t>(job_.workers()));
  open.training[static_cast<std::size_t>(report.rank)] = report.training;
  if (observer_) observer_(round, report);
  if (++open.reports == job_.workers()) {
    close(round, std::move(open));
    open_.erase(round.index);
  }
}

void Recorder::close(const Round& round, OpenRound open) {
  open.row.round = round.index;
  open.row.local_steps = round.steps_so_far;
  open.row.samples = round.steps_so_far * job_.workers() * job_.training().samples_per_step();
  rounds_completed_ = round.index;
  constexpr double up_and_down = 2;
  paper_bytes_ = up_and_down * static_cast<double>(open.synchronised_bytes);
  if (round.evaluated) {
    BatchResult training;
    for (const BatchResult& of_worker : open.training) training += of_worker;
    if (training.samples > 0) open.row.train_loss = training.mean_loss();
    rows_.push_back(open.row);
    if (!computes(round.index)) {
      take_recorded(rows_.back());
    } else {
      // Snapshots must not pile up where training is faster than evaluation.
      while (evaluations_.size() >= static_cast<std::size_t>(2 * pool_.threads())) finish_oldest_evaluation();
      std::shared_ptr<const Model> own = evaluation_model_ ? evaluation_model_(round) : nullptr;
      evaluations_.emplace_back(rows_.size() - 1,
                                pool_.submit([this, own, parameters = std::move(open.parameters)]() mutable {
                                  return evaluate(own ? *own : job_.model(), std::move(parameters),
                                                  job_.dataset(), job_.training().evaluation_batch);
                                }));
    }
  }
  if (progress_) {
    const std::size_t evaluated = rows_.size() - evaluations_.size();
    HistoryRow so_far = open.row;
    if (evaluated > 0) so_far.test_accuracy = rows_[evaluated - 1].test_accuracy;
    progress_(round, so_far);
  }
}

void Recorder::take_recorded(HistoryRow& row) const {
  const auto recorded = std::ranges::lower_bound(recorded_.rows, row.round, {}, &Trajectory::Row::round);
  if (recorded == recorded_.rows.end() || recorded->round != row.round) return;  // only costs are counted
  row.train_loss = recorded->train_loss;
  row.test_loss = recorded->test_loss;
  row.test_accuracy = recorded->test_accuracy;
  row.consensus_distance = recorded->consensus_distance;
}

bool Recorder::wants_state(const Round& round) {
  if (!keeper_ || round.last || !computes(round.index)) return false;
  if (round.index > last_asked_) {
    last_asked_ = round.index;
    if (!states_ && keeper_->due()) {
      const auto workers = static_cast<std::size_t>(job_.workers());
      states_ = States{round.index, 0, std::vector<Trajectory::WorkerState>(workers)};
    }
  }
  return states_ && states_->round == round.index;
}

void Recorder::keep(const Round& round, int rank, Trajectory::WorkerState state) {
  states_->workers[static_cast<std::size_t>(rank)] = std::move(state);
  if (++states_->count < job_.workers()) return;
  // Rounds close in order, and this one just did: there are rows up to it and no others.
  Trajectory so_far = trajectory();
  so_far.rounds = round.index;
  so_far.workers = std::move(states_->workers);
  states_.reset();
  keeper_->keep(so_far);
}

Trajectory Recorder::trajectory() {
  Trajectory result;
  result.rounds = rounds_completed_;
  result.shard_samples = job_.shard_samples();
  for (const HistoryRow& row : history()) {
    result.rows.push_back(
        {row.round, row.train_loss, row.test_loss, row.test_accuracy, row.consensus_distance});
  }
  return result;
}

void Recorder::finish_oldest_evaluation() {
  auto& [row, evaluation] = evaluations_.front();
  const BatchResult result = evaluation.get();
  rows_[row].test_loss = result.mean_loss();
  rows_[row].test_accuracy = result.accuracy();
  evaluations_.pop_front();
}

std::vector<HistoryRow> Recorder::history() {
  while (!evaluations_.empty()) finish_oldest_evaluation();
  return rows_;
}

}  // namespace isthmus
