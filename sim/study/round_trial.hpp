#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>

#include "sim/scenario/scenario.hpp"

namespace isthmus {

/// What the first rounds of a run take, without numerics.
struct RoundTrial {
  std::optional<double> simulated_seconds;  ///< of a round, in the mean; none if the run did not get through
  double wall_seconds = 0;                  ///< likewise, to simulate it
};

/// Simulates so many rounds, at most as many as there are, of a resolved scenario with messages of the right
/// size and no values. To be called in a process of its own, see simulate(). Throws InputError for a platform
/// that cannot be used.
RoundTrial try_rounds(Scenario scenario, long rounds);

/// Simulated seconds of the first round, likewise; null if the run does not get through it.
nlohmann::json first_round_seconds(const Scenario& scenario);

/// What `trial` returns in a child process; none if it takes longer than some seconds or fails.
std::optional<nlohmann::json> try_out(const std::function<nlohmann::json()>& trial);

}  // namespace isthmus
