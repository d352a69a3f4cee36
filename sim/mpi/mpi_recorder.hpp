#pragma once

#include "sim/core/recorder.hpp"
#include "sim/mpi/control.hpp"
#include "sim/mpi/wall_clock.hpp"

namespace isthmus {

/// Each process has one. At evaluated rounds the clock stands still while rank 0 gets what all workers have
/// reported and published since the last one and tests the model; between them nothing travels. Where servers
/// end rounds nothing does before the end: then rank 0 gets everybody's log and puts them together: what a
/// worker had done when it came for the n-th time.
class MpiRecorder final : public Recorder {
 public:
  MpiRecorder(const Job& job, TaskPool& pool, const Trajectory& recorded, Progress progress, Test test,
              Control& control, WallClock& clock);

  void publish(const Round& round, const Selection& part, ConstValues values) override;
  void publish_replica(const Round& round, int rank, ConstValues values, bool ends_apart) override;
  void end_round(const Round& round, const RoundReport& report, const Selection& part,
                 ConstValues values) override;

  void end_round(const Round& round, const RoundReport& report, const Extent& home,
                 ConstValues values) override;
  void add_training(const RoundReport& report) override;
  void add_departure(const RoundReport& report) override;
  void add_arrival(int worker) override { ++arrivals_[static_cast<std::size_t>(worker)]; }
  void add_update(long staleness) override { ++updates_[staleness]; }
  void server_is_done() override { over_(); }
  /// Of the own steps.
  double progress() const override;
  /// `over`: called in a server's process at the end of its last round.
  void let_servers_report(int servers, std::function<void()> over);
  /// To be called by all ranks when training is over.
  void conclude();

 private:
  /// What a server says at the end of a round.
  struct ServerRound {
    Round round;
    RoundReport report;
    std::vector<float> values;   ///< of its home, if it is tested
    StalenessHistogram updates;  ///< since the round before
    std::vector<long> arrivals;  ///< by worker: how often it has come by then
  };
  void put_together(const std::vector<nlohmann::json>& of_ranks);
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
  // Where servers end rounds, all there was:
  int servers_ = 0;
  std::function<void()> over_;
  std::vector<ServerRound> server_rounds_;
  StalenessHistogram updates_;  // since the last round
  std::vector<long> arrivals_;  // by worker, at a server
  BatchResult training_;        // since the last departure, at a worker
  long steps_ = 0;
  std::vector<RoundReport> departures_;
  std::vector<WorkerLedger> ledgers_;  // at rank 0, while logs are put together
};

}  // namespace isthmus
