#include "sim/protocols/replicated.hpp"

#include <algorithm>

namespace isthmus {

Forecast forecast_replicas(const Job& job, const Collective& aggregate, long steps,
                           const std::vector<std::size_t>& all_reduced, const LinkModel& link) {
  constexpr double up_and_down = 2;
  Forecast forecast;
  const int n = job.workers();
  std::size_t total = 0, largest = 0;
  for (const std::size_t values : all_reduced) {
    total += values;
    largest = std::max(largest, values);
    forecast.communication_seconds += all_reduce_seconds(aggregate, n, values, link);
  }
  for (int rank = 0; rank < n; ++rank) {
    Forecast::Worker worker;
    for (const std::size_t values : all_reduced)
      worker.bytes_sent += aggregate.values_sent(rank, n, values) * sizeof(float);
    worker.flops = static_cast<double>(steps) * step_flops(job, job.model());
    worker.memory = replica_memory(job, job.model());
    worker.memory[MemoryPart::data] = job.shard_bytes(rank);
    worker.memory[MemoryPart::buffers] = aggregate.buffer_values(rank, n, largest) * sizeof(float);
    forecast.workers.push_back(worker);
  }
  forecast.paper_bytes = up_and_down * n * static_cast<double>(total * sizeof(float));
  return forecast;
}

double all_reduce_seconds(const Collective& aggregate, int workers, std::size_t values,
                          const LinkModel& link) {
  return link.collective_overhead_seconds +
         aggregate.seconds(workers, static_cast<double>(values * sizeof(float)), link);
}

}  // namespace isthmus
