#include "sim/study/study.hpp"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <list>

#include "models/error.hpp"
#include "sim/process/isolated.hpp"
#include "sim/study/dry_run.hpp"
#include "sim/study/files.hpp"
#include "sim/study/plan.hpp"
#include "sim/study/progress.hpp"
#include "sim/study/run_child.hpp"
#include "sim/study/run_queue.hpp"
#include "sim/study/store_contents.hpp"
#include "sim/study/study_folder.hpp"
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
  void schedule_runs();
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
  ProgressDisplay progress_;
  ProgressDisplay::Tally tally_;
  std::vector<double> work_;  // FLOPs of those that train, by task
  Clock::time_point last_csv_;
};

Execution::Execution(const StudyOptions& options, const std::vector<PlannedRun>& runs, fs::path folder)
    : options_(options),
      folder_(std::move(folder)),
      store_(options.trajectories),
      tasks_(plan_tasks(runs, folder_, options)) {
  report_.folder = folder_;
  report_.runs = runs.size();
  schedule_runs();
}

void Execution::schedule_runs() {
  finished_.resize(tasks_.size());
  std::map<std::string, bool> complete;
  DryRuns dry_runs;
  work_.resize(tasks_.size());
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    const RunTask& planned = tasks_[i];
    const PlannedRun& run = *planned.run;
    const bool live = run.point.scenario.live;
    EarlierRun before = earlier_run(planned, options_);
    if (!before.run.is_null()) {
      ++report_.reused;
      keep(i, std::move(before.run));
      continue;
    }
    if (!alone() && std::ranges::find(options_.only, run.point.id) == options_.only.end()) continue;
    if (!before.damage.empty()) report_.damaged.push_back(run.point.id + ": " + before.damage);
    std::string name = planned.trajectory ? planned.trajectory->name : live ? "live " + run.point.id : "";
    const auto [known, is_new] = complete.emplace(name, false);
    if (is_new && planned.trajectory) known->second = store_.is_complete(*planned.trajectory);
    if (is_new && live && !known->second) tally_.work += work_[i] = dry_runs.training_flops(run);
    queue_.add(i, name, known->second);
  }
  tally_.runs = tasks_.size();
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
  if (child.task.trains) tally_.work_done += work_[child.task.run];
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
  std::vector<ProgressDisplay::Run> running;
  ProgressDisplay::Tally tally = tally_;
  for (const Child& child : children_) {
    const RunProgress& progress = **child.progress;
    running.push_back({tasks_[child.task.run].run->point.id, child.task.trains, &progress});
    if (child.task.trains && progress.rounds > 0) {
      tally.work_done += work_[child.task.run] * static_cast<double>(progress.round) /
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
  for (const OrderedJson& run : finished_) {
    if (!run.is_null()) report.finished.push_back(run);
  }
  return report;
}

/// Carries it out in a folder that nobody takes away meanwhile.
void carry_out(Execution& execution, const fs::path& folder) {
  const auto is_there = [&] { return fs::exists(folder / "study.json"); };
  const std::string removed = folder.string() + " was removed while the study was at work in it";
  try {
    execution.carry_out();
  } catch (const StorageError&) {
    if (!is_there()) throw StorageError(removed);
    throw;
  }
  if (!is_there()) throw StorageError(removed);
}

void require_known(const std::vector<std::string>& only, const std::vector<PlannedRun>& runs) {
  for (const std::string& id : only) {
    if (std::ranges::any_of(runs, [&](const PlannedRun& run) { return run.point.id == id; })) continue;
    throw InputError("--only", "this study has no run \"" + id + "\"; its runs are " + runs.front().point.id +
                                   " to " + runs.back().point.id);
  }
}

void keep_within_limit(const TrajectoryStore& store) {
  try {
    shrink(store, limit_bytes(store));
  } catch (const StorageError&) {
    // Somebody else's store, perhaps. The study is done.
  }
}

}  // namespace

StudyReport run_study(const StudyOptions& options) {
  const std::vector<PlannedRun> runs = plan_study(options.scenario, options.base_folder);
  require_known(options.only, runs);
  const fs::path folder = study_folder(options);
  require_own_folder(folder, options.scenario);
  const bool is_new = !fs::exists(folder);
  make_folder(folder / "runs");
  const InterruptWatch watch;
  if (!options.only.empty()) {
    const StudyLock lock(folder, StudyLock::Kind::single_runs);
    if (!fs::exists(folder / "study.json")) begin_study_file(folder, options, runs);
    Execution execution(options, runs, folder);
    carry_out(execution, folder);
    return execution.report();
  }

  const StudyLock lock(folder, StudyLock::Kind::whole_study);
  remove_partial(folder / "runs");
  for (const char* file : {"study.json", "runs.csv"}) remove_partial(folder, file);
  begin_study_file(folder, options, runs);
  Execution execution(options, runs, folder);
  try {
    carry_out(execution, folder);
  } catch (const InputError&) {
    // Found only now, by loading data: what this study has not begun to fill is taken away again.
    if (is_new && fs::is_empty(folder / "runs")) fs::remove_all(folder);
    throw;
  }
  if (!interrupt_seen) end_study_file(folder);
  if (options.replay) keep_within_limit(TrajectoryStore(options.trajectories));
  return execution.report();
}

}  // namespace isthmus
