#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "models/device/device_model.hpp"

namespace isthmus {

/// What one worker did: counted, never estimated. compute + communication + idle seconds are its whole time:
/// waiting counts as communication while a transfer it waits for is under way, else as idle.
struct WorkerLedger {
  double compute_seconds = 0;
  double communication_seconds = 0;
  double idle_seconds = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t messages_sent = 0;
  std::uint64_t synchronised_bytes = 0;  ///< as papers count, see Communicator::count_synchronised(); one way
  double flops = 0;
  std::int64_t local_steps = 0;
  /// What its computing waits for, by the device's profile: parts of compute_seconds, unless the host's speed
  /// changes or is shared. Nothing without a profile.
  BoundSeconds computing = {};
};

/// What a worker did between two points in time.
WorkerLedger operator-(const WorkerLedger& end, const WorkerLedger& begin);

// From one process to another.
void to_json(nlohmann::json& json, const WorkerLedger& ledger);
void from_json(const nlohmann::json& json, WorkerLedger& ledger);

}  // namespace isthmus
