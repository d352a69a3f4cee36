#pragma once

#include <sys/types.h>

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/cli/program.hpp"

namespace isthmus::testing {

/// Why there is no Slurm to test with, in one line.
class NoSlurm : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A Slurm of this process's own: munged, slurmctld and slurmd with one node of two CPUs on the loopback,
/// configured in a temporary folder. Slurm's commands find it by SLURM_CONF while this lives. It is stopped,
/// and its jobs cancelled, in the destructor; the daemons also end when this process dies.
class SlurmSession {
 public:
  static constexpr std::size_t largest_array = 6;  ///< small, so that tests reach it

  /// Throws NoSlurm.
  SlurmSession();
  SlurmSession(const SlurmSession&) = delete;
  SlurmSession& operator=(const SlurmSession&) = delete;
  ~SlurmSession();

 private:
  void start(const std::vector<std::string>& command, const std::string& log,
             const std::function<bool()>& is_ready);
  void write_configuration() const;
  void stop();

  TemporaryFolder folder_;
  std::vector<pid_t> daemons_;
};

/// The output of a command of Slurm; the test fails if it does.
std::string slurm_says(const std::string& tool, const std::vector<std::string>& arguments);

/// Waits until `is_so`, for at most two minutes. Returns whether it became so.
bool wait_until(const std::function<bool()>& is_so);

/// Waits until no job is in the queue.
bool wait_for_empty_queue();

}  // namespace isthmus::testing
