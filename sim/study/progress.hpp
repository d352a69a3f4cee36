#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace isthmus {

/// How far a run is: written by the process that carries it out, read by the one that shows it.
struct RunProgress {
  std::atomic<long> round, rounds;
  std::atomic<double> test_accuracy;  ///< NaN: none yet
  std::atomic<double> simulated_seconds;
  std::atomic<bool> waits;  ///< for another study that trains the same
};

/// Memory for the progress of a run that survives a fork.
class SharedProgress {
 public:
  SharedProgress();
  SharedProgress(const SharedProgress&) = delete;
  SharedProgress& operator=(const SharedProgress&) = delete;
  ~SharedProgress();
  RunProgress& operator*() const { return *shared_; }
  RunProgress* operator->() const { return shared_; }

 private:
  RunProgress* shared_;
};

/// Tells how far a study is: a line that renews itself on a terminal, a plain line now and then elsewhere.
/// Short studies say nothing in a pipe.
class ProgressDisplay {
 public:
  struct Run {
    std::string id;
    bool trains = false;
    const RunProgress* progress = nullptr;
  };
  struct Tally {
    std::size_t runs = 0, done = 0, failed = 0;
    double work = 0, work_done = 0;  ///< FLOPs that are to be computed for real, and those that have been
    std::size_t replays_left = 0;
    double seconds_per_replay = 0;  ///< 0: not known yet
  };

  ProgressDisplay();
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;
  ~ProgressDisplay();

  /// May be called as often as one likes.
  void show(const Tally& tally, const std::vector<Run>& running);
  /// A message of its own line, at once.
  void say(const std::string& message);

 private:
  using Clock = std::chrono::steady_clock;
  void write_text(const std::string& text) const;

  bool terminal_;
  Clock::time_point start_ = Clock::now(), last_shown_;
};

}  // namespace isthmus
