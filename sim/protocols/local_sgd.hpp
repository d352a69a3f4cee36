#pragma once

#include "sim/averaging/averaging.hpp"
#include "sim/core/replica.hpp"
#include "sim/protocols/outer_optimizer.hpp"
#include "sim/protocols/protocol.hpp"

namespace isthmus {

/// Local SGD (Stich 2019, McMahan et al. 2017): some local steps on each worker, then the mean of all
/// workers' parameters, and of what their optimizers keep if the scenario says so.
class LocalSgd : public Protocol {
 public:
  explicit LocalSgd(const nlohmann::json& options);
  /// JSON Schema of the options.
  static nlohmann::json options();

  /// Rounds at first that are not compressed are of another kind.
  RoundPlan round_plan() const override {
    return {local_steps_, {.local_steps = local_steps_, .rounds = averaging_.exact_rounds()}};
  }
  void run(Worker& worker) const override;
  std::vector<RankPair> talking_pairs(int workers) const override {
    return averaging_.talking_pairs(workers);
  }

 protected:
  void local_round(Worker& worker, Replica& replica, OuterOptimizer& outer, const Round& round) const;

  const AveragingOptions& averaging() const { return averaging_; }
  const OuterOptimizerOptions& outer_optimizer() const { return outer_; }

 private:
  long local_steps_;
  AveragingOptions averaging_;
  OuterOptimizerOptions outer_;
};

/// What becomes of what optimizers keep when parameters have become a mean: it is kept, begins anew, or
/// becomes the mean among the same workers, as the scenario says.
void synchronise_state(Worker& worker, Replica& replica, const Collective& aggregate, Communicator& among);

}  // namespace isthmus
