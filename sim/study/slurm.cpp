#include "sim/study/slurm.hpp"

#include <algorithm>
#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <numeric>
#include <sstream>

#include "models/error.hpp"
#include "sim/scenario/units.hpp"

namespace isthmus {
namespace {

namespace fs = std::filesystem;
using Stage = SlurmScript::Stage;

const char* stage_name(Stage stage) {
  switch (stage) {
    case Stage::train:
      return "train";
    case Stage::replay:
      return "replay";
    case Stage::finish:
      return "finish";
  }
  return "finish";
}

/// "isthmus-<study>-<8 digits that stand for the folder>"
std::string job_name_stem(const std::string& study_name, const fs::path& folder) {
  constexpr std::size_t digits = 8;
  const boost::uuids::name_generator_sha1 generator(boost::uuids::ns::url());
  return "isthmus-" + study_name + "-" + to_string(generator(folder.string())).substr(0, digits);
}

std::string job_name(const SlurmWork& work, Stage stage) {
  return job_name_stem(work.study_name, work.folder) + "-" + stage_name(stage);
}

std::string header(const SlurmWork& work, const SlurmScript& script, std::size_t tasks) {
  const SlurmRequest& request = work.request;
  const auto line = [](const std::string& option) { return "#SBATCH " + option + "\n"; };
  std::string text = "#!/bin/bash\n" + line("--job-name=" + script.job_name);
  // Relative to the folder of the scripts, since sbatch would take a "%" in its path for a placeholder.
  text += line("--output=" + script.name + (tasks > 0 ? "-%A_%a.log" : "-%j.log"));
  if (tasks > 0) text += line("--array=0-" + std::to_string(tasks - 1));
  text += line("--ntasks=1");
  if (request.threads) text += line("--cpus-per-task=" + std::to_string(*request.threads));
  if (!request.partition.empty()) text += line("--partition=" + request.partition);
  if (!request.time.empty()) text += line("--time=" + request.time);
  if (!request.memory.empty()) text += line("--mem=" + request.memory);
  for (const std::string& option : request.options) text += line(option);
  return text;
}

/// The call of isthmus, up to what the stage adds to it.
std::string call(const SlurmWork& work, const std::vector<std::string>& stage_options) {
  std::vector<std::string> words = {work.program,
                                    "run",
                                    slurm_folder(work.folder) / "scenario.json",
                                    "--base-folder",
                                    work.base_folder,
                                    "--out",
                                    work.folder};
  if (!work.trajectories.empty()) {
    words.insert(words.end(), {"--trajectories", work.trajectories.string()});
  }
  words.insert(words.end(), work.run_options.begin(), work.run_options.end());
  words.insert(words.end(), stage_options.begin(), stage_options.end());
  std::string text = "cpus=${SLURM_CPUS_PER_TASK:-${SLURM_CPUS_ON_NODE:-1}}\nexec";
  for (const std::string& word : words) text += ' ' + shell_word(word);
  return text + " --jobs \"$cpus\" --threads \"$cpus\"";
}

std::string joined(const std::vector<std::string>& ids) {
  return std::accumulate(ids.begin(), ids.end(), std::string(), [](std::string line, const std::string& id) {
    return std::move(line) + (line.empty() ? "" : ",") + id;
  });
}

/// The array jobs of one stage: one, or several where a single one would have too many tasks.
void add_arrays(std::vector<SlurmScript>& scripts, const SlurmWork& work, Stage stage,
                const std::vector<std::vector<std::string>>& tasks) {
  const std::size_t most = std::max<std::size_t>(1, work.largest_array);
  const bool several = tasks.size() > most;
  for (std::size_t begin = 0, number = 1; begin < tasks.size(); begin += most, ++number) {
    const std::size_t end = std::min(tasks.size(), begin + most);
    SlurmScript script{.stage = stage,
                       .name = stage_name(stage) + (several ? "-" + std::to_string(number) : ""),
                       .job_name = job_name(work, stage),
                       .text = "",
                       .tasks = ""};
    for (std::size_t i = begin; i < end; ++i) script.tasks += joined(tasks[i]) + "\n";
    const std::string list = slurm_folder(work.folder) / (script.name + ".txt");
    script.text =
        header(work, script, end - begin) +
        "\n# Line by line, the runs of each task.\nruns=$(sed -n \"$((SLURM_ARRAY_TASK_ID + 1))p\" " +
        shell_word(list) + ")\n" + call(work, work.task_options) + " --only \"$runs\"\n";
    scripts.push_back(std::move(script));
  }
}

/// Slurm takes '%' in the path of a log for a placeholder, and a backslash for a way to escape it.
void check_folder(const fs::path& folder) {
  const auto is_bad = [](unsigned char c) { return c == '%' || c == '\\' || c < ' '; };
  if (!std::ranges::any_of(folder.string(), is_bad)) return;
  throw InputError("--out", "found " + nlohmann::json(folder.string()).dump() +
                                "; Slurm cannot write its logs into a folder with '%', a backslash or a "
                                "control character in its path");
}

/// Whether a word is this option: also if its name is cut, or its letter stands behind those of others.
bool is_option(const std::string& word, const std::string& name, char letter) {
  if (word.starts_with("--")) {
    const std::string given = word.substr(2, word.find('=') - 2);
    return !given.empty() && name.starts_with(given);
  }
  if (!word.starts_with('-') || letter == 0) return false;
  constexpr std::string_view without_value = "HIOks";
  const auto last = word.find_first_not_of(without_value, 1);
  return last != std::string::npos && word[last] == letter;
}

void check_option(const std::string& option, const std::string& place) {
  struct Own {
    const char* name;
    char letter;  ///< 0: none
  };
  constexpr Own own[] = {{"array", 'a'},   {"dependency", 'd'}, {"job-name", 'J'}, {"output", 'o'},
                         {"error", 'e'},   {"chdir", 'D'},      {"input", 'i'},    {"parsable", 0},
                         {"test-only", 0}, {"wait", 'W'},       {"wrap", 0},       {"help", 'h'},
                         {"version", 'V'}, {"usage", 0},        {"quiet", 'Q'},    {"verbose", 'v'}};
  std::istringstream words(option);  // sbatch takes several options from one line of a script
  for (std::string word; words >> word;) {
    for (const Own& each : own) {
      if (is_option(word, each.name, each.letter)) {
        throw InputError(place, "found \"" + option + "\"; --" + each.name + " belongs to Isthmus");
      }
    }
  }
}

}  // namespace

SlurmRequest read_slurm_request(const nlohmann::json& slurm) {
  SlurmRequest request;
  request.partition = slurm.value("partition", "");
  request.time = slurm.value("time", "");
  if (slurm.contains("memory")) {
    constexpr std::uint64_t mebibyte = 1024 * 1024;
    const std::uint64_t bytes = parse_bytes(slurm["memory"].get<std::string>(), "/slurm/memory");
    request.memory = std::to_string((bytes + mebibyte - 1) / mebibyte) + "M";
  }
  request.options = slurm.value("options", std::vector<std::string>());
  for (std::size_t i = 0; i < request.options.size(); ++i) {
    check_option(request.options[i], "/slurm/options/" + std::to_string(i));
  }
  return request;
}

std::string shell_word(const std::string& text) {
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:=,+-";
  if (!text.empty() && text.find_first_not_of(plain) == std::string::npos) return text;
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? "'\\''" : std::string(1, c);
  return word + "'";
}

fs::path slurm_folder(const fs::path& study) { return study / "slurm"; }

std::vector<SlurmScript> slurm_scripts(const SlurmWork& work) {
  check_folder(work.folder);
  std::vector<SlurmScript> scripts;
  add_arrays(scripts, work, Stage::train, work.trainings);
  add_arrays(scripts, work, Stage::replay, work.replays);
  SlurmScript finish{.stage = Stage::finish,
                     .name = stage_name(Stage::finish),
                     .job_name = job_name(work, Stage::finish),
                     .text = "",
                     .tasks = ""};
  finish.text = header(work, finish, 0) + "\n# Does whatever is still missing, and writes runs.csv.\n" +
                call(work, {}) + "\n";
  scripts.push_back(std::move(finish));
  return scripts;
}

std::vector<std::string> slurm_job_names(const std::string& study_name, const fs::path& folder) {
  std::vector<std::string> names;
  for (const Stage stage : {Stage::train, Stage::replay, Stage::finish}) {
    names.push_back(job_name_stem(study_name, folder) + "-" + stage_name(stage));
  }
  return names;
}

std::vector<std::vector<std::string>> deal_to_tasks(const std::vector<std::string>& ids) {
  constexpr std::size_t worth_a_start = 16, most_tasks = 128;
  const std::size_t tasks =
      std::clamp<std::size_t>((ids.size() + worth_a_start - 1) / worth_a_start, 1, most_tasks);
  std::vector<std::vector<std::string>> dealt;
  for (std::size_t task = 0; task < tasks && !ids.empty(); ++task) {
    const auto at = [&](std::size_t part) {
      return ids.begin() + static_cast<std::ptrdiff_t>(ids.size() * part / tasks);
    };
    dealt.emplace_back(at(task), at(task + 1));
  }
  return dealt;
}

}  // namespace isthmus
