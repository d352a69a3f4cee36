#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <sstream>

#include "models/error.hpp"
#include "sim/process/tool.hpp"
#include "sim/study/slurm.hpp"
#include "sim/study/slurm_queue.hpp"

using namespace isthmus;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using Stage = SlurmScript::Stage;
using Ids = std::vector<std::string>;

namespace slurm_scripts_test {
namespace {

SlurmWork small_work() {
  SlurmWork work;
  work.study_name = "study";
  work.program = "/opt/isthmus";
  work.folder = "/shared/out";
  work.base_folder = "/shared/scenarios";
  return work;
}

std::vector<Ids> one_each(std::size_t count) {
  std::vector<Ids> tasks;
  for (std::size_t i = 0; i < count; ++i) tasks.push_back({"run-" + std::to_string(i)});
  return tasks;
}

Ids lines_of(const std::string& text) {
  std::istringstream in(text);
  Ids lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

bool has_line(const SlurmScript& script, const std::string& line) {
  return std::ranges::count(lines_of(script.text), line) == 1;
}

}  // namespace

TEST_CASE("arrays hold every task once and respect the cluster's largest size") {
  SlurmWork work = small_work();
  for (const std::size_t count : {1u, 4u, 5u, 11u, 12u}) {
    CAPTURE(count);
    work.trainings = one_each(count);
    work.largest_array = 4;
    const auto scripts = slurm_scripts(work);
    REQUIRE(scripts.size() == (count + 3) / 4 + 1);
    CHECK(scripts.back().stage == Stage::finish);
    CHECK(scripts.back().tasks.empty());
    CHECK_THAT(scripts.back().text, !Contains("--array") && !Contains("--only"));
    Ids seen;
    std::set<std::string> names;
    for (const SlurmScript& script : scripts) {
      names.insert(script.name);
      if (script.stage == Stage::finish) continue;
      const Ids tasks = lines_of(script.tasks);
      CHECK(tasks.size() <= work.largest_array);
      CHECK(has_line(script, "#SBATCH --array=0-" + std::to_string(tasks.size() - 1)));
      CHECK_THAT(script.text, Contains("/shared/out/slurm/" + script.name + ".txt"));
      seen.insert(seen.end(), tasks.begin(), tasks.end());
    }
    CHECK(names.size() == scripts.size());
    Ids expected;
    for (const Ids& task : work.trainings) expected.push_back(task.front());
    CHECK(seen == expected);
  }
}

TEST_CASE("scripts ask for what the scenario asks for, and for nothing else") {
  SlurmWork work = small_work();
  work.replays = {{"a", "b"}};
  for (const SlurmScript& script : slurm_scripts(work)) {
    CHECK_THAT(script.text, StartsWith("#!/bin/bash\n#SBATCH "));
    for (const char* option : {"--partition", "--time", "--mem", "--cpus-per-task"}) {
      CHECK_THAT(script.text, !Contains(option));
    }
  }
  work.request = read_slurm_request({{"partition", "gpu,cpu"},
                                     {"time", "1-12:00:00"},
                                     {"memory", "1GB"},  // 953.67 MiB
                                     {"options", {"--account=optics", "-q long"}}});
  work.request.threads = 6;
  for (const SlurmScript& script : slurm_scripts(work)) {
    for (const char* line : {"#SBATCH --partition=gpu,cpu", "#SBATCH --time=1-12:00:00", "#SBATCH --mem=954M",
                             "#SBATCH --account=optics", "#SBATCH -q long", "#SBATCH --cpus-per-task=6"}) {
      CAPTURE(line);
      CHECK(has_line(script, line));
    }
    // sbatch stops reading its options at the first command.
    CHECK(script.text.rfind("#SBATCH") < script.text.find("exec "));
  }
}

TEST_CASE("options of sbatch that belong to Isthmus are refused") {
  for (const char* option : {"--array=0-3", "-a 1", "--dependency=afterok:1", "-d singleton", "--job-name x",
                             "-Jx", "--output=/dev/null", "--chdir /", "--wrap=ls", "--wait", "--parsable"}) {
    CAPTURE(option);
    CHECK_THROWS_WITH(read_slurm_request({{"options", {"--qos=low", option}}}),
                      StartsWith("/slurm/options/1: found ") && Contains("belongs to Isthmus"));
  }
  CHECK_NOTHROW(read_slurm_request({{"options", {"--qos=low", "--comment=--array", "--exclusive", "-A x"}}}));
}

TEST_CASE("a shell reads words as they were") {
  for (const std::string text :
       {"plain", "", "two words", "it's", "a\"b", "$HOME `ls` \\ * ? #", "~", "a\nb"}) {
    CAPTURE(text);
    const ToolResult result = run_tool("bash", {"-c", "printf %s " + shell_word(text)});
    CHECK(result.out == text);
    CHECK(result.err.empty());
  }
}

TEST_CASE("replays wait for all trainings, the end for everything") {
  SlurmWork work = small_work();
  work.largest_array = 2;
  work.trainings = one_each(3);
  work.replays = {{"a"}};
  const auto scripts = slurm_scripts(work);
  const auto lines = submission_lines(scripts, work.folder);
  REQUIRE(lines.size() == 4);
  CHECK_THAT(lines[0], !Contains("--dependency") && Contains("/shared/out/slurm/train-1.sh"));
  CHECK_THAT(lines[1], !Contains("--dependency") && Contains("/shared/out/slurm/train-2.sh"));
  CHECK_THAT(lines[2], Contains("--dependency=afterany:JOB_1:JOB_2 ") && Contains("replay.sh"));
  CHECK_THAT(lines[3], Contains("--dependency=afterany:JOB_1:JOB_2:JOB_3 ") && Contains("finish.sh"));
}

TEST_CASE("jobs are named after study, folder and stage") {
  const Ids here = slurm_job_names("study", "/a"), there = slurm_job_names("study", "/b");
  for (std::size_t i = 0; i < here.size(); ++i) {
    CHECK_THAT(here[i], StartsWith("isthmus-study-"));
    CHECK(here[i] != there[i]);
  }
  SlurmWork work = small_work();
  work.trainings = one_each(1);
  work.replays = one_each(1);
  Ids names;
  for (const SlurmScript& script : slurm_scripts(work)) names.push_back(script.job_name);
  CHECK(names == slurm_job_names("study", work.folder));
}

TEST_CASE("a folder that Slurm cannot write logs into is refused") {
  for (const char* folder : {"/shared/100%", "/shared/a\\b", "/shared/a\nb"}) {
    SlurmWork work = small_work();
    work.folder = folder;
    CHECK_THROWS_AS(slurm_scripts(work), InputError);
  }
}

TEST_CASE("ids are dealt evenly, all of them, in order") {
  CHECK(deal_to_tasks({}).empty());
  for (const std::size_t count : {1u, 16u, 17u, 100u, 5000u}) {
    CAPTURE(count);
    Ids ids;
    for (std::size_t i = 0; i < count; ++i) ids.push_back(std::to_string(i));
    const auto tasks = deal_to_tasks(ids);
    CHECK(tasks.size() <= 128);
    Ids all;
    std::size_t fewest = count, most = 0;
    for (const Ids& task : tasks) {
      all.insert(all.end(), task.begin(), task.end());
      fewest = std::min(fewest, task.size());
      most = std::max(most, task.size());
    }
    CHECK(all == ids);
    CHECK(fewest >= 1);
    CHECK(most - fewest <= 1);
  }
}

}  // namespace slurm_scripts_test
