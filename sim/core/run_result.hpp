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
  Trajectory trajectory;              ///< the numeric part of the history
  std::vector<WorkerResult> workers;  ///< by rank
  std::vector<LinkResult> links;      ///< those that carried anything
  nlohmann::json network_constants;
  nlohmann::json trace;  ///< Chrome trace events, if asked for
};

}  // namespace isthmus
