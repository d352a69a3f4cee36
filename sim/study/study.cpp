#include "sim/study/study.hpp"

#include <signal.h>

#include <algorithm>
#include <boost/interprocess/sync/file_lock.hpp>
#include <chrono>
#include <ctime>
#include <fstream>
#include <list>

#include "models/error.hpp"
#include "sim/process/isolated.hpp"
#include "sim/study/files.hpp"
#include "sim/study/plan.hpp"
#include "sim/study/progress.hpp"
#include "sim/study/provenance.hpp"
#include "sim/study/run_child.hpp"
#include "sim/study/run_queue.hpp"
#include "sim/study/trajectory_store.hpp"

namespace isthmus {
namespace {

namespace fs = std::filesystem;

volatile sig_atomic_t interrupt_seen = 0;

/// Ctrl-C ends the children that are running; the parent lives on to say how the study stands.
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

/// A run need not be run again if it ended, in whatever way, with the same configuration, build, platform and
/// data; unless its process was killed from outside, or the user wants failed ones again.
bool is_finished(const OrderedJson& before, const RunTask& task, const StudyOptions& options) {
  if (options.again || !before.is_object()) return false;
  const OrderedJson provenance = before.value("provenance", OrderedJson::object());
  if (before.value("outcome", "failed") == "failed" &&
      (options.retry_failed || provenance.value("killed", false))) {
    return false;
  }
  if (options.trace && !fs::exists(task.folder / "trace.json")) return false;
  const OrderedJson trajectory = provenance.value("trajectory", OrderedJson());
  if (task.trajectory && trajectory.is_string() && trajectory != task.trajectory->name) return false;
  if (provenance.value("platform", "") != platform_hash(*task.run)) return false;
  const OrderedJson build = build_provenance();
  for (const auto& [key, value] : build.items()) {
    if (provenance.value(key, OrderedJson()) != value) return false;
  }
  return nlohmann::json(before.value("configuration", OrderedJson())) == task.run->point.configuration;
}

/// FLOPs of a whole training.
double training_flops(const PlannedRun& run) {
  double flops = 0;
  for (const Forecast::Worker& worker : run.forecast.workers) flops += worker.flops;
  return flops * static_cast<double>(run.job->total_steps()) /
         static_cast<double>(run.job->steps_per_round());
}

/// A study while it is carried out.
class Execution {
 public:
  Execution(const StudyOptions& options, const std::vector<PlannedRun>& runs, fs::path folder);

  /// All runs. Throws InputError and StorageError; then nothing of it goes on.
  void carry_out();
  StudyReport report() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Child {
    RunQueue::Task task;
    std::unique_ptr<SharedProgress> progress;
    Clock::time_point start;
    IsolatedProcess process;
  };

  bool alone() const { return options_.only.empty(); }
  void plan_tasks(const std::vector<PlannedRun>& runs);
  void start(const RunQueue::Task& task);
  void finish(Child& child);
  void keep(std::size_t index, OrderedJson run);
  void write_runs_csv();
  void show_progress();

