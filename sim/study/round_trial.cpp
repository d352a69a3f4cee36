#include "sim/study/round_trial.hpp"

#include "sim/process/isolated.hpp"
#include "sim/simgrid/simulation.hpp"
#include "sim/study/stopwatch.hpp"

namespace isthmus {

RoundTrial try_rounds(Scenario scenario, long rounds) {
  const auto protocol = make_protocol(scenario.protocol);
  scenario.live = false;
  scenario.training.rounds = rounds;
  scenario.training.epochs.reset();
  const Job job(scenario.data, scenario.model, scenario.training, scenario.platform.workers,
                protocol->round_plan(), false);
  const Stopwatch watch;
  const RunResult result = simulate(scenario, job, *protocol, 1, false, {});
  const auto count = static_cast<double>(rounds);
  return {.simulated_seconds = result.outcome == Outcome::completed
                                   ? std::optional(result.simulated_seconds / count)
                                   : std::nullopt,
          .wall_seconds = watch.seconds() / count};
}

nlohmann::json first_round_seconds(const Scenario& scenario) {
  const auto seconds = try_rounds(scenario, 1).simulated_seconds;
  return seconds ? nlohmann::json(*seconds) : nlohmann::json();
}

std::optional<nlohmann::json> try_out(const std::function<nlohmann::json()>& trial) {
  constexpr double longest_seconds = 3;
  IsolatedProcess process(trial);
  IsolatedProcess* const self = &process;
  const Stopwatch watch;
  while (!process.ended()) {
    const double left = longest_seconds - watch.seconds();
    if (left <= 0) return std::nullopt;
    IsolatedProcess::wait_for_any({&self, 1}, left);
  }
  try {
    return process.result();
  } catch (const std::exception&) {
    return std::nullopt;  // the run itself will say what is wrong
  }
}

}  // namespace isthmus
