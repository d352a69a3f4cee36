#pragma once

#include "models/training.hpp"

namespace isthmus {

/// The learning rate of a step (0, 1, ... total_steps - 1); later ones have that of the end.
double learning_rate_at(const TrainingOptions& options, long step, long total_steps);

}  // namespace isthmus
