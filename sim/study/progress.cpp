#include "sim/study/progress.hpp"

#include <unistd.h>

#include <cstdio>

#include "analysis/format.hpp"

namespace isthmus {

ProgressLine::ProgressLine(std::size_t runs)
    : terminal_(isatty(STDERR_FILENO) ? dup(STDERR_FILENO) : -1), runs_(runs) {}

ProgressLine::~ProgressLine() {
  clear();
  if (terminal_ >= 0) close(terminal_);
}

void ProgressLine::begin_run(std::size_t index, const std::string& id) {
  index_ = index;
  id_ = id;
  run_start_ = Clock::now();
  last_shown_ = {};
  show("run " + std::to_string(index_ + 1) + " of " + std::to_string(runs_) + " (" + id_ + ")");
}

void ProgressLine::update(const Round& round, long rounds, const HistoryRow& so_far) {
  constexpr std::chrono::milliseconds shortest_interval(100);
  const auto now = Clock::now();
  if (terminal_ < 0 || now - last_shown_ < shortest_interval) return;
  last_shown_ = now;
  const double elapsed = std::chrono::duration<double>(now - run_start_).count();
  const double left = elapsed / static_cast<double>(round.index) * static_cast<double>(rounds - round.index);
  std::string text = "run " + std::to_string(index_ + 1) + " of " + std::to_string(runs_) + " (" + id_ +
                     "): round " + std::to_string(round.index) + " of " + std::to_string(rounds);
  if (so_far.test_accuracy) {
    char accuracy[32];
    std::snprintf(accuracy, sizeof accuracy, ", accuracy %.1f %%", 100 * *so_far.test_accuracy);
    text += accuracy;
  }
  text += ", simulated " + format_seconds(so_far.simulated_seconds) + ", " + format_seconds(left) + " left";
  show(text);
}

void ProgressLine::clear() { show(""); }

void ProgressLine::show(const std::string& text) {
  if (terminal_ < 0) return;
  const std::string line = "\r\x1b[K" + text;
  // A terminal that takes no more text is no reason to stop the study.
  [[maybe_unused]] const auto written = write(terminal_, line.data(), line.size());
}

}  // namespace isthmus
