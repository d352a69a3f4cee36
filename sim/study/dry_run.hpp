#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/core/ledger.hpp"
#include "sim/core/memory.hpp"
#include "sim/core/rounds.hpp"
#include "sim/study/plan.hpp"

namespace isthmus {

/// What follows from a scenario, found by running its protocol on its platform with phantoms for values: in
/// some rounds of each kind, memory limits being noted and not enforced.
struct DryRun {
  struct RoundCosts {
    Round round;
    double seconds = 0;                 ///< from the end of the round before, or the start
    std::vector<WorkerLedger> workers;  ///< by rank, in this round

    std::uint64_t bytes_sent() const;
    std::uint64_t messages_sent() const;
    /// As papers count, up plus down, of all workers.
    double paper_bytes() const;
    /// Of the worker that computes longest.
    double compute_seconds() const;
    double flops() const;
  };

  std::vector<RoundCosts> rounds;       ///< the first ones, the first ones after a warm-up, the last ones
  std::vector<MemoryUse> memory_peaks;  ///< by rank, in these rounds
  long all_rounds = 0, warm_up_rounds = 0;
  std::string trouble;      ///< why a run would not get through; empty if it would
  double wall_seconds = 0;  ///< to simulate a round, in the mean

  /// The second round after the warm-up, or the first if there is no other: what a round usually is.
  const RoundCosts& usual() const;
  /// Whether rounds of a kind differ in what is sent.
  bool varies() const;
  /// The sum over all rounds of training, those that were not run being like the last that was.
  template <typename Quantity>
  double in_all(Quantity&& quantity) const;
  /// Bytes of the state of a training: parameters and what the optimizer keeps, of each worker.
  double state_bytes() const;
};

/// How long a dry run may take.
struct Patience {
  double processor_seconds = 0.5;  ///< after which no further round begins
  double wall_seconds = 5;         ///< after which it is given up
};

/// A resolved scenario's, in a child process; none if it is given up before a round is over.
std::optional<DryRun> dry_run(const Scenario& scenario, const Patience& patience = {});

/// Of each kind of run one: of what is trained how by whom, whatever the seed or the platform.
class DryRuns {
 public:
  /// One that has been made.
  void keep(const Point& point, const std::optional<DryRun>& dry);
  const std::optional<DryRun>& of(const Point& point);
  /// FLOPs of all workers in the whole training; a bound of them where the dry run takes too long.
  double training_flops(const PlannedRun& run);

 private:
  std::map<std::string, std::optional<DryRun>> known_;
};

/// Simulated seconds of the first round, however long that takes to find out; none if a run does not get
/// through it, or does not fit its devices.
std::optional<double> first_round_seconds(const Scenario& scenario);

template <typename Quantity>
double DryRun::in_all(Quantity&& quantity) const {
  double sum = 0;
  for (std::size_t i = 0; i < rounds.size(); ++i) {
    const long next = i + 1 < rounds.size() ? rounds[i + 1].round.index : all_rounds + 1;
    sum += static_cast<double>(next - rounds[i].round.index) * quantity(rounds[i]);
  }
  return sum;
}

}  // namespace isthmus
