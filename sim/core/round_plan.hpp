#pragma once

namespace isthmus {

/// How training is cut into rounds: `local_steps` each, the last one maybe fewer. Only rounds that begin
/// before the fraction `switch_at` of training (by its local steps) have a single step.
struct RoundPlan {
  long local_steps = 1;
  double switch_at = 0;

  /// Rounds of a single step with which a training of so many local steps begins.
  long single_steps_of_steps(long total_steps) const;
  /// Rounds of a single step with which a training of so many rounds begins.
  long single_steps_of_rounds(long total_rounds) const;
};

}  // namespace isthmus
