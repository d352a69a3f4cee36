#include "sim/study/slurm_queue.hpp"

#include <algorithm>
#include <regex>
#include <sstream>
#include <stdexcept>

#include "analysis/text.hpp"
#include "sim/process/tool.hpp"

namespace isthmus {
namespace {

namespace fs = std::filesystem;

/// Throws with the first line of what the tool complained of.
std::string answer_of(const std::string& tool, const std::vector<std::string>& arguments) {
  const ToolResult result = run_tool(tool, arguments);
  if (result.exit_code != 0) {
    const std::string why = first_line(result.err);
    throw std::runtime_error(why.empty() ? tool + " ended with exit code " + std::to_string(result.exit_code)
                                         : why);
  }
  return result.out;
}

/// "1,2,3" with `separator` ':' is "1:2:3".
std::string joined(const std::vector<std::string>& words, char separator) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : std::string(1, separator)) + word;
  return text;
}

/// The arguments of sbatch for one of the scripts, given the ids of those before it.
std::vector<std::string> sbatch_arguments(const std::vector<SlurmScript>& scripts, std::size_t index,
                                          const std::vector<std::string>& ids_before, const fs::path& study) {
  std::vector<std::string> arguments = {"--parsable", "--chdir", slurm_folder(study)};
  std::vector<std::string> awaited;
  for (std::size_t i = 0; i < index; ++i) {
    if (scripts[i].stage != scripts[index].stage) awaited.push_back(ids_before[i]);
  }
  if (!awaited.empty()) arguments.push_back("--dependency=afterany:" + joined(awaited, ':'));
  arguments.push_back(slurm_folder(study) / (scripts[index].name + ".sh"));
  return arguments;
}

}  // namespace

bool has_slurm() { return has_tool("sbatch") && has_tool("squeue"); }

std::vector<QueuedJob> queued_jobs(const std::vector<std::string>& names) {
  std::istringstream lines(
      answer_of("squeue", {"--noheader", "--format=%i %j %T", "--name=" + joined(names, ',')}));
  std::vector<QueuedJob> jobs;
  for (QueuedJob job; lines >> job.id >> job.name >> job.state;) {
    // A task that has just ended stays in the list for a moment.
    if (job.state != "COMPLETED" && job.state != "COMPLETING") jobs.push_back(job);
  }
  return jobs;
}

std::size_t largest_slurm_array() {
  constexpr std::size_t usual = 1001;
  if (!has_tool("scontrol")) return usual;
  const std::string configuration = run_tool("scontrol", {"show", "config"}).out;
  std::smatch match;
  if (!std::regex_search(configuration, match, std::regex("MaxArraySize *= *([0-9]{1,9})\\b"))) return usual;
  return std::max(1ul, std::stoul(match[1]));
}

std::vector<std::string> submission_lines(const std::vector<SlurmScript>& scripts, const fs::path& study) {
  std::vector<std::string> lines, ids;
  for (std::size_t i = 0; i < scripts.size(); ++i) {
    std::string line = "sbatch";
    for (const std::string& argument : sbatch_arguments(scripts, i, ids, study)) {
      line += ' ' + shell_word(argument);
    }
    lines.push_back(line);
    ids.push_back("JOB_" + std::to_string(i + 1));
  }
  return lines;
}

std::vector<std::string> submit(const std::vector<SlurmScript>& scripts, const fs::path& study) {
  std::vector<std::string> ids;
  try {
    for (std::size_t i = 0; i < scripts.size(); ++i) {
      const std::string answer = answer_of("sbatch", sbatch_arguments(scripts, i, ids, study));
      ids.push_back(answer.substr(0, answer.find_first_of(";\n")));  // a cluster's name may follow
    }
  } catch (const std::runtime_error&) {
    if (!ids.empty()) run_tool("scancel", ids);
    throw;
  }
  return ids;
}

}  // namespace isthmus
