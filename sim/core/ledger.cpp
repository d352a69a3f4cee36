#include "sim/core/ledger.hpp"

namespace isthmus {

WorkerLedger operator-(const WorkerLedger& end, const WorkerLedger& begin) {
  return {.compute_seconds = end.compute_seconds - begin.compute_seconds,
          .communication_seconds = end.communication_seconds - begin.communication_seconds,
          .idle_seconds = end.idle_seconds - begin.idle_seconds,
          .bytes_sent = end.bytes_sent - begin.bytes_sent,
          .bytes_received = end.bytes_received - begin.bytes_received,
          .messages_sent = end.messages_sent - begin.messages_sent,
          .synchronised_bytes = end.synchronised_bytes - begin.synchronised_bytes,
          .flops = end.flops - begin.flops,
          .local_steps = end.local_steps - begin.local_steps,
          .computing = end.computing - begin.computing};
}

// An array, as there may be one for each round of each of many workers.
void to_json(nlohmann::json& json, const WorkerLedger& ledger) {
  json = {
      ledger.compute_seconds,  ledger.communication_seconds, ledger.idle_seconds,       ledger.bytes_sent,
      ledger.bytes_received,   ledger.messages_sent,         ledger.synchronised_bytes, ledger.flops,
      ledger.computing.launch, ledger.computing.compute,     ledger.computing.memory,   ledger.local_steps};
}

void from_json(const nlohmann::json& json, WorkerLedger& ledger) {
  ledger = {.compute_seconds = json.at(0),
            .communication_seconds = json.at(1),
            .idle_seconds = json.at(2),
            .bytes_sent = json.at(3),
            .bytes_received = json.at(4),
            .messages_sent = json.at(5),
            .synchronised_bytes = json.at(6),
            .flops = json.at(7),
            .local_steps = json.at(11),
            .computing = {.launch = json.at(8), .compute = json.at(9), .memory = json.at(10)}};
}

}  // namespace isthmus
