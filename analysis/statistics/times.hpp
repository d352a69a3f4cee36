#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/statistics/interval.hpp"
#include "analysis/study/dataset.hpp"

namespace isthmus::analysis {

/// What is compared: the simulated time to the target accuracy where runs have one, or else that of whole
/// runs.
struct TimeMeasure {
  bool to_target;
  std::string column;  ///< of runs.csv: "seconds_to_target" or "simulated_seconds"
  std::string title;   ///< "Time to 83 % accuracy"
};

/// Nothing where no run has a time.
std::optional<TimeMeasure> time_measure(const Dataset& dataset);

/// What is known of a number.
enum class Bound { none, at_least, at_most };

/// "at least", "at most", or empty.
std::string words_of(Bound bound);

/// The times of a group of runs, which differ in their seeds.
struct Times {
  std::vector<std::pair<std::string, double>> by_seed;  ///< (seed, seconds) of the runs that have a time
  std::size_t at_most =
      0;              ///< of them, those that met the target at their first test, and so at the latest then
  std::size_t n = 0;  ///< all runs
  std::size_t not_reached = 0;  ///< completed without reaching the target
  std::size_t out_of_memory = 0;
  std::size_t broken = 0;  ///< deadlock, failed, or no time in run.json

  bool any() const { return !by_seed.empty(); }
  std::vector<double> seconds() const;
  /// Of their mean.
  Bound bound() const { return at_most > 0 ? Bound::at_most : Bound::none; }
  /// "reached", "partly reached", or what became of most runs: "not reached", "out of memory", "failed".
  std::string state() const;
};

Times times_of(const Group& group, const TimeMeasure& measure);

/// How many times as fast one group is as another, by seed, for the seeds that both have a time of.
struct Speedups {
  std::vector<std::pair<std::string, double>> by_seed;  ///< (seed, ratio)
  Bound bound = Bound::none;                            ///< of their mean
  bool open = false;  ///< both have times that are upper bounds: these have no ratio
};
Speedups speedups(const Times& base, const Times& other);

/// The series that speed-ups are over: the one asked for (by label, or by protocol kind), else data parallel,
/// else the first. Throws std::runtime_error that names what there is where the one asked for is missing.
std::string baseline_series(const Dataset& dataset, const std::string& asked_for);

}  // namespace isthmus::analysis
