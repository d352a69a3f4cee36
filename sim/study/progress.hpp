#pragma once

#include <chrono>
#include <string>

#include "sim/core/recorder.hpp"

namespace isthmus {

/// One line on the terminal that tells how far a study is; nothing where standard error is no terminal. The
/// line may be written by the child process that carries out the run.
class ProgressLine {
 public:
  explicit ProgressLine(std::size_t runs);
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine();

  void begin_run(std::size_t index, const std::string& id);
  void update(const Round& round, long rounds, const HistoryRow& so_far);
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  void show(const std::string& text);

  int terminal_;  // a copy of standard error; -1: none
  std::size_t runs_, index_ = 0;
  std::string id_;
  Clock::time_point run_start_, last_shown_;
};

}  // namespace isthmus
