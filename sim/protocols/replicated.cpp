#include "sim/protocols/replicated.hpp"

#include <algorithm>

namespace isthmus {

Forecast forecast_replicas(const Job& job, const Collective& aggregate, long steps,
                           const std::vector<std::size_t>& values, const LinkModel& link) {
  constexpr double up_and_down = 2;
  Forecast forecast;
  const int n = job.workers();
  for (int rank = 0; rank < n; ++rank) {
    Forecast::Worker worker;
    worker.flops = static_cast<double>(steps) * step_flops(job, job.model());
    worker.memory = replica_memory(job, job.model());
    worker.memory[MemoryPart::data] = job.shard_bytes(rank);
    std::uint64_t& buffers = worker.memory[MemoryPart::buffers];
    for (const std::size_t count : values) {
      worker.bytes_sent += aggregate.values_sent(rank, n, count) * sizeof(float);
      buffers = std::max<std::uint64_t>(buffers, aggregate.buffer_values(rank, n, count) * sizeof(float));
    }
    forecast.workers.push_back(worker);
  }
  for (const std::size_t count : values) {
    const auto bytes = static_cast<double>(count * sizeof(float));
    forecast.paper_bytes += up_and_down * n * bytes;
    forecast.communication_seconds += link.collective_overhead_seconds + aggregate.seconds(n, bytes, link);
  }
  return forecast;
}

}  // namespace isthmus
