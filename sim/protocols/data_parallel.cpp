#include "sim/protocols/gradient_mean.hpp"
#include "sim/protocols/protocol.hpp"

namespace isthmus {
namespace {

/// Synchronous data parallel SGD: in every step the mean of all workers' gradients, which is made bucket by
/// bucket beside the backward pass, is applied by each.
/// Running statistics of batch norm are each worker's own, and worker 0's are evaluated, as in PyTorch's DDP.
class DataParallel final : public Protocol {
 public:
  explicit DataParallel(const nlohmann::json& options)
      : averaging_(options), buckets_(BucketOptions::parse(options)) {}

  /// Rounds at first that are not compressed are of another kind.
  RoundPlan round_plan() const override { return {.warm_up = {.rounds = averaging_.exact_rounds()}}; }

  void run(Worker& worker) const override {
    Replica replica(worker);
    replica.initialise();
    GradientMean gradient_mean(worker, averaging_, buckets_);
    for (const Round& round : worker.job().rounds()) {
      gradient_mean.step(replica, round);
      worker.end_round(round, replica.parameters());
    }
  }

  std::vector<RankPair> talking_pairs(int workers) const override {
    return averaging_.talking_pairs(workers);
  }

 private:
  AveragingOptions averaging_;
  BucketOptions buckets_;
};

}  // namespace

ProtocolKind data_parallel_kind() {
  nlohmann::json protocol_options = BucketOptions::schema();
  protocol_options.update(AveragingOptions::schema());
  return {.kind = {.name = "data_parallel",
                   .summary = "synchronous data parallel SGD: all-reduce of gradients in every step, beside "
                              "the backward pass",
                   .options = std::move(protocol_options)},
          .label = "Data parallel",
          .hue = "blue",
          .make = [](const nlohmann::json& options) -> std::unique_ptr<Protocol> {
            return std::make_unique<DataParallel>(options);
          }};
}

}  // namespace isthmus
