#include "sim/protocols/replicated.hpp"

namespace isthmus {
namespace {

/// Local SGD (Stich 2019, McMahan et al. 2017): some local steps on each worker, then the mean of all
/// workers' parameters.
class LocalSgd final : public Protocol {
 public:
  explicit LocalSgd(const nlohmann::json& options)
      : local_steps_(options.at("local_steps").get<long>()), aggregate_(make_aggregate(options)) {}

  long steps_per_round() const override { return local_steps_; }

  void run(Worker& worker) const override {
    const bool reset = worker.job().training().optimizer_state == OptimizerState::reset;
    Replica replica(worker);
    replica.initialise();
    for (const Round& round : worker.job().rounds()) {
      replica.train(round.local_steps);
      mean(*aggregate_, worker.communicator(), replica.parameters());
      if (reset) replica.reset_optimizer();
      worker.end_round(round, replica.parameters(), replica.parameters().size());
    }
  }

  std::vector<RankPair> talking_pairs(int workers) const override {
    return aggregate_->talking_pairs(workers);
  }

  Forecast forecast(const Job& job, const LinkModel& link) const override {
    return forecast_replicas(job, *aggregate_, local_steps_, {job.model().layout().size()}, link);
  }

 private:
  long local_steps_;
  std::unique_ptr<Collective> aggregate_;
};

}  // namespace

ProtocolKind local_sgd_kind() {
  nlohmann::json option_schemas = aggregate_options();
  option_schemas["local_steps"] = local_steps_schema();
  return {.kind = {.name = "local_sgd",
                   .summary = "local SGD: the mean of parameters after every local_steps steps",
                   .options = option_schemas,
                   .required = {"local_steps"}},
          .make = [](const nlohmann::json& options) -> std::unique_ptr<Protocol> {
            return std::make_unique<LocalSgd>(options);
          }};
}

}  // namespace isthmus
