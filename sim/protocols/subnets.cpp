#include "sim/protocols/subnets.hpp"

#include "models/error.hpp"
#include "sim/core/replica.hpp"

namespace isthmus {

void train_subnets(Worker& worker, Exchange& exchange, const Deal& deal) {
  const Model& model = worker.job().model();
  Replica subnet(worker, nullptr);
  for (const Round& round : worker.job().rounds()) {
    const Partition partition = deal(round);
    subnet.reshape(model.subnet(partition.part(worker.rank())));
    exchange.dispatch(partition, subnet.parameters());
    subnet.train(round.local_steps);
    exchange.collect(partition, subnet.parameters());
    exchange.end_round(round);
  }
}

void require_reset(const Job& job, const std::string& protocol, const std::string& network) {
  const OptimizerState state = job.training().optimizer_state;
  if (state != OptimizerState::keep && state != OptimizerState::average) return;
  const std::string found = state == OptimizerState::keep ? "keep" : "average";
  throw InputError("/training/optimizer_state", "found \"" + found + "\"; " + protocol +
                                                    " allows only \"reset\": after a round a worker's " +
                                                    network + " is another one");
}

}  // namespace isthmus
