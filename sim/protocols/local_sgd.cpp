#include "sim/protocols/local_sgd.hpp"

namespace isthmus {
LocalSgd::LocalSgd(const nlohmann::json& options)
    : local_steps_(options.at("local_steps").get<long>()),
      aggregate_(make_aggregate(options)),
      slow_momentum_(SlowMomentumOptions::parse(options)) {}

void LocalSgd::run(Worker& worker) const {
  Replica replica(worker);
  SlowMomentum slow_momentum(worker, slow_momentum_);
  replica.initialise();
  for (const Round& round : worker.job().rounds()) local_round(worker, replica, slow_momentum, round);
}

void LocalSgd::local_round(Worker& worker, Replica& replica, SlowMomentum& slow_momentum,
                           const Round& round) const {
  const OptimizerState state = worker.job().training().optimizer_state;
  slow_momentum.begin_round(replica.parameters());
  replica.train(round.local_steps);
  mean(*aggregate_, worker.communicator(), replica.parameters());
  if (state == OptimizerState::average) mean(*aggregate_, worker.communicator(), replica.momentum());
  if (state == OptimizerState::reset) replica.reset_optimizer();
  slow_momentum.step(round, replica.parameters());
  worker.end_round(round, replica.parameters());
}

nlohmann::json LocalSgd::options() {
  nlohmann::json schemas = aggregate_options();
  schemas["local_steps"] = local_steps_schema();
  schemas.update(SlowMomentumOptions::schema());
  return schemas;
}

ProtocolKind local_sgd_kind() {
  return {.kind = {.name = "local_sgd",
                   .summary = "local SGD: the mean of parameters after every local_steps steps",
                   .options = LocalSgd::options(),
                   .required = {"local_steps"}},
          .make = [](const nlohmann::json& options) -> std::unique_ptr<Protocol> {
            return std::make_unique<LocalSgd>(options);
          }};
}

}  // namespace isthmus
