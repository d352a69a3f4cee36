#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "models/partition/selection.hpp"
#include "models/trainer.hpp"
#include "sim/core/job.hpp"
#include "sim/core/ledger.hpp"
#include "sim/core/task_pool.hpp"
#include "sim/core/trajectory.hpp"

namespace isthmus {

/// A row of history.csv. What was not measured is missing: in runs that only count costs, losses and
/// accuracy.
struct HistoryRow {
  long round = 0;
  long local_steps = 0;              ///< of each worker so far
  long samples = 0;                  ///< of all workers so far
  double simulated_seconds = 0;      ///< when the last worker had finished the round
  std::uint64_t bytes_sent = 0;      ///< by all workers up to the end of the round
  std::optional<double> train_loss;  ///< mean over the mini-batches since the last row
  std::optional<double> test_loss, test_accuracy;
  std::optional<double> precision_at_3, precision_at_5;  ///< of samples with sets of labels
  /// Where workers have versions of their own of all parameters: the mean square of how far they are from
  /// their mean.
  std::optional<double> consensus_distance;
  /// Where workers do not wait for each other: how many updates of others came between what a worker began
  /// with and its own update, since the last row.
  std::optional<double> staleness_mean;
  std::optional<long> staleness_max;
};

/// What a worker or server says at the end of a round.
struct RoundReport {
  int rank = 0;
  double simulated_seconds = 0;
  WorkerLedger ledger = {};        ///< up to now
  BatchResult training = {};       ///< since its last report of an evaluated round
  std::optional<long> steps = {};  ///< of all workers together, if not those that the round plans
};

/// How many updates there were of each staleness.
using StalenessHistogram = std::map<long, long>;
std::optional<double> mean_staleness(const StalenessHistogram& staleness);  ///< none of none

/// Turns what workers report into the history of a run. Test accuracy is measured beside the simulation, off
/// its clock, on the parameters that workers publish; for rounds that a trajectory holds it is taken from
/// there.
class Recorder {
 public:
  using Progress = std::function<void(const Round&, const HistoryRow& so_far)>;

  /// Hears every worker's report.
  using Observer = std::function<void(const Round&, const RoundReport&)>;

  /// What the model is worth after a round; called in any thread.
  using Test = std::function<BatchResult(const Round&, std::vector<float> parameters)>;

  /// `recorded` must outlive the recorder; so must `keeper`, which may be null.
  Recorder(const Job& job, TaskPool& pool, const Trajectory& recorded, TrajectoryKeeper* keeper,
           Progress progress, Test test);

  virtual ~Recorder() = default;

  void observe(Observer observer) { observer_ = std::move(observer); }

  /// Of a protocol with servers: these end rounds, whatever workers are at then, and what all ranks did until
  /// that moment is read from their ledgers.
  using Ledgers = std::function<std::vector<WorkerLedger>()>;
  void let_servers_report(int servers, Ledgers ledgers);
  /// Called when all servers have ended the last round, or a round is over so late that training ends with
  /// it. What workers are in the midst of then comes to nothing.
  void when_over(std::function<void()> over) { over_ = std::move(over); }
  /// Whether it was so late.
  bool has_ended_early() const { return ended_early_; }

  const Trajectory& recorded() const { return recorded_; }
  /// Whether this run computes the numbers of a round, and does not take them from a trajectory or leave them
  /// out.
  bool computes(long round) const { return job_.live() && round > recorded_.rounds; }

  /// Before it ends an evaluated round a worker may publish parameters besides those of end_round().
  virtual void publish(const Round& round, const Selection& part, ConstValues values);
  /// Likewise, where each worker has the whole model in a version of its own: how far these are from their
  /// mean is noted, which is tested if the round `ends_apart`.
  virtual void publish_replica(const Round& round, int rank, ConstValues values, bool ends_apart);
  /// Each worker calls this once a round. If the round is evaluated, all published parts together are the
  /// model.
  virtual void end_round(const Round& round, const RoundReport& report, const Selection& part,
                         ConstValues values);

  // Where servers end rounds.
  /// A server's part of the model is a stretch of it.
  virtual void end_round(const Round& round, const RoundReport& report, const Extent& home,
                         ConstValues values);
  /// A worker has trained: `training` since it last said so.
  virtual void add_training(const RoundReport& report);
  /// A worker has sent something to a server, and something of that worker has come to one: so logs of
  /// different processes can be put together.
  virtual void add_departure(const RoundReport& /*report*/) {}
  virtual void add_arrival(int /*worker*/) {}
  /// An update was made of what a worker had begun so many updates before.
  virtual void add_update(long staleness);
  /// A server has ended the last round.
  virtual void server_is_done();

  /// Whether a worker that ends this round is to keep() its state; the same for all workers. Never where
  /// servers end rounds: what workers are in the midst of then cannot be kept.
  bool wants_state(const Round& round);
  void keep(const Round& round, int rank, Trajectory::WorkerState state);

  /// Waits for pending evaluations.
  std::vector<HistoryRow> history();
  /// As far as all workers got. Waits for pending evaluations.
  Trajectory trajectory();

  /// The part of training that is done, as far as servers have ended rounds.
  virtual double progress() const {
    return static_cast<double>(rounds_completed_) / static_cast<double>(job_.rounds().size());
  }
  const StalenessHistogram& staleness() const { return staleness_; }
  long rounds_completed() const { return rounds_completed_; }
  /// As papers count, up plus down, of all completed rounds.
  double paper_bytes() const { return paper_bytes_; }

 private:
  struct OpenRound {
    int reports = 0;
    HistoryRow row;
    std::vector<BatchResult>
        training;  // by rank: when a worker reports depends on the network, sums must not
    std::vector<float> parameters;
    // Of replicas: those up to a rank, added; others wait, as sums must not depend on who comes first.
    std::vector<double> sum;
    double squares = 0;
    std::map<int, std::vector<float>> waiting;
    int added = 0;
    std::uint64_t synchronised_bytes = 0;
    std::optional<long> steps;
  };
  void report(const Round& round, const RoundReport& report);
  void look_at_ledgers(const Round& round, OpenRound& open);
  void take_staleness(HistoryRow& row);
  void close(const Round& round, OpenRound open);
  void take_recorded(HistoryRow& row) const;
  void finish_oldest_evaluation();

  /// Of the workers at the end of a round that is to be kept.
  struct States {
    long round;
    int count;
    std::vector<Trajectory::WorkerState> workers;
  };

  const Job& job_;
  TaskPool& pool_;
  const Trajectory& recorded_;
  TrajectoryKeeper* keeper_;
  bool ended_early_ = false;
  long last_asked_ = 0;  // the latest round about which it has been decided whether states are kept
  std::optional<States> states_;
  Progress progress_;
  Observer observer_;
  Test test_;
  int reporters_;
  Ledgers ledgers_;  // null unless servers report
  std::function<void()> over_;
  int servers_done_ = 0;
  std::vector<BatchResult> training_;  // by rank, since the last evaluated round; where servers report
  long samples_ = 0;                   // likewise, of all workers so far
  StalenessHistogram staleness_, recent_staleness_;  // in all, and since the last row
  std::map<long, OpenRound> open_;
  std::vector<HistoryRow> rows_;
  std::deque<std::pair<std::size_t, PendingWork<BatchResult>>> evaluations_;  // by row
  long rounds_completed_ = 0;
  double paper_bytes_ = 0;
};

}  // namespace isthmus
