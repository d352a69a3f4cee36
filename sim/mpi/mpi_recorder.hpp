#pragma once

#include "sim/core/recorder.hpp"
#include "sim/mpi/control.hpp"
#include "sim/mpi/wall_clock.hpp"

namespace isthmus {

/// Each process has one. At evaluated rounds the clock stands still while rank 0 gets what all workers have
/// reported and published since the last one and tests the model; between them nothing travels.
class MpiRecorder final : public Recorder {
 public:
  MpiRecorder(const Job& job, TaskPool& pool, const Trajectory& recorded, Progress progress,
              EvaluationModel evaluation_model, Control& control, WallClock& clock);

  void publish(const Round& round, const Selection& part, ConstValues values) override;
  void publish_replica(const Round& round, int rank, ConstValues values, bool ends_apart) override;
  void end_round(const Round& round, const RoundReport& report, const Selection& part,
                 ConstValues values) override;

 private:
  nlohmann::json take_reports();
  void record(const std::vector<nlohmann::json>& of_ranks);

  const Job& job_;
  Control& control_;
  WallClock& clock_;
  // Since the last evaluated round:
  std::vector<Round> rounds_;
  std::vector<RoundReport> reports_;
  std::vector<std::size_t> runs_;  // offset and length of what has been published of the model, in turn
  std::vector<float> values_;      // of these, packed
  std::vector<float> replica_;
  bool ends_apart_ = false;
};

}  // namespace isthmus
