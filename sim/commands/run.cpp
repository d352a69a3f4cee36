#include <boost/algorithm/string.hpp>
#include <cmath>
#include <iostream>
#include <thread>

#include "analysis/format.hpp"
#include "analysis/study_table.hpp"
#include "models/error.hpp"
#include "sim/commands/scenario_source.hpp"
#include "sim/commands/slurm_options.hpp"
#include "sim/study/study.hpp"
#include "sim/study/trajectory_store.hpp"

namespace isthmus {
namespace {

namespace po = boost::program_options;

/// As many as there are cores unless given.
int count_option(const CommandLine& line, const std::string& name) {
  if (line.values().count(name) == 0)
    return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  const int count = line.values()[name].as<int>();
  if (count < 1 || count > 1024)
    throw InputError("--" + name, "found " + std::to_string(count) + "; allowed: 1 to 1024");
  return count;
}

}  // namespace

int run_command(const Arguments& arguments) {
  CommandLine line(
      "run SCENARIO [OPTIONS]", "SCENARIO",
      "Runs a scenario, or every point of its sweep, and writes one folder of files for each run. Runs\n"
      "that are finished already are kept; so after Ctrl-C or a kill the same command goes on. SCENARIO is "
      "a\n"
      "file, or the name of one that comes with isthmus.\n\n"
      "What training computes does not depend on the network: runs that differ only in platform and network\n"
      "train once, and the others replay that on theirs, with the same results in a fraction of the time.\n"
      "Trajectories are kept in a store for later studies.\n\n"
      "Example:\n"
      "  isthmus run quickstart --set /platform/bandwidth=10Mbps --out results/slow\n"
      "  isthmus run quickstart --jobs 4 --no-replay\n"
      "  isthmus run quickstart --executor slurm --partition compute --dry-run\n");
  add_scenario_options(line);
  add_trajectories_option(line);
  line.options().add_options()                                                                        //
      ("out", po::value<std::string>()->value_name("DIR"), "where to write (default: results/NAME)")  //
      ("jobs", po::value<int>()->value_name("N"), "runs at a time (default: as many as cores)")       //
      ("threads", po::value<int>()->value_name("N"),
       "threads for numeric work, of all runs together (default: all cores)")              //
      ("trace", "also write trace.json for each run; opens in ui.perfetto.dev")            //
      ("again", "run finished runs again")                                                 //
      ("retry-failed", "run those again that failed")                                      //
      ("no-replay", "train in every run; neither use nor fill the store of trajectories")  //
      ("state-every", po::value<double>()->value_name("SECONDS"),
       "store the state of a training so often, to go on from after a kill (default: 10)")  //
      ("only", po::value<std::string>()->value_name("ID,..."),
       "carry out these runs alone, beside other processes at work on the study; writes no runs.csv");
  add_slurm_options(line);
  if (!line.parse(arguments)) return 0;

  StudyOptions options;
  ScenarioSource source = read_source(line);
  const bool on_slurm = wants_slurm(line);
  if (on_slurm) apply_slurm_options(line, source.document);
  options.scenario = std::move(source.document);
  options.base_folder = source.folder;
  if (line.values().count("out") > 0) options.out = line.values()["out"].as<std::string>();
  options.jobs = count_option(line, "jobs");
  options.threads = count_option(line, "threads");
  options.trace = line.values().count("trace") > 0;
  options.again = line.values().count("again") > 0;
  options.retry_failed = line.values().count("retry-failed") > 0;
  options.replay = line.values().count("no-replay") == 0;
  options.trajectories = store_of(line).folder();
  if (line.values().count("state-every") > 0) {
    options.seconds_between_states = line.values()["state-every"].as<double>();
    if (!(options.seconds_between_states >= 0) || std::isinf(options.seconds_between_states))
      throw InputError("--state-every", "allowed: 0 or more seconds");
  }
  if (line.values().count("only") > 0) {
    boost::split(options.only, line.values()["only"].as<std::string>(), boost::is_any_of(","));
  }
  options.command_line = {"isthmus", "run"};
  options.command_line.insert(options.command_line.end(), arguments.begin(), arguments.end());
  if (on_slurm) return run_on_slurm(line, options);

  const StudyReport report = run_study(options);
  constexpr std::size_t most_named = 10;
  for (std::size_t i = 0; i < std::min(report.damaged.size(), most_named); ++i)
    std::cerr << "isthmus: run " << report.damaged[i] << "; it was run again\n";
  if (report.damaged.size() > most_named)
    std::cerr << "isthmus: ... and " << report.damaged.size() - most_named << " more damaged runs\n";
  print_runs(report.finished, std::cout);
  std::cout << "\nFiles: " << report.folder.string() << '\n';
  if (report.reused > 0) {
    std::cout << report.reused << " of " << report.runs
              << " runs were finished before (--again runs them again)\n";
  }
  if (report.replayed > 0) {
    std::cout << counted(report.trained, "run") << " trained, " << report.replayed
              << " replayed a trajectory (--no-replay trains in all)\n";
  }
  if (report.interrupted) {
    std::cerr << "isthmus: interrupted; " << report.finished.size() << " of " << report.runs
              << " runs are finished, the same command goes on from here\n";
    return 130;
  }
  return report.all_well ? 0 : 1;
}

}  // namespace isthmus
