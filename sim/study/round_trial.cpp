#include "sim/study/round_trial.hpp"

#include <algorithm>

#include "sim/process/isolated.hpp"
#include "sim/simgrid/simulation.hpp"
#include "sim/study/stopwatch.hpp"

namespace isthmus {

RoundTrial try_rounds(Scenario scenario, long rounds) {
  const auto protocol = make_protocol(scenario.protocol);
  const auto job = [&] {
    return Job(scenario.data, scenario.model, scenario.training, scenario.platform.workers,
               protocol->round_plan(), false);
  };
  rounds = std::min(rounds, job().rounds().size());
  scenario.live = false;
  scenario.training.rounds = rounds;
  scenario.training.epochs.reset();
  const Job few = job();
  const Stopwatch watch;
  const RunResult result = simulate(scenario, few, *protocol, 1, false, {});
  const auto count = static_cast<double>(rounds);
  return {.simulated_seconds = result.outcome == Outcome::completed
                                   ? std::optional(result.simulated_seconds / count)
                                   : std::nullopt,
          .wall_seconds = watch.seconds() / count};
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
