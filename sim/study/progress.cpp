#include "sim/study/progress.hpp"

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <limits>
#include <new>

#include "analysis/format.hpp"

namespace isthmus {
namespace {

std::string describe(const ProgressDisplay::Run& run) {
  const RunProgress& progress = *run.progress;
  if (progress.waits) return run.id + ": waits for another study that trains the same";
  if (progress.rounds == 0) return run.id + ": starts";
  std::string text =
      run.id + ": round " + std::to_string(progress.round) + " of " + std::to_string(progress.rounds);
  const double accuracy = progress.test_accuracy;
  if (!std::isnan(accuracy)) {
    char percent[32];
    std::snprintf(percent, sizeof percent, ", accuracy %.1f %%", 100 * accuracy);
    text += percent;
  }
  return text + ", simulated " + format_seconds(progress.simulated_seconds);
}

std::string time_left(const ProgressDisplay::Tally& tally, double elapsed) {
  double seconds = static_cast<double>(tally.replays_left) * tally.seconds_per_replay;
  const double work_left = tally.work - tally.work_done;
  if (work_left > 0) {
    if (tally.work_done <= 0) return "";
    seconds += work_left / tally.work_done * elapsed;
  } else if (tally.seconds_per_replay <= 0) {
    return "";
  }
  return ", " + format_duration(std::ceil(seconds)) + " left";
}

}  // namespace

SharedProgress::SharedProgress() {
  void* page = mmap(nullptr, sizeof(RunProgress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) throw std::bad_alloc();
  shared_ = new (page) RunProgress{};
  shared_->test_accuracy = std::numeric_limits<double>::quiet_NaN();
}

SharedProgress::~SharedProgress() { munmap(shared_, sizeof(RunProgress)); }

ProgressDisplay::ProgressDisplay() : terminal_(isatty(STDERR_FILENO) != 0), last_shown_(start_) {}

ProgressDisplay::~ProgressDisplay() {
  if (terminal_) write_text("\r\x1b[K");
}

void ProgressDisplay::show(const Tally& tally, const std::vector<Run>& running) {
  using namespace std::chrono_literals;
  const auto now = Clock::now();
  if (now - last_shown_ < (terminal_ ? 100ms : 30s)) return;
  last_shown_ = now;
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  std::string text = std::to_string(tally.done) + " of " + std::to_string(tally.runs) + " runs done";
  if (tally.failed > 0) text += ", " + std::to_string(tally.failed) + " failed";
  text += time_left(tally, elapsed);
  for (const Run& run : running) {
    if (run.trains || running.size() == 1) text += " | " + describe(run);
  }
  if (!terminal_) return write_text("isthmus: " + text + "\n");
  winsize size{};
  const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
  write_text("\r\x1b[K" + text.substr(0, known ? size.ws_col - 1U : 79U));
}

void ProgressDisplay::say(const std::string& message) {
  write_text((terminal_ ? "\r\x1b[K" : "") + ("isthmus: " + message + "\n"));
}

void ProgressDisplay::write_text(const std::string& text) const {
  // A terminal that takes no more text is no reason to stop the study.
  [[maybe_unused]] const auto written = write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace isthmus
