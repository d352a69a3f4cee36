#include <algorithm>
#include <iostream>
#include <map>
#include <thread>

#include "analysis/format.hpp"
#include "analysis/text_table.hpp"
#include "sim/commands/check_table.hpp"
#include "sim/commands/network_arguments.hpp"
#include "sim/commands/scenario_source.hpp"
#include "sim/commands/sites_text.hpp"
#include "sim/study/estimate.hpp"
#include "sim/study/plan.hpp"

namespace isthmus {
namespace {

double as_double(std::uint64_t bytes) { return static_cast<double>(bytes); }

void print_model(const PlannedRun& run) {
  const Job& job = *run.job;
  const CostProfile costs = job.model().costs(job.training().batch);
  std::cout << "  data      " << job.data().name << ": " << job.data().train_samples << " + "
            << job.data().test_samples << " samples, " << job.data().shape.size() << " features, "
            << job.data().classes << " classes\n"
            << "  model     " << costs.parameters << " parameters ("
            << format_bytes(4 * as_double(job.model().layout().size())) << "); a step of "
            << job.training().samples_per_step() << " samples: " << format_count(step_flops(job, job.model()))
            << "FLOP (" << format_count(job.training().accumulation_steps * costs.forward_multiply_adds)
            << " multiply-adds forward)\n";
}

void print_network(const PlannedRun& run) {
  const PlatformReport& platform = run.platform;
  const auto between = [](double low, double high, std::string (*format)(double)) {
    return low == high ? format(low) : format(low) + " to " + format(high);
  };
  std::cout << "  network   " << run.point.configuration.at("network").at("model").get<std::string>();
  if (platform.pair_classes.empty()) {
    std::cout << "; nobody talks\n";
  } else {
    std::cout << "; between workers "
              << between(platform.min_bandwidth_bytes_per_second(), platform.max_bandwidth_bytes_per_second(),
                         format_bandwidth)
              << ", "
              << between(platform.min_latency_seconds(), platform.max_latency_seconds(), format_seconds)
              << " one way\n";
  }
  std::cout << "            " << network_constants_text(platform.network) << '\n';
}

/// What changes while the run goes on, quantity by quantity.
void print_profiles(const PlannedRun& run) {
  std::map<ProfileKind, std::vector<const ProfileFacts*>> kinds;
  for (const ProfileFacts& profile : run.platform.profiles) kinds[profile.kind].push_back(&profile);
  for (const auto& [kind, profiles] : kinds) {
    ProfileFacts all = *profiles.front();
    for (const ProfileFacts* profile : profiles) {
      all.span = {std::min(all.span.least, profile->span.least), std::max(all.span.most, profile->span.most)};
    }
    const auto [quantity, least, most] = profile_text(all);
    std::cout << "  profiles  " << quantity << ' ' << least << " to " << most
              << ", changing during the run: " << all.of;
    if (profiles.size() > 1) std::cout << " .. " << profiles.back()->of << " (" << profiles.size() << ')';
    std::cout << "; closed forms take what holds at its start\n";
  }
}

/// The longest of something over all workers of a round.
template <typename Seconds>
double slowest(const PlannedRun& run, const Forecast& round, Seconds&& seconds) {
  double longest = 0;
  for (std::size_t rank = 0; rank < round.workers.size(); ++rank) {
    longest = std::max(longest, seconds(round.workers[rank], run.platform.hosts[rank].speed_flops));
  }
  return longest;
}

/// What "auto" became, and what the others would have taken; where the sites of hierarchical are.
void print_choice(const PlannedRun& run) {
  const nlohmann::json& chosen = run.point.chosen;
  if (chosen.contains("sites")) {
    std::cout << "  sites     " << sites_text(chosen.at("sites"), run.platform.slowest_link()) << '\n';
  }
  if (!chosen.contains("aggregate")) return;
  const bool simulated = chosen.contains("simulated_round_seconds");
  std::string others;
  for (const auto& [name, seconds] :
       chosen.at(simulated ? "simulated_round_seconds" : "predicted_communication_seconds").items()) {
    others += (others.empty() ? "" : ", ") + name + " " +
              (seconds.is_number() ? format_seconds(seconds.get<double>()) : "does not get through");
  }
  std::cout << "  aggregate auto: " << chosen.at("aggregate").get<std::string>()
            << (simulated ? "; the first round, simulated: "
                          : "; communication of a round by the alpha-beta model: ")
            << others << '\n';
}

/// Returns its seconds.
double print_kind_of_round(const PlannedRun& run, const Forecast& round, bool is_one_of_several) {
  const std::uint64_t total = round.bytes_sent();
  const double compute =
      slowest(run, round, [](const auto& worker, double speed) { return worker.flops / speed; });
  const double seconds = slowest(
      run, round, [&](const auto& worker, double speed) { return round.round_seconds(worker, speed); });
  std::cout << "            sent by all workers " << total << " bytes (" << format_bytes(as_double(total))
            << (round.varies || is_one_of_several ? ", in round " + std::to_string(round.round) : "")
            << (round.varies ? "; rounds vary" : "")
            << "); as the papers count (up plus down, of all workers) " << format_bytes(round.paper_bytes)
            << '\n'
            << "            by closed forms, on a star of ways as the slowest, " << format_seconds(seconds)
            << ": compute " << format_seconds(compute) << ", communication "
            << format_seconds(round.communication_seconds);
  if (!round.overlapped.empty()) {
    std::cout << " in " << counted(round.overlapped.size(), "bucket") << ", from the backward pass on";
  }
  return seconds;
}

void print_round(const PlannedRun& run) {
  const Job& job = *run.job;
  const long rounds = job.rounds().size(), steps = job.round_plan().local_steps;
  std::vector<std::pair<long, const Forecast*>> kinds;  // so many rounds that are as this one
  for (const Forecast& before : run.forecast.before) kinds.emplace_back(job.single_step_rounds(), &before);
  kinds.emplace_back(rounds - (kinds.empty() ? 0 : kinds.front().first), &run.forecast);

  std::cout << "  round     " << counted(steps, "local step");
  if (kinds.size() > 1) std::cout << ", a single one in the first " << counted(kinds.front().first, "round");
  std::cout << "; " << counted(rounds, "round") << ", " << counted(job.total_steps(), "local step")
            << " of each worker in all\n";
  // The last round may have fewer steps.
  const double left_out = 1 - static_cast<double>(job.rounds().last_steps()) / static_cast<double>(steps);
  double all_seconds = -left_out * slowest(run, run.forecast, [](const auto& worker, double speed) {
    return worker.flops / speed;
  });
  for (const auto& [count, round] : kinds) {
    all_seconds += static_cast<double>(count) * print_kind_of_round(run, *round, kinds.size() > 1);
    if (round == &run.forecast) std::cout << "; all rounds " << format_seconds(all_seconds);
    std::cout << '\n';
  }
  std::cout << "            simulated on this platform, the first takes " << first_round_text(run) << '\n';
  const nlohmann::json& network = run.platform.network;
  if (!network.at("latency_factor").is_number())
    std::cout << "            (without the model's factors by message size)\n";
  if (job.training().charge_evaluation)
    std::cout << "            (without tests of the model, which take simulated time here)\n";
}

/// Rows of neighbouring ranks with equal figures are folded.
void print_workers(const PlannedRun& run) {
  std::vector<TextRow> rows = {{"worker", "host", "speed", "sends per round", "memory", "limit", "fits"}};
  const auto& workers = run.forecast.workers;
  const auto describe = [&](std::size_t rank) {
    const HostFacts& host = run.platform.hosts[rank];
    const std::uint64_t need = workers[rank].memory.total();
    const bool fits = !host.memory_bytes || need <= *host.memory_bytes;
    return TextRow{format_speed(host.speed_flops), format_bytes(as_double(workers[rank].bytes_sent)),
                   format_memory(as_double(need)), format_memory(host.memory_bytes), fits ? "yes" : "NO"};
  };
  for (std::size_t begin = 0, end = 0; begin < workers.size(); begin = end) {
    const TextRow facts = describe(begin);
    for (end = begin + 1; end < workers.size() && describe(end) == facts;) ++end;
    const auto range = [&](const std::string& first, const std::string& last) {
      return end - begin > 1 ? first + " .. " + last : first;
    };
    TextRow row = {range(std::to_string(begin), std::to_string(end - 1)),
                   range(run.platform.hosts[begin].name, run.platform.hosts[end - 1].name)};
    row.insert(row.end(), facts.begin(), facts.end());
    rows.push_back(std::move(row));
  }
  print_table(rows, std::cout, 2);
  if (run.point.scenario.platform.hosts.empty())
    std::cout << "            workers take hosts in natural order of names (n-2 before n-10)\n";
  const auto fullest = std::ranges::max_element(
      workers, {}, [](const Forecast::Worker& worker) { return worker.memory.total(); });
  std::string parts;
  for (std::size_t i = 0; i < memory_part_names.size(); ++i) {
    const std::uint64_t bytes = fullest->memory[static_cast<MemoryPart>(i)];
    if (bytes > 0)
      parts += (parts.empty() ? "" : ", ") + std::string(memory_part_names[i]) + " " +
               format_memory(as_double(bytes));
  }
  std::cout << "            memory of worker " << fullest - workers.begin() << ": " << parts << "\n\n";
}

/// The values of an axis in a few words: their labels, all of a few, or the ends of many.
std::string describe_axis(const SweepAxis& axis) {
  std::vector<std::string> names = axis.labels;
  if (names.empty()) {
    for (const auto& value : axis.values) {
      names.push_back(value.is_number() ? value.dump() : short_name(axis.pointer, value));
    }
  }
  constexpr std::size_t all_shown = 6;
  if (names.size() > all_shown) return names.front() + " .. " + names.back();
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : "; ") + name;
  return text;
}

/// The grid that a sweep spans: its axes, those that advance together below each other, and what is left out.
void print_grid(const Sweep& sweep) {
  if (sweep.groups.empty()) return;
  std::vector<TextRow> rows = {{"axis", "length", "values"}};
  std::string factors;
  for (const SweepGroup& group : sweep.groups) {
    factors += (factors.empty() ? "" : " x ") + std::to_string(group.size());
    for (const SweepAxis& axis : group.axes) {
      const bool is_first = &axis == &group.axes.front();
      rows.push_back({(is_first ? "" : "with ") + axis.pointer, is_first ? std::to_string(group.size()) : "",
                      describe_axis(axis)});
    }
  }
  std::cout << "Sweep: " << factors;
  if (sweep.groups.size() > 1) std::cout << " = " << sweep.product;
  std::cout << (sweep.product == 1 ? " point" : " points");
  const std::size_t excluded = sweep.product - sweep.points.size();
  if (excluded > 0) std::cout << ", " << excluded << " excluded, " << sweep.points.size() << " left";
  std::cout << '\n';
  print_table(rows, std::cout, rows.front().size());
  std::cout << '\n';
}

/// What carrying out all of it will take on this machine.
void print_estimate(const std::vector<PlannedRun>& runs, const StudyEstimate& estimate, int cores,
                    const TrajectoryStore& store) {
  const auto about = [](const std::optional<double>& seconds) {
    return seconds ? "about " + format_duration(*seconds)
                   : std::string("more than can be told from a few seconds of trial");
  };
  const std::string on_cores = " on " + counted(cores, "core");
  std::cout << "Study of " << counted(runs.size(), "run");
  if (estimate.live_runs > 0) {
    std::cout << " of " << estimate.trajectories
              << (estimate.trajectories == 1 ? " distinct trajectory" : " distinct trajectories");
    if (estimate.stored > 0) std::cout << ", " << estimate.stored << " of them stored";
    if (estimate.stored < estimate.trajectories)
      std::cout << "; training takes " << about(estimate.training_seconds);
    std::cout << "; simulating takes " << about(estimate.replay_seconds) << on_cores << "\nFiles of "
              << format_bytes(estimate.study_bytes);
    if (estimate.stored < estimate.trajectories) {
      std::cout << ", and up to " << format_bytes(estimate.store_bytes) << " in " << store.folder().string()
                << " while it trains";
    }
    std::cout << "\n\n";
  } else {
    std::cout << "; simulating takes " << about(estimate.replay_seconds) << on_cores << ", files of "
              << format_bytes(estimate.study_bytes) << "\n\n";
  }
}

void print_details(const PlannedRun& run) {
  std::cout << "Run " << run.point.id;
  if (!run.point.swept.empty())
    std::cout << "  (" << describe_values(run.point.swept, run.point.labels) << ")";
  std::cout << '\n';
  print_model(run);
  print_network(run);
  print_profiles(run);
  print_choice(run);
  print_round(run);
  print_workers(run);
}

}  // namespace

