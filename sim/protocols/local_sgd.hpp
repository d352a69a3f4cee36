#pragma once

#include "sim/collectives/all_reduce.hpp"
#include "sim/core/replica.hpp"
#include "sim/protocols/protocol.hpp"
#include "sim/protocols/slow_momentum.hpp"

namespace isthmus {

/// Local SGD (Stich 2019, McMahan et al. 2017): some local steps on each worker, then the mean of all
/// workers' parameters, and of their momentum if the scenario says so.
class LocalSgd : public Protocol {
 public:
  explicit LocalSgd(const nlohmann::json& options);
  /// JSON Schema of the options.
  static nlohmann::json options();

  RoundPlan round_plan() const override { return {local_steps_}; }
  void run(Worker& worker) const override;
  std::vector<RankPair> talking_pairs(int workers) const override {
    return aggregate_->talking_pairs(workers);
  }

 protected:
  void local_round(Worker& worker, Replica& replica, SlowMomentum& slow_momentum, const Round& round) const;

  const Collective& aggregate() const { return *aggregate_; }
  const SlowMomentumOptions& slow_momentum_options() const { return slow_momentum_; }

 private:
  long local_steps_;
  std::unique_ptr<Collective> aggregate_;
  SlowMomentumOptions slow_momentum_;
};

}  // namespace isthmus
