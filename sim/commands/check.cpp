#include <algorithm>
#include <cstdio>
#include <iostream>
#include <map>
#include <sstream>
#include <thread>

#include "analysis/format.hpp"
#include "analysis/text_table.hpp"
#include "sim/averaging/coded_tensors.hpp"
#include "sim/commands/check_table.hpp"
#include "sim/commands/network_arguments.hpp"
#include "sim/commands/scenario_source.hpp"
#include "sim/commands/sites_text.hpp"
#include "sim/core/replica.hpp"
#include "sim/graphs/graph.hpp"
#include "sim/platform/device_files.hpp"
#include "sim/study/estimate.hpp"
#include "sim/study/plan.hpp"

namespace isthmus {
namespace {

void print_model(const PlannedRun& run) {
  const Job& job = *run.job;
  const CostProfile costs = job.model().costs(job.training().batch);
  std::cout << "  data      " << job.data().name << ": " << job.data().train_samples << " + "
            << job.data().test_samples << " samples, " << job.data().shape.size() << " features, "
            << job.data().classes << " classes\n"
            << "  model     " << costs.parameters << " parameters ("
            << format_bytes(static_cast<double>(sizeof(float) * job.model().layout().size()))
            << "); a step of " << job.training().samples_per_step()
            << " samples: " << format_count(step_flops(job, job.model())) << "FLOP ("
            << format_count(job.training().accumulation_steps * costs.forward_multiply_adds)
            << " multiply-adds forward)\n";
}

/// "3.1 %"
std::string share(double part) {
  char text[16];
  std::snprintf(text, sizeof text, part < 0.1 ? "%.1f %%" : "%.0f %%", 100 * part);
  return text;
}

/// What a local step of the whole model takes on each kind of device, and what it waits for; then the steps
/// that its workers really make there.
void print_devices(const TriedRun& tried) {
  const PlannedRun& run = *tried.run;
  const Work step = step_work(*run.job, run.job->model());
  std::map<std::string, std::vector<std::size_t>> kinds;
  for (std::size_t rank = 0; rank < run.platform->hosts.size(); ++rank) {
    if (const std::string& device = run.platform->hosts[rank].device; !device.empty())
      kinds[device].push_back(rank);
  }
  for (const auto& [name, ranks] : kinds) {
    const DeviceModel model(find_device(name).profile, run.point.scenario.platform.precision,
                            run.point.scenario.platform.issue);
    const WorkSeconds takes = model.seconds(step);
    const double whole = takes.seconds(), peak = model.profile().in(model.precision())->peak_flops_per_second;
    const BoundSeconds& bounds = takes.all;
    std::cout << "  device    " << name << ", " << name_of(model.precision())
              << ": a step of the whole model takes " << format_seconds(whole) << ", at "
              << share(flops_of(step) / whole / peak) << " of the peak\n"
              << "            launching kernels " << share(bounds.launch / whole) << ", computing "
              << share(bounds.compute / whole) << ", memory " << share(bounds.memory / whole)
              << "\n            by kernel: ";
    bool first = true;
    for (std::size_t kind = 0; kind < takes.by_kind.size(); ++kind) {
      if (takes.by_kind[kind].total() == 0) continue;
      std::cout << (first ? "" : ", ") << kernel_kind_names[kind] << ' '
                << share(takes.by_kind[kind].total() / whole);
      first = false;
    }
    std::cout << '\n';
    if (!tried.dry || tried.dry->rounds.empty()) continue;
    const DryRun::RoundCosts& round = tried.dry->usual();
    const WorkerLedger& worker = round.workers[ranks.front()];
    const double steps = static_cast<double>(round.round.local_steps),
                 work = worker.flops / steps / flops_of(step), time = worker.compute_seconds / steps / whole;
    if (work > 0.99) continue;
    std::cout << "            a step of worker " << ranks.front() << " has " << share(work)
              << " of that work and takes " << share(time) << " of that time\n";
  }
}

void print_network(const PlannedRun& run) {
  const PlatformReport& platform = *run.platform;
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
  for (const ProfileFacts& profile : run.platform->profiles) kinds[profile.kind].push_back(&profile);
  for (const auto& [kind, profiles] : kinds) {
    ProfileFacts all = *profiles.front();
    for (const ProfileFacts* profile : profiles) {
      all.span = {std::min(all.span.least, profile->span.least), std::max(all.span.most, profile->span.most)};
    }
    const auto [quantity, least, most] = profile_text(all);
    std::cout << "  profiles  " << quantity << ' ' << least << " to " << most
              << ", changing during the run: " << all.of;
    if (profiles.size() > 1) std::cout << " .. " << profiles.back()->of << " (" << profiles.size() << ')';
    std::cout << "; the rounds tried see only its beginning\n";
  }
}

/// What "auto" became, and what the others would have taken; where the sites of hierarchical are.
void print_choice(const PlannedRun& run) {
  const nlohmann::json& chosen = run.point.chosen;
  if (chosen.contains("sites")) {
    std::cout << "  sites     " << sites_text(chosen.at("sites"), run.platform->slowest_link()) << '\n';
  }
  if (!chosen.contains("aggregate")) return;
  const bool simulated = chosen.contains("simulated_round_seconds");
  std::string others;
  for (const auto& [name, seconds] :
       chosen.at(simulated ? "simulated_round_seconds" : "predicted_all_reduce_seconds").items()) {
    others += (others.empty() ? "" : ", ") + name + " " +
              (seconds.is_number() ? format_seconds(seconds.get<double>()) : "does not get through");
  }
  std::cout << "  aggregate auto: " << chosen.at("aggregate").get<std::string>()
            << (simulated ? "; the first round, simulated: "
                          : "; one all-reduce of the model by the alpha-beta model: ")
            << others << '\n';
}

/// What a codec leaves of all parameters, and how it tells which.
void print_compression(const PlannedRun& run) {
  const nlohmann::json compression = run.point.scenario.protocol.value("compression", nlohmann::json());
  const auto codec = compression.is_null() ? nullptr : make_codec(compression);
  if (!codec) return;
  const ParameterLayout& layout = run.job->model().layout();
  const std::vector<Tensor> tensors = tensors_in(layout, {0, layout.trainable_size()});
  std::size_t payload = CodedTensors(*codec, tensors).bytes();
  if (codec->is_additive())
    payload = wire_format_of(run.point.scenario.protocol).bytes(payload / sizeof(float));
  const auto bytes = static_cast<double>(payload),
             whole = sizeof(float) * static_cast<double>(size_of(tensors));
  std::cout << "  codec     " << compression.at("kind").get<std::string>() << ": all parameters take "
            << format_bytes(bytes) << ", " << share(bytes / whole) << " of what they are";
  const std::string places = codec->index_coding(std::ranges::max(tensors, {}, &Tensor::size).size());
  if (!places.empty()) std::cout << "; places in the largest tensor: " << places;
  std::cout << '\n';
}

/// How fast what workers differ by is mixed away.
void print_graph(const PlannedRun& run) {
  const nlohmann::json& protocol = run.point.scenario.protocol;
  if (!protocol.contains("graph")) return;
  const Graph& graph = graph_named(protocol.at("graph").get<std::string>());
  const int workers = run.job->workers(), period = graph.period(workers);
  const std::size_t heard = graph.neighbours(0, workers, 0, Direction::heard).size();
  std::cout << "  graph     " << graph.kind.name << ": each hears " << heard << " of " << workers - 1
            << " others";
  if (const auto gap = spectral_gap(graph, workers)) {
    std::ostringstream digits;
    digits.precision(3);
    digits << *gap;
    std::cout << ", weights 1/" << heard + 1 << "; spectral gap " << digits.str();
    if (period > 1) std::cout << " in " << period << " steps";
  }
  std::cout << '\n';
}

void print_round(const TriedRun& tried) {
  const Job& job = *tried.run->job;
  const Rounds rounds = job.rounds();
  const RoundPlan plan = job.round_plan();
  std::cout << "  round     " << counted(plan.local_steps, "local step");
  if (rounds.warm_up() > 0 && plan.warm_up.local_steps < plan.local_steps)
    std::cout << ", a single one in the first " << counted(rounds.warm_up(), "round");
  std::cout << "; " << counted(rounds.size(), "round") << ", " << counted(rounds.steps(), "local step")
            << " of each worker in all\n";
  if (const auto seconds = job.training().end_after_seconds)
    std::cout << "            or those that begin before " << format_seconds(*seconds)
              << " are over, on this platform\n";
  if (tried.dry) {
    print_rounds(*tried.dry);
  } else {
    std::cout << "            not even the first is over after some seconds: what rounds send, take and need "
                 "is not known\n";
  }
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

void print_details(const TriedRun& tried) {
  const PlannedRun& run = *tried.run;
  std::cout << "Run " << run.point.id;
  if (!run.point.swept.empty())
    std::cout << "  (" << describe_values(run.point.swept, run.point.labels) << ")";
  std::cout << '\n';
  print_model(run);
  print_devices(tried);
  print_network(run);
  print_profiles(run);
  print_choice(run);
  print_compression(run);
  print_graph(run);
  print_round(tried);
  print_workers(tried);
}

}  // namespace

int check_command(const Arguments& arguments) {
  CommandLine line(
      "check SCENARIO [OPTIONS]", "SCENARIO",
      "Checks a scenario and all its points, and shows what follows from each before anything runs:\n"
      "of a sweep its grid and, side by side, bytes and simulated time of a round and memory; of a single\n"
      "point (or with --details of each) parameters, FLOPs, bytes, messages and time by round, and the\n"
      "memory of each worker; how many distinct trainings are needed, and about how long they will take\n"
      "here. All of it is found by running the first and the last rounds on the platform without values.\n\n"
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
  const std::vector<const PlannedRun*> distinct = distinct_runs(runs);
  const bool all = line.values().count("all") > 0;
  constexpr std::size_t first_rows = 40;
  const std::size_t shown = all ? distinct.size() : std::min(first_rows, distinct.size());
  DryRuns dry_runs;
  const std::vector<TriedRun> tried =
      try_out({distinct.begin(), distinct.begin() + static_cast<long>(shown)}, dry_runs);
  const StudyEstimate estimate =
      estimate_study(runs, store, cores, dry_runs);  // all that can fail, before anything is said
  print_grid(read_sweep(source.document, Checker(complete_schema())));
  if (distinct.size() > 1) print_comparison(tried, runs.size());
  if (distinct.size() == 1 || line.values().count("details") > 0) {
    for (const TriedRun& run : tried) print_details(run);
  }
  if (shown < distinct.size())
    std::cout << "... and " << distinct.size() - shown << " more (--all shows them)\n\n";
  print_estimate(runs, estimate, cores, store);
  std::cout << line.argument() << ": no errors in " << counted(runs.size(), "run") << '\n';
  return 0;
}

}  // namespace isthmus
