#include "sim/protocols/replicated.hpp"

namespace isthmus {

Forecast forecast_replicas(const Job& job, const Collective& aggregate, long steps, std::size_t values,
                           const LinkModel& link) {
  constexpr double up_and_down = 2;
  Forecast forecast;
  const int n = job.workers();
  for (int rank = 0; rank < n; ++rank) {
    Forecast::Worker worker;
    worker.bytes_sent = aggregate.values_sent(rank, n, values) * sizeof(float);
    worker.flops = static_cast<double>(steps) * step_flops(job, job.model());
    worker.memory = replica_memory(job, job.model());
    worker.memory[MemoryPart::data] = job.shard_bytes(rank);
    worker.memory[MemoryPart::buffers] = aggregate.buffer_values(rank, n, values) * sizeof(float);
    forecast.workers.push_back(worker);
  }
  const auto bytes = static_cast<double>(values * sizeof(float));
  forecast.paper_bytes = up_and_down * n * bytes;
  forecast.communication_seconds = link.collective_overhead_seconds + aggregate.seconds(n, bytes, link);
  return forecast;
}

}  // namespace isthmus
