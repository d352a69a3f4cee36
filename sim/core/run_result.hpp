#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "sim/core/ledger.hpp"
#include "sim/core/memory.hpp"
#include "sim/core/recorder.hpp"
#include "sim/platform/platform.hpp"

namespace isthmus {

enum class Outcome { completed, out_of_memory, deadlock, failed };

struct WorkerResult {
  std::string host;
  bool is_server = false;
  WorkerLedger ledger;
  MemoryUse memory_peak;
  std::optional<std::uint64_t> memory_limit_bytes;
  std::optional<double> energy_joules = {};  ///< of its device, where a profile has its watts
};

struct LinkResult {
  LinkFacts link;
  std::uint64_t bytes = 0;
  double busy_seconds = 0;  ///< while at least one message was under way over it
};

/// All that a run measured.
struct RunResult {
  Outcome outcome = Outcome::failed;
  std::string message;  ///< unless completed: what happened
  std::optional<OutOfMemory> out_of_memory;
  double simulated_seconds =
      0;  ///< end of the last round and its evaluation, or when the run ended otherwise
  long rounds = 0;
  double paper_bytes = 0;      ///< of all rounds
  std::size_t parameters = 0;  ///< that the whole model trains
  std::vector<HistoryRow> history;
  long losses = 0;  ///< how often a worker was lost, or the way to it, and training went on
  /// That were trained and did not go into the model; where servers take in what workers bring.
  std::optional<long> lost_samples;
  StalenessHistogram staleness;       ///< where workers do not wait for each other
  Trajectory trajectory;              ///< the numeric part of the history
  std::vector<WorkerResult> workers;  ///< by rank; then servers
  std::vector<LinkResult> links;      ///< those that carried anything
  nlohmann::json network_constants;
  nlohmann::json trace;  ///< Chrome trace events, if asked for

  /// Of a completed run whose servers ended rounds: what workers made and the last row does not have.
  void count_lost(const Job& job) {
    long steps = 0;
    for (const WorkerResult& worker : workers) steps += static_cast<long>(worker.ledger.local_steps);
    lost_samples = steps * job.training().samples_per_step() - history.back().samples;
  }
};

}  // namespace isthmus