int check_command(const Arguments& arguments) {
  CommandLine line(
      "check SCENARIO [OPTIONS]", "SCENARIO",
      "Checks a scenario and all its points, and shows what follows from each before anything runs:\n"
      "of a sweep its grid and, side by side, bytes, simulated time of the first round and memory; of a\n"
      "single point (or with --details of each) parameters, FLOPs, bytes and ideal time of a round in\n"
      "closed form, and the memory of each worker; how many distinct trainings are needed, and about how\n"
      "long they will take here.\n\n"
      "Example:\n"
      "  isthmus check scenarios/quickstart.json --set /platform/workers=8\n");
  add_scenario_options(line);
  add_trajectories_option(line);
  line.options().add_options()("all", "show every row, not only the first forty")(
      "details", "show each run by itself, too");
  if (!line.parse(arguments)) return 0;
  const ScenarioSource source = read_source(line);
  const std::vector<PlannedRun> runs = plan_study(source.document, source.folder);
  const TrajectoryStore store = store_of(line);
  const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  const StudyEstimate estimate =
      estimate_study(runs, store, cores);  // all that can fail, before anything is said
  print_grid(read_sweep(source.document, Checker(complete_schema())));
  const std::vector<const PlannedRun*> distinct = distinct_runs(runs);
  const bool all = line.values().count("all") > 0;
  constexpr std::size_t first_rows = 40;
  const std::size_t shown = all ? distinct.size() : std::min(first_rows, distinct.size());
  const std::vector<const PlannedRun*> first(distinct.begin(), distinct.begin() + static_cast<long>(shown));
  if (distinct.size() > 1) print_comparison(first, runs.size());
  if (distinct.size() == 1 || line.values().count("details") > 0) {
    for (const PlannedRun* run : first) print_details(*run);
  }
  if (shown < distinct.size())
    std::cout << "... and " << distinct.size() - shown << " more (--all shows them)\n\n";
  print_estimate(runs, estimate, cores, store);
  std::cout << line.argument() << ": no errors in " << counted(runs.size(), "run") << '\n';
  return 0;
}

}  // namespace isthmus
