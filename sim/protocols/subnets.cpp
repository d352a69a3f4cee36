#include "sim/protocols/subnets.hpp"

#include <algorithm>

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

void require_neurons(const Job& job, const std::string& protocol, std::size_t count,
                     const std::string& holders) {
  const auto& axes = job.model().layout().axes();
  for (const LayoutAxis& axis : axes) {
    if (!axis.divisible || axis.size >= static_cast<Index>(count)) continue;
    throw InputError("/model", axis.name + " has " + std::to_string(axis.size) + " neurons, too few for " +
                                   protocol + " on " + std::to_string(count) + " " + holders +
                                   ": each needs at least one");
  }
  if (std::ranges::none_of(axes, &LayoutAxis::divisible))
    throw InputError("/model", "has no hidden neurons that " + protocol + " could deal out");
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
