#pragma once

#include "models/costs.hpp"
#include "models/training.hpp"

namespace isthmus {

// A local step, kernel by kernel.

/// Up to the backward pass of its last mini-batch. Where mini-batches are accumulated, each of their
/// gradients is added to the others'.
Work before_last_backward(const TrainingOptions& training, const CostProfile& costs);

/// With the last backward pass.
Work gradient_work(const TrainingOptions& training, const CostProfile& costs);

/// The optimizer's part, a multiply-add of all parameters after the other; to clip a norm takes 2 FLOPs of
/// each to find it and 1 to scale.
Work update_work(const TrainingOptions& training, const CostProfile& costs);

/// All of it.
Work step_work(const TrainingOptions& training, const CostProfile& costs);

}  // namespace isthmus
