#include <algorithm>
#include <iostream>

#include "analysis/format.hpp"
#include "analysis/study/progress.hpp"
#include "analysis/text.hpp"
#include "sim/commands/study_source.hpp"
#include "sim/process/file_lock.hpp"
#include "sim/study/slurm_queue.hpp"
#include "sim/study/study_folder.hpp"

namespace isthmus {
namespace {

constexpr int some_failed = 1;
constexpr std::size_t most_lines = 20;  // of a list

/// "out of memory"
std::string in_words(std::string name) {
  std::ranges::replace(name, '_', ' ');
  return name;
}

void print_list(const std::string& title, const std::vector<std::string>& lines) {
  if (lines.empty()) return;
  std::cout << title << ":\n";
  for (std::size_t i = 0; i < std::min(lines.size(), most_lines); ++i) std::cout << "  " << lines[i] << '\n';
  if (lines.size() > most_lines) std::cout << "  ... and " << lines.size() - most_lines << " more\n";
}

void print_progress(const analysis::Study& study, const analysis::StudyProgress& progress) {
  std::cout << study.name << ": ";
  if (progress.planned) {
    std::cout << *progress.planned - progress.missing.size() << " of " << counted(*progress.planned, "run")
              << " finished";
  } else {
    std::cout << counted(progress.finished, "run") << " finished";
  }
  std::string separator = " (";
  for (const auto& [outcome, runs] : progress.outcomes) {
    std::cout << separator << runs << ' ' << in_words(outcome);
    separator = ", ";
  }
  std::cout << (progress.outcomes.empty() ? "\n" : ")\n");
  std::vector<std::string> failed, broken;
  for (const analysis::Run* run : progress.failed) {
    failed.push_back(run->id + ": " + (run->outcome == "failed" ? "" : run->outcome + ": ") +
                     first_line(run->message));
  }
  for (const analysis::BrokenRun& run : study.broken_runs) broken.push_back(run.problem);
  print_list("Failed", failed);
  print_list("Broken, to be run again", broken);
  print_list("Missing", progress.missing);
}

/// Jobs of this study in Slurm's queue; none where there is no Slurm.
std::vector<QueuedJob> jobs_of(const analysis::Study& study) {
  if (!has_slurm() || !std::filesystem::exists(slurm_folder(study.folder))) return {};
  try {
    return queued_jobs(slurm_job_names(study.name, std::filesystem::canonical(study.folder)));
  } catch (const std::runtime_error& error) {
    std::cerr << "isthmus: Slurm's queue is not known: " << error.what() << '\n';
    return {};
  }
}

void print_work(const analysis::Study& study, const analysis::StudyProgress& progress) {
  const bool at_work = is_locked(StudyLock::file(study.folder));
  if (at_work) std::cout << "An `isthmus run` is at work here.\n";
  const std::vector<QueuedJob> jobs = jobs_of(study);
  std::vector<std::string> lines;
  for (const QueuedJob& job : jobs) lines.push_back(job.id + ' ' + job.state + ' ' + job.name);
  print_list("In Slurm's queue", lines);
  if (!progress.complete() && !at_work && jobs.empty()) {
    std::cout << "Nothing is at work here; the command that began the study goes on with it.\n";
  }
}

}  // namespace

int status_command(const Arguments& arguments) {
  CommandLine line(
      "status DIR", "DIR",
      "Shows how far the study in a folder is, from its files: runs by outcome, those that failed with "
      "their\n"
      "messages, those that are missing; and whether an isthmus run, or jobs of Slurm, are at work on it.\n\n"
      "Exit codes: 0 all runs finished well (out_of_memory is a result); 1 some failed; 3 unfinished, "
      "whether\n"
      "some failed or not; 2 no study there.\n\n"
      "Example:\n"
      "  isthmus status results/quickstart\n");
  if (!line.parse(arguments)) return 0;
  const analysis::Study study = read_study_argument(line, analysis::RunFiles::run_json_only);
  const analysis::StudyProgress progress = analysis::study_progress(study);
  print_progress(study, progress);
  print_work(study, progress);
  if (!progress.complete() || !study.broken_runs.empty()) return unfinished_exit_code;
  return progress.failed.empty() ? 0 : some_failed;
}

}  // namespace isthmus
