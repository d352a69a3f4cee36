#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "models/loss.hpp"

namespace isthmus {

struct Round;

/// What training amounts to, whatever the network: of a synchronous protocol it depends on model, data,
/// training, protocol and number of workers alone. It goes up to some round; a run takes that much from it
/// and computes the rest.
struct Trajectory {
  /// What a test after a round measured.
  struct Row {
    long round = 0;
    std::optional<double> train_loss, test_loss, test_accuracy, consensus_distance, precision_at_3,
        precision_at_5;
  };
  /// What a worker needs to go on after the last of these rounds.
  struct WorkerState {
    BatchResult training;                    ///< since the last test
    std::vector<std::vector<float>> values;  ///< of each RoundState, in the order in which they were made
  };

  long rounds = 0;                         ///< that it goes up to
  std::vector<std::size_t> shard_samples;  ///< by rank
  std::vector<Row> rows;
  std::vector<WorkerState> workers;  ///< by rank; empty if training is over
};

/// Something that belongs to a worker and holds values from one round to the next.
class RoundState {
 public:
  virtual ~RoundState() = default;
  /// Appends what must be known to go on after a round.
  virtual void save(std::vector<std::vector<float>>& values) const = 0;
  /// Goes on after `round` with what save() appended there: takes that from `values`, beginning at `next`,
  /// which moves past it. Until then its values were phantoms.
  virtual void resume(const Round& round, const std::vector<std::vector<float>>& values,
                      std::size_t& next) = 0;
};

/// Keeps a trajectory while it grows.
class TrajectoryKeeper {
 public:
  virtual ~TrajectoryKeeper() = default;
  /// Whether now, at the end of a round, is the time to keep what there is.
  virtual bool due() = 0;
  virtual void keep(const Trajectory& trajectory) = 0;
};

}  // namespace isthmus