  const StudyOptions& options_;
  fs::path folder_;
  TrajectoryStore store_;
  std::vector<RunTask> tasks_;
  std::vector<OrderedJson> finished_;  // run.json of each run, null until it is there
  RunQueue queue_;
  std::list<Child> children_;
  StudyReport report_;
  StudyProgress progress_;
  StudyProgress::Tally tally_;
  Clock::time_point last_csv_;
};

Execution::Execution(const StudyOptions& options, const std::vector<PlannedRun>& runs, fs::path folder)
    : options_(options), folder_(std::move(folder)), store_(options.trajectories) {
  report_.folder = folder_;
  report_.runs = runs.size();
  plan_tasks(runs);
}

void Execution::plan_tasks(const std::vector<PlannedRun>& runs) {
  finished_.resize(runs.size());
  std::map<std::string, bool> complete;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const PlannedRun& run = runs[i];
    RunTask task{.run = &run,
                 .folder = folder_ / "runs" / run.point.id,
                 .trajectory = {},
                 .trace = options_.trace,
                 .seconds_between_states = options_.seconds_between_states};
    const bool live = run.point.scenario.live;
    if (live && options_.replay && !run.protocol->depends_on_timing()) task.trajectory = trajectory_key(run);
    tasks_.push_back(std::move(task));
    const RunTask& planned = tasks_.back();
    OrderedJson before = read_json(planned.folder / "run.json");
    if (is_finished(before, planned, options_)) {
      ++report_.reused;
      keep(i, std::move(before));
      continue;
    }
    if (!alone() && std::ranges::find(options_.only, run.point.id) == options_.only.end()) continue;
    std::string name = planned.trajectory ? planned.trajectory->name : live ? "live " + run.point.id : "";
    const auto [known, is_new] = complete.emplace(name, false);
    if (is_new && planned.trajectory) known->second = store_.is_complete(*planned.trajectory);
    if (is_new && live && !known->second) tally_.work += training_flops(run);
    queue_.add(i, name, known->second);
  }
  tally_.runs = runs.size();
}

void Execution::keep(std::size_t index, OrderedJson run) {
  const std::string outcome = run.at("outcome");
  const bool well = outcome != "failed" && outcome != "deadlock";
  report_.all_well = report_.all_well && well;
  ++tally_.done;
  if (!well) ++tally_.failed;
  finished_[index] = std::move(run);
}

void Execution::start(const RunQueue::Task& next) {
  RunTask& task = tasks_[next.run];
  const int at_once = std::min(options_.jobs, static_cast<int>(queue_.trainings()));
  task.threads = next.trains ? std::max(1, options_.threads / std::max(1, at_once)) : 1;
  auto progress = std::make_unique<SharedProgress>();
  RunProgress& shared = **progress;
  children_.push_back({next, std::move(progress), Clock::now(), IsolatedProcess([&] {
                         signal(SIGINT, SIG_DFL);
                         return isthmus::carry_out(task, store_, shared);
                       })});
}

void Execution::finish(Child& child) {
  const RunTask& task = tasks_[child.task.run];
  const double seconds = std::chrono::duration<double>(Clock::now() - child.start).count();
  bool complete = false;
  OrderedJson run;
  try {
    const nlohmann::json result = child.process.result();
    complete = result.at("complete");
    run = OrderedJson::parse(result.at("run").get<std::string>());
  } catch (const InputError&) {
    throw;
  } catch (const StorageError&) {
    throw;
  } catch (const std::exception& error) {
    if (interrupt_seen) return;
    run = write_failure(task, error, seconds);
  }
  const bool replayed = run.at("provenance").at("numerics") == "replayed";
  (replayed ? report_.replayed : report_.trained) += run.at("provenance").at("numerics") != "costs" ? 1 : 0;
  if (child.task.trains) tally_.work_done += training_flops(*task.run);
  if (!child.task.trains) tally_.seconds_per_replay = seconds / options_.jobs;
  queue_.ended(child.task, complete);
  keep(child.task.run, std::move(run));
}

void Execution::write_runs_csv() {
  if (!alone()) return;
  write_file(folder_ / "runs.csv", runs_csv(finished_));
  last_csv_ = Clock::now();
}

void Execution::show_progress() {
  std::vector<StudyProgress::Run> running;
  StudyProgress::Tally tally = tally_;
  for (const Child& child : children_) {
    const RunProgress& progress = **child.progress;
    running.push_back({tasks_[child.task.run].run->point.id, child.task.trains, &progress});
    if (child.task.trains && progress.rounds > 0) {
      tally.work_done += training_flops(*tasks_[child.task.run].run) * static_cast<double>(progress.round) /
                         static_cast<double>(progress.rounds);
    }
  }
  tally.replays_left = queue_.left();
  progress_.show(tally, running);
}

void Execution::carry_out() {
  constexpr double seconds_between_looks = 0.1;
  constexpr std::chrono::seconds between_tables(1);
  while (!interrupt_seen) {
    while (children_.size() < static_cast<std::size_t>(options_.jobs)) {
      const auto next = queue_.next();
      if (!next) break;
      start(*next);
    }
    if (children_.empty()) break;
    std::vector<IsolatedProcess*> processes;
    for (Child& child : children_) processes.push_back(&child.process);
    IsolatedProcess::wait_for_any(processes, seconds_between_looks);
    for (auto child = children_.begin(); child != children_.end();) {
      if (!child->process.ended()) {
        ++child;
        continue;
      }
      finish(*child);
      child = children_.erase(child);
      if (Clock::now() - last_csv_ > between_tables) write_runs_csv();
    }
    show_progress();
  }
  children_.clear();
  write_runs_csv();
}

StudyReport Execution::report() const {
  StudyReport report = report_;
  report.interrupted = interrupt_seen != 0;
  return report;
}

/// What a process that was killed has left half written.
void remove_partial_runs(const fs::path& runs) {
  for (const auto& entry : fs::directory_iterator(runs)) {
    if (entry.path().extension() == ".partial") fs::remove_all(entry.path());
  }
}

/// One process at a time may carry out a study as a whole.
class StudyLock {
 public:
  explicit StudyLock(const fs::path& folder) {
    const fs::path file = folder / ".lock";
    if (!std::ofstream(file, std::ios::app)) throw StorageError("cannot write " + file.string());
    lock_ = boost::interprocess::file_lock(file.c_str());
    if (!lock_.try_lock()) throw InputError("--out", "another isthmus run is at work in " + folder.string());
  }

