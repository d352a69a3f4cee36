#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "models/partition/selection.hpp"
#include "models/trainer.hpp"
#include "sim/core/job.hpp"
#include "sim/core/task_pool.hpp"

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
};

/// What a worker says at the end of a round.
struct RoundReport {
  int rank = 0;
  double simulated_seconds = 0;
  std::uint64_t bytes_sent = 0;
  BatchResult training;    ///< since its last report of an evaluated round
  double paper_bytes = 0;  ///< up plus down, as the papers count
};

/// Turns what workers report into the history of a run. Test accuracy is measured beside the simulation, off
/// its clock, on the parameters that workers publish.
class Recorder {
 public:
  using Progress = std::function<void(const Round&, const HistoryRow& so_far)>;

  /// The network to evaluate after a round; null: the job's model.
  using EvaluationModel = std::function<std::unique_ptr<Model>(const Round&)>;

  Recorder(const Job& job, TaskPool& pool, Progress progress, EvaluationModel evaluation_model = {});

  /// Before it ends an evaluated round a worker may publish parameters besides those of end_round().
  void publish(const Round& round, const Selection& part, ConstValues values);
  /// Each worker calls this once a round. If the round is evaluated, all published parts together are the
  /// model.
  void end_round(const Round& round, const RoundReport& report, const Selection& part, ConstValues values);

  /// Waits for pending evaluations.
  std::vector<HistoryRow> history();

  long rounds_completed() const { return rounds_completed_; }
  double paper_bytes() const { return paper_bytes_; }

 private:
  struct OpenRound {
    int reports = 0;
    HistoryRow row;
    std::vector<BatchResult>
        training;  // by rank: when a worker reports depends on the network, sums must not
    std::vector<float> parameters;
  };
  void close(const Round& round, OpenRound open);
  void finish_oldest_evaluation();

  const Job& job_;
  TaskPool& pool_;
  Progress progress_;
  EvaluationModel evaluation_model_;
  std::map<long, OpenRound> open_;
  std::vector<HistoryRow> rows_;
  std::deque<std::pair<std::size_t, PendingWork<BatchResult>>> evaluations_;  // by row
  long rounds_completed_ = 0;
  double paper_bytes_ = 0;
};

}  // namespace isthmus
