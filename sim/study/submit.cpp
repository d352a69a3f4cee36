#include "sim/study/submit.hpp"

#include <set>

#include "models/error.hpp"
#include "sim/study/files.hpp"
#include "sim/study/run_task.hpp"
#include "sim/study/study_folder.hpp"
#include "sim/study/trajectory_store.hpp"

namespace isthmus {
namespace {

namespace fs = std::filesystem;

/// Deals the runs that are not finished to trainings and replays.
void deal_runs(const std::vector<RunTask>& tasks, const StudyOptions& options, Submission& submission,
               SlurmWork& work) {
  const TrajectoryStore store(options.trajectories);
  std::set<std::string> in_training;
  std::vector<std::string> replays;
  for (const RunTask& task : tasks) {
    const std::string& id = task.run->point.id;
    if (!earlier_run(task, options).run.is_null()) {
      ++submission.finished;
      continue;
    }
    const bool live = task.run->point.scenario.live;
    const bool trains = live && (!task.trajectory || (!store.is_complete(*task.trajectory) &&
                                                      in_training.insert(task.trajectory->name).second));
    if (trains) {
      work.trainings.push_back({id});
    } else {
      replays.push_back(id);
    }
  }
  submission.trainings = work.trainings.size();
  submission.replays = replays.size();
  work.replays = deal_to_tasks(replays);
}

void write_scripts(const std::vector<SlurmScript>& scripts, const ScenarioDocument& scenario,
                   const fs::path& study) {
  const fs::path folder = slurm_folder(study);
  make_folder(folder);
  remove_partial(folder);
  for (const auto& entry : fs::directory_iterator(folder)) {  // those of an earlier submission; logs stay
    const fs::path kind = entry.path().extension();
    if (kind == ".sh" || kind == ".txt") fs::remove(entry.path());
  }
  write_file(folder / "scenario.json", scenario.dump(2) + "\n");
  for (const SlurmScript& script : scripts) {
    write_file(folder / (script.name + ".sh"), script.text);
    if (!script.tasks.empty()) write_file(folder / (script.name + ".txt"), script.tasks);
  }
}

SlurmWork work_of(const StudyOptions& options, const fs::path& folder, std::optional<int> threads) {
  SlurmWork work;
  work.study_name = options.scenario.at("name");
  work.program = fs::canonical("/proc/self/exe");
  work.folder = folder;
  work.base_folder = fs::absolute(options.base_folder).lexically_normal();
  work.trajectories = fs::absolute(options.trajectories).lexically_normal();
  if (options.trace) work.run_options.push_back("--trace");
  if (!options.replay) work.run_options.push_back("--no-replay");
  work.run_options.insert(work.run_options.end(),
                          {"--state-every", nlohmann::json(options.seconds_between_states).dump()});
  if (options.retry_failed) work.task_options.push_back("--retry-failed");
  work.request = read_slurm_request(options.scenario.value("slurm", ScenarioDocument::object()));
  work.request.threads = threads;
  work.largest_array = largest_slurm_array();
  return work;
}

}  // namespace

Submission submit_study(const StudyOptions& options, std::optional<int> threads, bool dry_run) {
  if (!dry_run && !has_slurm()) {
    throw InputError("--executor", "this machine has no sbatch and squeue; --dry-run shows the scripts");
  }
  const std::vector<PlannedRun> runs = plan_study(options.scenario, options.base_folder);
  const fs::path out = study_folder(options);
  require_own_folder(out, options.scenario);
  Submission submission;
  submission.folder = fs::weakly_canonical(
      fs::absolute(out));  // of a relative path that is new, it alone makes no absolute one
  submission.runs = runs.size();
  SlurmWork work = work_of(options, submission.folder, threads);
  deal_runs(plan_tasks(runs, submission.folder, options), options, submission, work);
  if (submission.finished == submission.runs && has_ended(submission.folder)) return submission;
  std::vector<SlurmScript> scripts = slurm_scripts(work);
  if (!dry_run) {
    submission.at_work = queued_jobs(slurm_job_names(work.study_name, submission.folder));
    if (!submission.at_work.empty()) return submission;
    make_folder(submission.folder / "runs");
    const StudyLock lock(submission.folder, StudyLock::Kind::whole_study);
    begin_study_file(submission.folder, options, runs);
    write_scripts(scripts, options.scenario, submission.folder);
    submission.job_ids = submit(scripts, submission.folder);
  }
  submission.scripts = std::move(scripts);
  return submission;
}

}  // namespace isthmus
