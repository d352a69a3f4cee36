#pragma once

#include <mpi.h>

#include <chrono>
#include <optional>
#include <thread>

namespace isthmus {

/// Wall time since a common start, which can stand still at all ranks together. What happens meanwhile (tests
/// of the model, messages about them) is off the clock, and afterwards every rank is as far ahead of the
/// others as it was before.
class WallClock {
 public:
  /// Now is 0. To be called by all ranks right after a barrier.
  void start() { origin_ = MPI_Wtime(); }
  double now_seconds() const { return stopped_ ? *stopped_ : MPI_Wtime() - origin_; }

  void stop() { stopped_ = now_seconds(); }
  /// To be called by all ranks at once, with the earliest time at which one of them stopped: there all go on,
  /// and who stopped later waits until it is that time again.
  void go_on(double earliest_stop_seconds) {
    origin_ = MPI_Wtime() - earliest_stop_seconds;
    const double ahead = *stopped_ - earliest_stop_seconds;
    stopped_.reset();
    std::this_thread::sleep_for(std::chrono::duration<double>(ahead));
  }

 private:
  double origin_ = 0;
  std::optional<double> stopped_;
};

}  // namespace isthmus
