#include "models/costs.hpp"

namespace isthmus {

double CostProfile::backward_flops() const {
  double flops = 0;
  for (const BackwardStep& step : backward) flops += flops_of(step.work);
  return flops;
}

}  // namespace isthmus
