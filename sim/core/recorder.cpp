#include "sim/core/recorder.hpp"

#include <algorithm>

namespace isthmus {

std::optional<double> mean_staleness(const StalenessHistogram& staleness) {
  double updates = 0, sum = 0;
  for (const auto& [updates_between, count] : staleness) {
    updates += static_cast<double>(count);
    sum += static_cast<double>(updates_between) * static_cast<double>(count);
  }
  return updates > 0 ? std::optional(sum / updates) : std::nullopt;
}

Recorder::Recorder(const Job& job, TaskPool& pool, const Trajectory& recorded, TrajectoryKeeper* keeper,
                   Progress progress, Test test)
    : job_(job),
      pool_(pool),
      recorded_(recorded),
      keeper_(keeper),
      progress_(std::move(progress)),
      test_(std::move(test)),
      reporters_(job.workers()) {}

void Recorder::let_servers_report(int servers, Ledgers ledgers) {
  reporters_ = servers;
  ledgers_ = std::move(ledgers);
  training_.resize(static_cast<std::size_t>(job_.workers()));
}

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

void Recorder::end_round(const Round& round, const RoundReport& of_rank, const Selection& part,
                         ConstValues values) {
  Recorder::publish(round, part, values);
  report(round, of_rank);
}

void Recorder::end_round(const Round& round, const RoundReport& of_rank, const Extent& home,
                         ConstValues values) {
  if (round.evaluated && computes(round.index)) {
    std::vector<float>& parameters = open_[round.index].parameters;
    parameters.resize(job_.model().layout().size());
    copy(values, Values(parameters).slice(home.offset, home.size));
  }
  report(round, of_rank);
}

void Recorder::report(const Round& round, const RoundReport& report) {
  OpenRound& open = open_[round.index];
  open.row.simulated_seconds = std::max(open.row.simulated_seconds, report.simulated_seconds);
  open.row.bytes_sent += report.ledger.bytes_sent;
  open.synchronised_bytes += report.ledger.synchronised_bytes;
  if (report.steps) open.steps = open.steps.value_or(0) + *report.steps;
  if (!ledgers_) {
    open.training.resize(static_cast<std::size_t>(job_.workers()));
    open.training[static_cast<std::size_t>(report.rank)] = report.training;
    if (observer_) observer_(round, report);
  }
  if (++open.reports < reporters_) return;
  if (ledgers_) look_at_ledgers(round, open);
  const std::optional<double> limit = job_.training().end_after_seconds;
  ended_early_ = limit && open.row.simulated_seconds >= *limit && !round.last;
  close(round, std::move(open));
  open_.erase(round.index);
  if (ended_early_) over_();
}

void Recorder::look_at_ledgers(const Round& round, OpenRound& open) {
  const std::vector<WorkerLedger> ledgers = ledgers_();
  open.row.bytes_sent = open.synchronised_bytes = 0;
  for (std::size_t rank = 0; rank < ledgers.size(); ++rank) {
    open.row.bytes_sent += ledgers[rank].bytes_sent;
    open.synchronised_bytes += ledgers[rank].synchronised_bytes;
    if (observer_) observer_(round, {static_cast<int>(rank), open.row.simulated_seconds, ledgers[rank]});
  }
  if (!round.evaluated) return;
  const auto workers = static_cast<std::size_t>(job_.workers());
  open.training = std::exchange(training_, std::vector<BatchResult>(workers));
}

void Recorder::add_training(const RoundReport& report) {
  training_[static_cast<std::size_t>(report.rank)] += report.training;
}

void Recorder::server_is_done() {
  if (++servers_done_ == reporters_) over_();
}

void Recorder::add_update(long staleness) {
  ++staleness_[staleness];
  ++recent_staleness_[staleness];
}

void Recorder::close(const Round& round, OpenRound open) {
  open.row.round = round.index;
  open.row.local_steps = round.steps_so_far;
  const long planned = round.steps_so_far * job_.participants() * job_.training().samples_per_step();
  samples_ += open.steps.value_or(0) * job_.training().samples_per_step();
  open.row.samples = open.steps ? samples_ : planned;
  rounds_completed_ = round.index;
  constexpr double up_and_down = 2;
  paper_bytes_ = up_and_down * static_cast<double>(open.synchronised_bytes);
  if (round.evaluated) {
    BatchResult training;
    for (const BatchResult& of_worker : open.training) training += of_worker;
    if (training.samples > 0) open.row.train_loss = training.mean_loss();
    take_staleness(open.row);
    rows_.push_back(open.row);
    if (!computes(round.index)) {
      take_recorded(rows_.back());
    } else {
      // Snapshots must not pile up where training is faster than evaluation.
      while (evaluations_.size() >= static_cast<std::size_t>(2 * pool_.threads())) finish_oldest_evaluation();
      evaluations_.emplace_back(
          rows_.size() - 1, pool_.submit([this, round, parameters = std::move(open.parameters)]() mutable {
            return test_(round, std::move(parameters));
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

void Recorder::take_staleness(HistoryRow& row) {
  if (recent_staleness_.empty()) return;
  row.staleness_mean = mean_staleness(recent_staleness_);
  row.staleness_max = recent_staleness_.rbegin()->first;
  recent_staleness_.clear();
}

void Recorder::take_recorded(HistoryRow& row) const {
  const auto recorded = std::ranges::lower_bound(recorded_.rows, row.round, {}, &Trajectory::Row::round);
  if (recorded == recorded_.rows.end() || recorded->round != row.round) return;  // only costs are counted
  row.train_loss = recorded->train_loss;
  row.test_loss = recorded->test_loss;
  row.test_accuracy = recorded->test_accuracy;
  row.consensus_distance = recorded->consensus_distance;
  row.precision_at_3 = recorded->precision_at_3;
  row.precision_at_5 = recorded->precision_at_5;
}

bool Recorder::wants_state(const Round& round) {
  if (!keeper_ || ledgers_ || round.last || !computes(round.index)) return false;
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
    result.rows.push_back({row.round, row.train_loss, row.test_loss, row.test_accuracy,
                           row.consensus_distance, row.precision_at_3, row.precision_at_5});
  }
  return result;
}

void Recorder::finish_oldest_evaluation() {
  auto& [row, evaluation] = evaluations_.front();
  const BatchResult result = evaluation.get();
  rows_[row].test_loss = result.mean_loss();
  rows_[row].test_accuracy = result.accuracy();
  rows_[row].precision_at_3 = result.precision_at_3();
  rows_[row].precision_at_5 = result.precision_at_5();
  evaluations_.pop_front();
}

std::vector<HistoryRow> Recorder::history() {
  while (!evaluations_.empty()) finish_oldest_evaluation();
  return rows_;
}

}  // namespace isthmus
