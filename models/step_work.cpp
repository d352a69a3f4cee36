#include "models/step_work.hpp"

#include "models/optimizer/optimizer.hpp"

namespace isthmus {

Work before_last_backward(const TrainingOptions& training, const CostProfile& costs) {
  Work work;
  const Kernel sum = sum_of_two(static_cast<double>(costs.parameters));
  for (int batch = 1; batch < training.accumulation_steps; ++batch) {
    append(work, costs.forward);
    for (const BackwardStep& step : costs.backward) append(work, step.work);
    add(work, sum);
  }
  append(work, costs.forward);
  if (training.accumulation_steps > 1) add(work, sum);
  return work;
}

Work gradient_work(const TrainingOptions& training, const CostProfile& costs) {
  Work work = before_last_backward(training, costs);
  for (const BackwardStep& step : costs.backward) append(work, step.work);
  return work;
}

Work update_work(const TrainingOptions& training, const CostProfile& costs) {
  Work work;
  const auto parameters = static_cast<double>(costs.parameters);
  const auto each = [&](int flops) {
    return plain_kernel(KernelKind::optimizer, flops * parameters, 3 * parameters);
  };
  const int flops =
      make_optimizer(training.optimizer)->flops_per_parameter() + (training.clip_gradient_norm ? 3 : 0);
  if (flops > 1) add(work, each(2), flops / 2);
  if (flops % 2 == 1) add(work, each(1));
  return work;
}

Work step_work(const TrainingOptions& training, const CostProfile& costs) {
  Work work = gradient_work(training, costs);
  append(work, update_work(training, costs));
  return work;
}

}  // namespace isthmus
