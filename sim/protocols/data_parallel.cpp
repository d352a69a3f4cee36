#include "sim/protocols/replicated.hpp"

namespace isthmus {
namespace {

/// Synchronous data parallel SGD: in every step the mean of all workers' gradients is applied by each.
/// Running statistics of batch norm are each worker's own, and worker 0's are evaluated, as in PyTorch's DDP.
class DataParallel final : public Protocol {
 public:
  explicit DataParallel(const nlohmann::json& options)
      : aggregate_(all_reduce_named(options.at("aggregate").get<std::string>())) {}

  RoundPlan round_plan() const override { return {}; }

  void run(Worker& worker) const override {
    Replica replica(worker);
    replica.initialise();
    for (const Round& round : worker.job().rounds()) {
      replica.compute_gradient();
      mean(aggregate_, worker.communicator(), replica.gradients());
      replica.apply_gradient();
      worker.end_round(round, replica.parameters(), replica.gradients().size());
    }
  }

  std::vector<RankPair> talking_pairs(int workers) const override {
    return aggregate_.talking_pairs(workers);
  }

  Forecast forecast(const Job& job, const LinkModel& link) const override {
    return forecast_replicas(job, aggregate_, 1, {job.model().layout().trainable_size()}, link);
  }

 private:
  const Collective& aggregate_;
};

}  // namespace

ProtocolKind data_parallel_kind() {
  return {.kind = {.name = "data_parallel",
                   .summary = "synchronous data parallel SGD: all-reduce of gradients in every step",
                   .options = {{"aggregate", aggregate_schema()}}},
          .make = [](const nlohmann::json& options) -> std::unique_ptr<Protocol> {
            return std::make_unique<DataParallel>(options);
          }};
}

}  // namespace isthmus
