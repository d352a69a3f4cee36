#include "sim/mpi/mpi_main.hpp"

#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <sstream>

#include "analysis/study_table.hpp"
#include "models/error.hpp"
#include "sim/commands/scenario_source.hpp"
#include "sim/mpi/mpi_run.hpp"
#include "sim/mpi/real_study.hpp"
#include "sim/study/content_hash.hpp"
#include "sim/study/run_task.hpp"

namespace isthmus {
namespace {

namespace po = boost::program_options;

constexpr int some_run_failed = 1, bad_input = 2;

/// All that a process knows before anything is sent or timed.
struct Preparation {
  bool wanted = true;  ///< false: only help was asked for
  ScenarioDocument scenario;
  std::filesystem::path out;
  std::vector<PlannedRun> runs;
  const PlannedRun* run = nullptr;
  std::unique_ptr<Job> job;
};

const PlannedRun& choose(const std::vector<PlannedRun>& runs, const std::string& id) {
  const std::string ids = "its runs are " + runs.front().point.id + " to " + runs.back().point.id;
  if (id.empty()) {
    if (runs.size() == 1) return runs.front();
    throw InputError("/sweep", "the scenario describes " + std::to_string(runs.size()) +
                                   " runs; choose one with --point ID: " + ids);
  }
  const auto run = std::ranges::find(runs, id, [](const PlannedRun& each) { return each.point.id; });
  if (run == runs.end()) throw InputError("--point", "no run \"" + id + "\"; " + ids);
  return *run;
}

void require_real(const PlannedRun& run, int processes) {
  const Scenario& scenario = run.point.scenario;
  const int workers = scenario.platform.workers, servers = run.protocol->servers();
  if (workers + servers != processes) {
    const std::string beside =
        servers > 0 ? " and " + std::to_string(servers) + (servers == 1 ? " server" : " servers") : "";
    throw InputError("/platform/workers", "found " + std::to_string(workers) + " workers" + beside + " for " +
                                              std::to_string(processes) +
                                              " MPI processes; allowed: as many as there are processes "
                                              "(mpirun -n " +
                                              std::to_string(workers + servers) + ")");
  }
  if (scenario.training.end_after_seconds) {
    throw InputError("/training/end_after_seconds",
                     "found " + std::to_string(*scenario.training.end_after_seconds) +
                         "; isthmus-mpi has no simulated seconds: give \"rounds\" or \"epochs\" alone");
  }
  if (scenario.training.charge_evaluation) {
    throw InputError("/training/charge_evaluation",
                     "found true; isthmus-mpi allows only false: tests of the model are off its clock");
  }
}

Preparation prepare(const Arguments& arguments) {
  CommandLine line(
      "SCENARIO [OPTIONS]", "SCENARIO",
      "Carries out one run of a scenario on real machines: the same protocols, with real messages over MPI,\n"
      "one process per worker and server, in wall-clock seconds. Of the platform file only the number of "
      "workers, "
      "their\n"
      "names and memory limits count. With \"numerics\": \"costs\" a device is stood in for by sleeping for\n"
      "FLOPs / its speed: what is real then is the network.\n\n"
      "Example:\n"
      "  mpirun -n 4 isthmus-mpi scenarios/quickstart.json --point 1-data_parallel --out results/real\n");
  line.set_program("mpirun -n WORKERS isthmus-mpi");
  add_scenario_options(line);
  line.options().add_options()                                                                             //
      ("out", po::value<std::string>()->value_name("DIR"), "where to write (default: results/NAME-real)")  //
      ("point", po::value<std::string>()->value_name("ID"), "which run, if the scenario has a sweep");
  Preparation result;
  result.wanted = line.parse(arguments);
  if (!result.wanted) return result;
  ScenarioSource source = read_source(line);
  result.scenario = std::move(source.document);
  result.runs = plan_study(result.scenario, source.folder);
  const bool has_point = line.values().count("point") > 0, has_out = line.values().count("out") > 0;
  result.run = &choose(result.runs, has_point ? line.values()["point"].as<std::string>() : "");
  const Scenario& scenario = result.run->point.scenario;
  result.out = has_out ? std::filesystem::path(line.values()["out"].as<std::string>())
                       : std::filesystem::path("results") / (scenario.name + "-real");
  result.job =
      std::make_unique<Job>(scenario.data, scenario.model, scenario.training, scenario.platform.workers,
                            result.run->protocol->round_plan(), scenario.live);
  return result;
}

/// The first thing wrong with what a rank prepared, for rank 0 to say.
std::string first_error(const std::vector<nlohmann::json>& of_ranks) {
  for (std::size_t rank = 0; rank < of_ranks.size(); ++rank) {
    const std::string error = of_ranks[rank].at("error");
    if (!error.empty()) return (rank > 0 ? "process " + std::to_string(rank) + ": " : "") + error;
    if (of_ranks[rank] != of_ranks.front()) {
      return "process " + std::to_string(rank) +
             " read another scenario than process 0; all machines need the same files";
    }
  }
  return "";
}

int carry_out(const Preparation& prepared, const Arguments& arguments, Control& control) {
  const auto start = std::chrono::steady_clock::now();
  const PlannedRun& run = *prepared.run;
  const RunResult result = run_on_mpi(run, *prepared.job, nullptr, control);
  if (control.rank() != 0) return 0;
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
  const Provenance provenance{.numerics = run.point.scenario.live ? "live" : "costs",
                              .trajectory = {},
                              .platform = platform_hash(run),
                              .clock = "real",
                              .devices = device_hashes(run)};
  make_folder(prepared.out / "runs");
  write_run(prepared.out / "runs" / run.point.id, run.point, result, provenance, wall.count());
  end_real_study(prepared.out, prepared.scenario, arguments);
  print_runs(read_runs(prepared.out), std::cout);
  std::cout << "\nFiles: " << prepared.out.string() << std::endl;
  if (result.outcome == Outcome::completed) return 0;
  std::cerr << "isthmus-mpi: " << outcome_name(result.outcome) << ": " << result.message << std::endl;
  MPI_Abort(MPI_COMM_WORLD, some_run_failed);  // the other workers wait for messages that will not come
  return some_run_failed;
}

/// What a process found before MPI began; children that look at platforms must not be forked after that.
struct Found {
  Preparation prepared;
  std::string printed, error;
};

Found prepare_quietly(const Arguments& arguments) {
  Found found;
  std::ostringstream help;
  std::streambuf* const out = std::cout.rdbuf(help.rdbuf());
  try {
    found.prepared = prepare(arguments);
  } catch (const std::exception& problem) {
    found.error = problem.what();
  }
  std::cout.rdbuf(out);
  found.printed = help.str();
  return found;
}

int carry_out_together(Found found, const Arguments& arguments) {
  Control control(MPI_COMM_WORLD);
  const bool speaks = control.rank() == 0;
  const Preparation& prepared = found.prepared;
  std::string configuration;
  try {
    if (prepared.run) {
      configuration = content_hash(prepared.run->point.configuration.dump());
      require_real(*prepared.run, control.size());
      if (speaks) require_real_study(prepared.out, prepared.scenario);
    }
  } catch (const std::exception& problem) {
    found.error = problem.what();
  }
  if (speaks) std::cout << found.printed;  // help is printed once
  const std::string error =
      first_error(control.gather({{"error", found.error}, {"configuration", configuration}}));
  const bool well = control.minimum(error.empty() ? 1 : 0) == 1;
  if (!error.empty()) std::cerr << "isthmus-mpi: " << error << std::endl;
  if (!well) return speaks ? bad_input : 0;
  return prepared.wanted ? carry_out(prepared, arguments, control) : 0;
}

}  // namespace

int isthmus_mpi_main(int argc, char** argv) {
  const Arguments arguments(argv + 1, argv + argc);
  Found found = prepare_quietly(arguments);
  // A worker's communication stream is a second thread, but never do both call MPI at once.
  int threads = MPI_THREAD_SINGLE;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_SERIALIZED, &threads);
  int exit_code = 0;
  try {
    exit_code = carry_out_together(std::move(found), arguments);
  } catch (const std::exception& error) {
    std::cerr << "isthmus-mpi: " << error.what() << std::endl;
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  MPI_Finalize();
  return exit_code;
}

}  // namespace isthmus
