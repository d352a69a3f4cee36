#include "sim/study/plan.hpp"

#include <algorithm>

#include "models/error.hpp"
#include "models/optimizer/optimizer.hpp"
#include "models/threads.hpp"
#include "sim/scenario/schema.hpp"
#include "sim/study/resolve_aggregate.hpp"

namespace isthmus {
namespace {

/// Whether there are so many hosts: known before lists of all pairs of workers are made.
void require_hosts(const Scenario& scenario, KnownPlatforms& platforms) {
  constexpr int few = 1000;
  if (scenario.platform.workers > few) platforms.inspect(scenario.platform, scenario.network, {});
}

PlannedRun plan_run(Point point, KnownPlatforms& platforms, AggregateResolver& aggregates) {
  PlannedRun run;
  require_hosts(point.scenario, platforms);
  aggregates.resolve(point);
  const Scenario& scenario = point.scenario;
  run.protocol = make_protocol(scenario.protocol);
  run.job = std::make_unique<Job>(scenario.data, scenario.model, scenario.training, scenario.platform.workers,
                                  run.protocol->round_plan(), false);
  run.protocol->require_fit(*run.job);
  if (scenario.live && !run.job->model().can_train()) {
    throw InputError("/model/kind", "found " + scenario.model.at("kind").dump() +
                                        ", of which only costs are known; set \"numerics\" to \"costs\"");
  }
  if (scenario.live && scenario.training.precision == Precision::bf16 && !has_bf16()) {
    throw InputError("/training/precision", "found \"bf16\", which this CPU does not compute (it has " +
                                                instruction_set() + "); allowed here: \"fp32\"");
  }
  const int workers = scenario.platform.workers;
  run.platform =
      platforms.inspect(platform_of(scenario, *run.protocol), scenario.network,
                       run.protocol->talking_pairs(workers), site_traffic(scenario.protocol, workers));
  run.point = std::move(point);
  return run;
}

}  // namespace

bool PlannedRun::depends_on_timing() const {
  if (protocol->depends_on_timing() || point.scenario.training.end_after_seconds) return true;
  const bool goes_off = !point.scenario.platform.faults.empty() ||
                        std::ranges::any_of(platform->profiles, [](const ProfileFacts& profile) {
                          return profile.kind == ProfileKind::state;
                        });
  return goes_off && protocol->survives_losses();
}

nlohmann::json complete_schema() {
  return scenario_schema(kinds_of(protocol_kinds()), kinds_of(model_kinds()), kinds_of(data_set_kinds()),
                         kinds_of(optimizer_kinds()));
}

std::vector<PlannedRun> plan_study(const ScenarioDocument& scenario,
                                   const std::filesystem::path& base_folder) {
  std::vector<PlannedRun> runs;
  const Checker checker(complete_schema());
  KnownPlatforms platforms;
  AggregateResolver aggregates(platforms);
  for (Point& point : resolve_points(scenario, checker, base_folder)) {
    const std::string swept = describe_values(point.swept, point.labels);
    try {
      runs.push_back(plan_run(std::move(point), platforms, aggregates));
    } catch (const InputError& error) {
      if (swept.empty()) throw;
      throw InputError(error.place(), error.text() + " (at the point of the sweep where " + swept + ")");
    }
  }
  return runs;
}

}  // namespace isthmus
