#include "sim/study/study.hpp"

#include <signal.h>

#include <chrono>
#include <ctime>
#include <fstream>

#include "analysis/study_table.hpp"
#include "models/error.hpp"
#include "sim/process/isolated.hpp"
#include "sim/simgrid/simulation.hpp"
#include "sim/study/files.hpp"
#include "sim/study/plan.hpp"
#include "sim/study/progress.hpp"
#include "sim/study/provenance.hpp"

namespace isthmus {
namespace {

namespace fs = std::filesystem;

volatile sig_atomic_t interrupt_seen = 0;

/// Ctrl-C ends the child that is running; the parent lives on to say how the study stands.
class InterruptWatch {
 public:
  InterruptWatch() {
    struct sigaction action {};
    action.sa_handler = [](int) { interrupt_seen = 1; };
    sigaction(SIGINT, &action, &before_);
  }
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;
  ~InterruptWatch() { sigaction(SIGINT, &before_, nullptr); }

 private:
  struct sigaction before_ {};
};

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
  return text;
}

OrderedJson read_json(const fs::path& file) {
  std::ifstream in(file);
  return in ? OrderedJson::parse(in, nullptr, false) : OrderedJson();
}

/// A study can go on in a folder that holds the same study, or nothing.
void require_own_folder(const fs::path& folder, const ScenarioDocument& scenario) {
  if (!fs::exists(folder)) return;
  if (!fs::is_directory(folder)) throw InputError("--out", folder.string() + " is not a folder");
  if (fs::is_empty(folder)) return;
  const OrderedJson study = read_json(folder / "study.json");
  if (!study.is_object() || !study.contains("scenario")) {
    throw InputError("--out", folder.string() + " holds other files; choose another folder");
  }
  // Compared without regard to the order of keys, but for the sweep's, which numbers the runs.
  const nlohmann::json before = study["scenario"], now = scenario;
  const auto sweep_of = [](const OrderedJson& document) {
    return document.value("sweep", OrderedJson()).dump();
  };
  if (before == now && sweep_of(study["scenario"]) == sweep_of(scenario)) return;
  const nlohmann::json difference = nlohmann::json::diff(before, now);
  const std::string place = difference.empty() ? "/sweep" : difference[0].at("path").get<std::string>();
  throw InputError("--out", folder.string() + " holds another study (it differs at " + place +
                                "); choose another folder or remove it");
}

/// A run need not be run again if it ended well with the same configuration and build.
bool is_finished(const fs::path& folder, const PlannedRun& run, bool trace) {
  const OrderedJson before = read_json(folder / "run.json");
  if (!before.is_object() || before.value("outcome", "failed") == "failed") return false;
  if (trace && !fs::exists(folder / "trace.json")) return false;
  const nlohmann::json configuration = before.value("configuration", OrderedJson());
  const OrderedJson provenance = before.value("provenance", OrderedJson::object());
  const OrderedJson build = build_provenance();
  for (const auto& [key, value] : build.items()) {
    if (provenance.value(key, OrderedJson()) != value) return false;
  }
  return configuration == run.point.configuration;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// In a child process: everything a run does, up to its files.
nlohmann::json carry_out(const PlannedRun& run, const fs::path& folder, const StudyOptions& options,
                         ProgressLine& progress) {
  signal(SIGINT, SIG_DFL);
  const auto start = std::chrono::steady_clock::now();
  const Scenario& scenario = run.point.scenario;
  const Job job(scenario.data, scenario.model, scenario.training, scenario.platform.workers,
                run.protocol->steps_per_round(), scenario.live);
  const long rounds = static_cast<long>(job.rounds().size());
  const RunResult result =
      simulate(scenario, job, *run.protocol, options.threads, options.trace,
               [&](const Round& round, const HistoryRow& so_far) { progress.update(round, rounds, so_far); });
  write_run(folder, run.point, result, seconds_since(start));
  return nullptr;
}

void write_runs_csv(const fs::path& study) { write_file(study / "runs.csv", runs_csv(read_runs(study))); }

void run_one(const PlannedRun& run, const fs::path& folder, const StudyOptions& options,
             ProgressLine& progress) {
  const auto start = std::chrono::steady_clock::now();
  try {
    run_isolated([&] { return carry_out(run, folder, options, progress); });
  } catch (const InputError&) {
    throw;
  } catch (const std::exception& error) {
    if (interrupt_seen) return;
    RunResult result;
    result.message = error.what();
    write_run(folder, run.point, result, seconds_since(start));
  }
}

}  // namespace

StudyReport run_study(const StudyOptions& options) {
  const std::vector<PlannedRun> runs = plan_study(options.scenario, options.base_folder);
  StudyReport report;
  report.runs = runs.size();
  report.folder = options.out.empty() ? fs::path("results") / options.scenario.at("name").get<std::string>()
                                      : options.out;
  require_own_folder(report.folder, options.scenario);

  OrderedJson study = {{"name", options.scenario.at("name")},
                       {"scenario", options.scenario},
                       {"command_line", options.command_line},
                       {"build", build_provenance()},
                       {"start", utc_now()},
                       {"end", nullptr}};
  const bool is_new = !fs::exists(report.folder);
  fs::create_directories(report.folder / "runs");
  write_file(report.folder / "study.json", study.dump(2) + "\n");

  const InterruptWatch watch;
  ProgressLine progress(runs.size());
  for (std::size_t i = 0; i < runs.size() && !interrupt_seen; ++i) {
    const fs::path folder = report.folder / "runs" / runs[i].point.id;
    if (!options.again && is_finished(folder, runs[i], options.trace)) {
      ++report.reused;
      continue;
    }
    progress.begin_run(i, runs[i].point.id);
    try {
      run_one(runs[i], folder, options, progress);
    } catch (const InputError&) {
      // Found only now, by loading data: what this study has not begun to fill is taken away again.
      if (is_new && i == 0) fs::remove_all(report.folder);
      throw;
    }
    write_runs_csv(report.folder);
  }
  progress.clear();
  report.interrupted = interrupt_seen != 0;
  if (!report.interrupted) {
    study["end"] = utc_now();
    write_file(report.folder / "study.json", study.dump(2) + "\n");
    write_runs_csv(report.folder);
  }
  for (const OrderedJson& run : read_runs(report.folder)) {
    report.all_well = report.all_well && run.at("outcome") != "failed" && run.at("outcome") != "deadlock";
  }
  return report;
}

}  // namespace isthmus
