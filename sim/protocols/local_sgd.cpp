#include "sim/protocols/local_sgd.hpp"

namespace isthmus {
LocalSgd::LocalSgd(const nlohmann::json& options)
    : local_steps_(options.at("local_steps").get<long>()),
      averaging_(options),
      outer_(OuterOptimizerOptions::parse(options)) {}

void LocalSgd::run(Worker& worker) const {
  Replica replica(worker);
  OuterOptimizer outer(worker, outer_, averaging_);
  replica.initialise();
  for (const Round& round : worker.job().rounds()) local_round(worker, replica, outer, round);
}

void LocalSgd::local_round(Worker& worker, Replica& replica, OuterOptimizer& outer,
                           const Round& round) const {
  outer.begin_round(replica.parameters());
  replica.train(round.local_steps);
  worker.note_divergence(round, replica.parameters());
  outer.average(round, replica.parameters());
  synchronise_state(worker, replica, averaging_.exact(), worker.communicator());
  outer.step(round, replica.parameters());
  worker.end_round(round, replica.parameters());
}

void synchronise_state(Worker& worker, Replica& replica, const Collective& aggregate, Communicator& among) {
  const OptimizerState policy = worker.job().training().optimizer_state;
  if (policy == OptimizerState::reset) replica.reset_optimizer();
  if (policy != OptimizerState::average) return;
  for (const Values state : replica.optimizer_states()) mean(aggregate, among, state);
}

nlohmann::json LocalSgd::options() {
  nlohmann::json schemas = AveragingOptions::schema();
  schemas["local_steps"] = local_steps_schema();
  schemas.update(OuterOptimizerOptions::schema());
  return schemas;
}

ProtocolKind local_sgd_kind() {
  return {.kind = {.name = "local_sgd",
                   .summary = "local SGD: the mean of parameters after every local_steps steps",
                   .options = LocalSgd::options(),
                   .required = {"local_steps"}},
          .label = "Local SGD",
          .hue = "orange",
          .make = [](const nlohmann::json& options) -> std::unique_ptr<Protocol> {
            return std::make_unique<LocalSgd>(options);
          }};
}

}  // namespace isthmus
