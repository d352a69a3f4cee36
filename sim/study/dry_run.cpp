#include "sim/study/dry_run.hpp"

#include <algorithm>
#include <ctime>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "sim/core/replica.hpp"
#include "sim/process/isolated.hpp"
#include "sim/simgrid/simulation.hpp"
#include "sim/study/stopwatch.hpp"

namespace isthmus {
namespace {

using nlohmann::json;

/// The first rounds of each kind, in which what comes from the round before has settled, and the last ones,
/// of which the very last may be shorter.
std::vector<long> rounds_to_run(const Rounds& rounds) {
  constexpr long first = 3, last = 2;
  std::vector<long> indices;
  const auto add = [&](long begin, long end) {
    for (long index = std::max(begin, indices.empty() ? 1 : indices.back() + 1);
         index <= std::min(end, rounds.size()); ++index) {
      indices.push_back(index);
    }
  };
  add(1, first);
  add(rounds.warm_up(), rounds.warm_up() + first);
  add(rounds.size() - last + 1, rounds.size());
  return indices;
}

/// Collects what workers and servers report, round by round; they may be in different rounds.
class Collector {
 public:
  explicit Collector(int ranks) : before_(static_cast<std::size_t>(ranks)) {}

  void add(const Round& round, const RoundReport& report) {
    const auto rank = static_cast<std::size_t>(report.rank);
    if (rounds.empty() || rounds.back().round.index < round.index) {
      rounds.push_back({round, 0, std::vector<WorkerLedger>(before_.size())});
      reports_.push_back(0);
    }
    std::size_t at = rounds.size() - 1;
    while (rounds[at].round.index != round.index) --at;
    rounds[at].workers[rank] = report.ledger - std::exchange(before_[rank], report.ledger);
    rounds[at].seconds = std::max(rounds[at].seconds, report.simulated_seconds);
    if (++reports_[at] == before_.size()) complete = at + 1;
  }

  std::vector<DryRun::RoundCosts> rounds;  // seconds: at the end
  std::size_t complete = 0;                // so many of these

