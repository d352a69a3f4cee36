#include "sim/protocols/replicated.hpp"

namespace isthmus {
namespace {

/// Synchronous data parallel SGD: in every step the mean of all workers' gradients is applied by each.
/// Running statistics of batch norm are each worker's own, and worker 0's are evaluated, as in PyTorch's DDP.
class DataParallel final : public Protocol {
 public:
  explicit DataParallel(const nlohmann::json& options) : aggregate_(make_aggregate(options)) {}

  long steps_per_round() const override { return 1; }

  void run(Worker& worker) const override {
    Replica replica(worker);
    replica.initialise();
    for (const Round& round : worker.job().rounds()) {
      replica.compute_gradient();
      mean(*aggregate_, worker.communicator(), replica.gradients());
      replica.apply_gradient();
      worker.end_round(round, replica.parameters(), replica.gradients().size());
    }
  }

  std::vector<RankPair> talking_pairs(int workers) const override {
    return aggregate_->talking_pairs(workers);
  }

  Forecast forecast(const Job& job, const LinkModel& link) const override {
    return forecast_replicas(job, *aggregate_, steps_per_round(), job.model().layout().trainable_size(),
                             link);
  }

 private:
  std::unique_ptr<Collective> aggregate_;
};

}  // namespace

ProtocolKind data_parallel_kind() {
  return {.kind = {.name = "data_parallel",
                   .summary = "synchronous data parallel SGD: all-reduce of gradients in every step",
                   .options = aggregate_options()},
          .make = [](const nlohmann::json& options) -> std::unique_ptr<Protocol> {
            return std::make_unique<DataParallel>(options);
          }};
}

}  // namespace isthmus