 private:
  boost::interprocess::file_lock lock_;
};

void require_known(const std::vector<std::string>& only, const std::vector<PlannedRun>& runs) {
  for (const std::string& id : only) {
    if (std::ranges::any_of(runs, [&](const PlannedRun& run) { return run.point.id == id; })) continue;
    throw InputError("--only", "this study has no run \"" + id + "\"; its runs are " + runs.front().point.id +
                                   " to " + runs.back().point.id);
  }
}

}  // namespace

StudyReport run_study(const StudyOptions& options) {
  const std::vector<PlannedRun> runs = plan_study(options.scenario, options.base_folder);
  require_known(options.only, runs);
  const fs::path folder = options.out.empty()
                              ? fs::path("results") / options.scenario.at("name").get<std::string>()
                              : options.out;
  require_own_folder(folder, options.scenario);
  const bool is_new = !fs::exists(folder);
  make_folder(folder / "runs");
  if (!options.only.empty()) {
    const InterruptWatch watch;
    Execution execution(options, runs, folder);
    execution.carry_out();
    return execution.report();
  }

  const StudyLock lock(folder);
  remove_partial_runs(folder / "runs");
  OrderedJson ids = OrderedJson::array();
  for (const PlannedRun& run : runs) ids.push_back(run.point.id);
  OrderedJson study = {{"name", options.scenario.at("name")},
                       {"scenario", options.scenario},
                       {"runs", ids},
                       {"command_line", options.command_line},
                       {"build", build_provenance()},
                       {"start", utc_now()},
                       {"end", nullptr}};
  write_file(folder / "study.json", study.dump(2) + "\n");
  const InterruptWatch watch;
  Execution execution(options, runs, folder);
  try {
    execution.carry_out();
  } catch (const InputError&) {
    // Found only now, by loading data: what this study has not begun to fill is taken away again.
    if (is_new && fs::is_empty(folder / "runs")) fs::remove_all(folder);
    throw;
  }
  if (!interrupt_seen) {
    study["end"] = utc_now();
    write_file(folder / "study.json", study.dump(2) + "\n");
  }
  return execution.report();
}

}  // namespace isthmus