 private:
  std::vector<WorkerLedger> before_;  // by rank, at the end of its last round
  std::vector<std::size_t> reports_;  // by round
};

class SeenEnough : public std::runtime_error {
 public:
  SeenEnough() : std::runtime_error("the other rounds would take too long to try") {}
};

/// Runs these rounds, or as many of them as are over when `patience_seconds` of the processor are used up.
DryRun run(Scenario scenario, const std::optional<std::vector<long>>& only_rounds, bool enforce_memory,
           double patience_seconds) {
  scenario.training.end_after_seconds.reset();  // some rounds stand for all that are planned
  scenario.live = false;
  const auto protocol = make_protocol(scenario.protocol);
  Job job(scenario.data, scenario.model, scenario.training, scenario.platform.workers, protocol->round_plan(),
          false);
  const Rounds all = job.rounds();
  job.keep_only_rounds(only_rounds.value_or(rounds_to_run(all)));
  Collector collector(job.workers() + protocol->servers());
  const Stopwatch watch;
  const std::clock_t start = std::clock();
  const auto used_seconds = [&] { return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC; };
  bool enough = false;
  const auto observe = [&](const Round& round, const RoundReport& report) {
    const std::size_t before = collector.complete;
    collector.add(round, report);
    enough = collector.complete > before && !round.last && used_seconds() > patience_seconds;
    if (enough) throw SeenEnough();
  };
  const RunResult result =
      simulate(scenario, job, *protocol, {.observer = observe, .enforce_memory = enforce_memory});
  collector.rounds.resize(collector.complete);
  DryRun dry{.rounds = std::move(collector.rounds),
             .memory_peaks = {},
             .all_rounds = all.size(),
             .warm_up_rounds = all.warm_up(),
             .trouble = result.outcome == Outcome::completed || enough ? "" : result.message,
             .wall_seconds = 0};
  for (const WorkerResult& worker : result.workers) dry.memory_peaks.push_back(worker.memory_peak);
  double end_before = 0;
  for (DryRun::RoundCosts& round : dry.rounds) round.seconds -= std::exchange(end_before, round.seconds);
  if (!dry.rounds.empty()) dry.wall_seconds = watch.seconds() / static_cast<double>(dry.rounds.size());
  return dry;
}

/// What is trained how by whom, whatever the seed or the platform.
std::string kind_of(const Point& point) {
  json kind = point.configuration;
  kind.at("training").erase("seed");
  kind.at("platform") = point.scenario.platform.workers;
  kind.erase("network");
  return kind.dump();
}

/// Of all workers.
template <typename Number>
Number sum(const std::vector<WorkerLedger>& workers, Number WorkerLedger::*member) {
  Number total = 0;
  for (const WorkerLedger& worker : workers) total += worker.*member;
  return total;
}

// On its way from the child.

json as_json(const DryRun& dry) {
  json rounds = json::array();
  for (const auto& [round, seconds, workers] : dry.rounds) {
    rounds.push_back({round.index, round.local_steps, round.steps_so_far, round.warm_up, round.evaluated,
                      round.last, seconds, workers});
  }
  return {rounds, dry.memory_peaks, dry.all_rounds, dry.warm_up_rounds, dry.trouble, dry.wall_seconds};
}

DryRun as_dry_run(const json& fields) {
  DryRun dry{.rounds = {},
             .memory_peaks = fields.at(1),
             .all_rounds = fields.at(2),
             .warm_up_rounds = fields.at(3),
             .trouble = fields.at(4),
             .wall_seconds = fields.at(5)};
  for (const json& round : fields.at(0)) {
    dry.rounds.push_back({{.index = round.at(0),
                           .local_steps = round.at(1),
                           .steps_so_far = round.at(2),
                           .warm_up = round.at(3),
                           .evaluated = round.at(4),
                           .last = round.at(5)},
                          round.at(6),
                          round.at(7)});
  }
  return dry;
}

}  // namespace

std::uint64_t DryRun::RoundCosts::bytes_sent() const { return sum(workers, &WorkerLedger::bytes_sent); }

std::uint64_t DryRun::RoundCosts::messages_sent() const { return sum(workers, &WorkerLedger::messages_sent); }

double DryRun::RoundCosts::flops() const { return sum(workers, &WorkerLedger::flops); }

double DryRun::RoundCosts::paper_bytes() const {
  constexpr double up_and_down = 2;
  return up_and_down * static_cast<double>(sum(workers, &WorkerLedger::synchronised_bytes));
}

double DryRun::RoundCosts::compute_seconds() const {
  return std::ranges::max_element(workers, {}, &WorkerLedger::compute_seconds)->compute_seconds;
}

const DryRun::RoundCosts& DryRun::usual() const {
  const RoundCosts* found = &rounds.back();
  for (const RoundCosts& costs : rounds) {
    if (costs.round.index <= warm_up_rounds) continue;
    found = &costs;
    if (costs.round.index == warm_up_rounds + 2) break;
  }
  return *found;
}

bool DryRun::varies() const {
  const RoundCosts& of_kind = usual();
  const auto bytes = [](const RoundCosts& costs) {
    std::vector<std::uint64_t> sent;
    for (const WorkerLedger& worker : costs.workers) sent.push_back(worker.bytes_sent);
    return sent;
  };
  return std::ranges::any_of(rounds, [&](const RoundCosts& costs) {
    return costs.round.index > of_kind.round.index && bytes(costs) != bytes(of_kind);
  });
}

double DryRun::state_bytes() const {
  double bytes = 0;
  for (const MemoryUse& peak : memory_peaks)
    bytes += static_cast<double>(peak[MemoryPart::parameters] + peak[MemoryPart::optimizer]);
  return bytes;
}

std::optional<DryRun> dry_run(const Scenario& scenario, const Patience& patience) {
  const auto found =
      try_isolated([&] { return as_json(run(scenario, std::nullopt, false, patience.processor_seconds)); },
                   patience.wall_seconds);
  if (!found) return std::nullopt;
  DryRun dry = as_dry_run(*found);
  return dry.rounds.empty() && dry.trouble.empty() ? std::nullopt : std::optional(std::move(dry));
}

void DryRuns::keep(const Point& point, const std::optional<DryRun>& dry) {
  known_.emplace(kind_of(point), dry);
}

const std::optional<DryRun>& DryRuns::of(const Point& point) {
  const auto [known, is_new] = known_.emplace(kind_of(point), std::nullopt);
  if (is_new) known->second = dry_run(point.scenario);
  return known->second;
}

double DryRuns::training_flops(const PlannedRun& run) {
  const std::optional<DryRun>& dry = of(run.point);
  if (dry) return dry->in_all([](const DryRun::RoundCosts& round) { return round.flops(); });
  const Job& job = *run.job;
  return static_cast<double>(job.total_steps()) * job.workers() * step_flops(job, job.model());
}

std::optional<double> first_round_seconds(const Scenario& scenario) {
  const double unlimited = std::numeric_limits<double>::infinity();
  const DryRun dry =
      as_dry_run(run_isolated([&] { return as_json(run(scenario, std::vector<long>{1}, true, unlimited)); }));
  return dry.trouble.empty() && !dry.rounds.empty() ? std::optional(dry.rounds.front().seconds)
                                                    : std::nullopt;
}

}  // namespace isthmus
