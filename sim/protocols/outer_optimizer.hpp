#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "models/optimizer/optimizer.hpp"
#include "sim/averaging/averaging.hpp"
#include "sim/core/worker.hpp"

namespace isthmus {

/// What a round makes of the parameters x is taken as a gradient, of which an optimizer makes a step from
/// where the round began (DiLoCo; Douillard et al. 2023):  x = optimizer(x_begin, x_begin - x_mean). Slow
/// momentum (SlowMo; Wang, Tantia, Ballas, Rabbat, ICLR 2020) is that with SGD, for which the change counts
/// in steps of the inner learning rate gamma of the round's first step:
///   u = beta u + (x_begin - x_mean) / gamma;  x = x_begin - alpha gamma u.
/// Plain averaging is no outer optimizer at all. Running statistics take the mean.
struct OuterOptimizerOptions {
  nlohmann::json optimizer;             ///< for make_optimizer(); null: plain averaging
  double learning_rate = 1;             ///< alpha
  bool in_steps_of_inner_rate = false;  ///< SlowMo

  /// Reads the members of schema().
  static OuterOptimizerOptions parse(const nlohmann::json& protocol);
  static nlohmann::json schema();
  /// Of those that always have an outer optimizer, by default Nesterov's momentum (DiLoCo).
  static nlohmann::json diloco_schema();
};

/// A worker's; all workers' are alike. Charged to its device as optimizer state.
class OuterOptimizer final : private RoundState {
 public:
  /// Of the whole model. `averaging` makes the mean, and must outlive this. Throws OutOfMemory.
  OuterOptimizer(Worker& worker, const OuterOptimizerOptions& options, const AveragingOptions& averaging);
  /// Of parameters of which these come first, then what is not trained. `part`: of several.
  OuterOptimizer(Worker& worker, const OuterOptimizerOptions& options, const AveragingOptions& averaging,
                 std::vector<Tensor> trainable, int part);

  /// Before the local steps: keeps the parameters with which the round begins.
  void begin_round(ConstValues parameters);
  /// After them: parameters become the mean of all workers', or, with compression, what the round changed in
  /// them does; running statistics are never compressed.
  void average(const Round& round, Values parameters) {
    prepare(parameters);
    exchange(worker_.communicator(), round.index, parameters);
  }
  /// The same in two steps, of which the second can be enqueued in a communication stream.
  void prepare(ConstValues parameters);
  void exchange(Communicator& comm, long round, Values parameters);
  /// After that: makes the outer step.
  void step(const Round& round, Values parameters);

 private:
  Work difference_work() const;
  void take_change(ConstValues parameters);
  bool keeps_start() const { return optimizer_ || averaging_.compresses(); }
  void save(std::vector<std::vector<float>>& values) const override;
  void resume(const Round& round, const std::vector<std::vector<float>>& values, std::size_t& next) override;

  Worker& worker_;
  StateEntry entry_;
  OuterOptimizerOptions options_;
  const AveragingOptions& averaging_;
  std::unique_ptr<Optimizer> optimizer_;  // null: plain averaging
  std::size_t count_;                     // trainable parameters, which come first
  Reservation reservation_, change_reservation_;
  std::unique_ptr<Averaging> change_averaging_;  // null: parameters are averaged
  std::vector<float> start_, change_;            // of the round
};

}  // namespace isthmus
