#include <iostream>
#include <thread>

#include "analysis/study_table.hpp"
#include "models/error.hpp"
#include "sim/commands/scenario_source.hpp"
#include "sim/study/study.hpp"

namespace isthmus {
namespace {

namespace po = boost::program_options;

int default_threads() { return static_cast<int>(std::max(1u, std::thread::hardware_concurrency())); }

}  // namespace

int run_command(const Arguments& arguments) {
  CommandLine line(
      "run SCENARIO [OPTIONS]", "SCENARIO",
      "Runs a scenario, or every point of its sweep, and writes one folder of files for each run. Runs\n"
      "that are finished already are kept; so after Ctrl-C the same command goes on.\n\n"
      "Example:\n"
      "  isthmus run scenarios/quickstart.json --set /platform/bandwidth=10Mbps --out results/slow\n");
  add_scenario_options(line);
  line.options().add_options()                                                                         //
      ("out", po::value<std::string>()->value_name("DIR"), "where to write (default: results/NAME)")   //
      ("threads", po::value<int>()->value_name("N"), "threads for numeric work (default: all cores)")  //
      ("trace", "also write trace.json for each run; opens in ui.perfetto.dev")                        //
      ("again", "run finished runs again");
  if (!line.parse(arguments)) return 0;

  StudyOptions options;
  ScenarioSource source = read_source(line);
  options.scenario = std::move(source.document);
  options.base_folder = source.folder;
  if (line.values().count("out") > 0) options.out = line.values()["out"].as<std::string>();
  options.threads =
      line.values().count("threads") > 0 ? line.values()["threads"].as<int>() : default_threads();
  if (options.threads < 1 || options.threads > 1024) {
    throw InputError("--threads", "found " + std::to_string(options.threads) + "; allowed: 1 to 1024");
  }
  options.trace = line.values().count("trace") > 0;
  options.again = line.values().count("again") > 0;
  options.command_line = {"isthmus", "run"};
  options.command_line.insert(options.command_line.end(), arguments.begin(), arguments.end());

  const StudyReport report = run_study(options);
  const auto runs = read_runs(report.folder);
  print_runs(runs, std::cout);
  std::cout << "\nFiles: " << report.folder.string() << '\n';
  if (report.reused > 0) {
    std::cout << report.reused << " of " << report.runs
              << " runs were finished before (--again runs them again)\n";
  }
  if (report.interrupted) {
    std::cerr << "isthmus: interrupted; " << runs.size() << " of " << report.runs
              << " runs are finished, the same command goes on from here\n";
    return 130;
  }
  return report.all_well ? 0 : 1;
}

}  // namespace isthmus
