#include "sim/commands/slurm_options.hpp"

#include <iostream>

#include "analysis/format.hpp"
#include "models/error.hpp"
#include "sim/study/submit.hpp"

namespace isthmus {

namespace po = boost::program_options;

namespace {

std::string summary(const Submission& submission) {
  return counted(submission.runs - submission.finished, "run") + " of " + std::to_string(submission.runs) +
         " to do: " + counted(submission.trainings, "training") + ", " +
         counted(submission.replays, "replay");
}

/// The scripts as they would be written, then how they would be submitted.
void show_scripts(const Submission& submission) {
  for (const SlurmScript& script : submission.scripts) {
    std::cout << "# " << (slurm_folder(submission.folder) / (script.name + ".sh")).string() << '\n'
              << script.text << '\n';
    if (script.tasks.empty()) continue;
    std::cout << "# " << (slurm_folder(submission.folder) / (script.name + ".txt")).string() << '\n'
              << script.tasks << '\n';
  }
  std::cout << "# " << summary(submission) << ". Nothing is written or submitted; otherwise:\n";
  for (const std::string& line : submission_lines(submission.scripts, submission.folder)) {
    std::cout << line << '\n';
  }
}

}  // namespace

void add_slurm_options(CommandLine& line) {
  po::options_description slurm("Options for a cluster; a scenario's \"slurm\" can give them, too");
  slurm.add_options()  //
      ("executor", po::value<std::string>()->value_name("WHERE"),
       "local (the default), or slurm: submit the study as array jobs, which share its folder")  //
      ("partition", po::value<std::string>()->value_name("P"), "the partition of the jobs")      //
      ("time", po::value<std::string>()->value_name("H:MM:SS"), "the longest time of each job")  //
      ("memory", po::value<std::string>()->value_name("SIZE"),
       "memory for each task on its node, e.g. 8GiB")  //
      ("sbatch", po::value<std::vector<std::string>>()->value_name("OPTION"),
       "an option of sbatch, e.g. --sbatch=--account=optics; may be repeated")  //
      ("dry-run", "print the scripts; submit and write nothing");
  line.options().add(slurm);
}

bool wants_slurm(const CommandLine& line) {
  const auto& values = line.values();
  const std::string executor = values.count("executor") > 0 ? values["executor"].as<std::string>() : "local";
  if (executor != "local" && executor != "slurm") {
    throw InputError("--executor", "found \"" + executor + "\"; allowed: \"local\", \"slurm\"");
  }
  if (executor == "slurm") return true;
  for (const char* option : {"partition", "time", "memory", "sbatch", "dry-run"}) {
    if (values.count(option) > 0) throw InputError("--" + std::string(option), "needs --executor slurm");
  }
  return false;
}

void apply_slurm_options(const CommandLine& line, ScenarioDocument& scenario) {
  const auto& values = line.values();
  for (const char* option : {"partition", "time", "memory"}) {
    if (values.count(option) == 0) continue;
    set_at(scenario, {"slurm", option}, values[option].as<std::string>(), "--" + std::string(option));
  }
  if (values.count("sbatch") > 0) {
    set_at(scenario, {"slurm", "options"}, values["sbatch"].as<std::vector<std::string>>(), "--sbatch");
  }
}

int run_on_slurm(const CommandLine& line, const StudyOptions& options) {
  for (const char* option : {"again", "only", "jobs"}) {
    if (line.values().count(option) > 0)
      throw InputError("--" + std::string(option), "not with --executor slurm");
  }
  const bool dry_run = line.values().count("dry-run") > 0;
  const std::optional<int> cpus =
      line.values().count("threads") > 0 ? std::optional(options.threads) : std::nullopt;
  const Submission submission = submit_study(options, cpus, dry_run);
  if (!submission.at_work.empty()) {
    std::cout << "Nothing is submitted: jobs of this study are in Slurm's queue.\n";
    for (const QueuedJob& job : submission.at_work) {
      std::cout << "  " << job.id << ' ' << job.state << ' ' << job.name << '\n';
    }
    return unfinished_exit_code;
  }
  if (submission.scripts.empty()) {
    std::cout << "All " << counted(submission.runs, "run")
              << " of this study are finished; nothing to submit.\n";
    return 0;
  }
  if (dry_run) {
    show_scripts(submission);
    return 0;
  }
  std::cout << "Submitted to Slurm: " << summary(submission) << ".\n";
  for (std::size_t i = 0; i < submission.scripts.size(); ++i) {
    std::cout << "  " << submission.job_ids[i] << ' ' << submission.scripts[i].job_name << '\n';
  }
  std::cout << "Scripts and logs: " << slurm_folder(submission.folder).string()
            << "\nHow it goes:      isthmus status " << shell_word(submission.folder) << '\n';
  return 0;
}

}  // namespace isthmus
