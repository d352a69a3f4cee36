// The scripts of a study as a real Slurm carries them out, with a program in isthmus' place that only says
// how it was called.

#include <algorithm>
#include <catch2/catch.hpp>
#include <sstream>

#include "sim/study/slurm_queue.hpp"
#include "tests/slurm/slurm_session.hpp"

using namespace isthmus;
using namespace isthmus::testing;
using Catch::Matchers::Contains;

namespace {

using Words = std::vector<std::string>;

/// A shell script that appends its arguments, one a line, then an empty line, to `record`.
fs::path recording_program(const fs::path& folder, const fs::path& record) {
  const fs::path program = folder / "record it";
  write_text(program, "#!/bin/bash\nexec 9>> " + shell_word(record) +
                          "\nflock 9  # tasks run at the same time\nprintf '%s\\n' \"$@\" '' >&9\n");
  fs::permissions(program, fs::perms::owner_all);
  return program;
}

std::vector<Words> calls_in(const fs::path& record) {
  std::istringstream lines(read_text(record));
  std::vector<Words> calls(1);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) {
      calls.emplace_back();
    } else {
      calls.back().push_back(line);
    }
  }
  calls.pop_back();
  return calls;
}

std::string value_after(const Words& call, const std::string& option) {
  const auto at = std::ranges::find(call, option);
  return at == call.end() || at + 1 == call.end() ? "" : at[1];
}

std::vector<Words> one_each(const std::string& stem, int count) {
  std::vector<Words> tasks;
  for (int i = 0; i < count; ++i) tasks.push_back({stem + std::to_string(i)});
  return tasks;
}

void write_scripts(const std::vector<SlurmScript>& scripts, const fs::path& study) {
  fs::create_directories(slurm_folder(study));
  for (const SlurmScript& script : scripts) {
    write_text(slurm_folder(study) / (script.name + ".sh"), script.text);
    if (!script.tasks.empty()) write_text(slurm_folder(study) / (script.name + ".txt"), script.tasks);
  }
}

}  // namespace

TEST_CASE("Slurm calls isthmus for every task, stage after stage, whatever the folders are called") {
  const TemporaryFolder folder;
  // Everything that sbatch or a shell might take for its own.
  const fs::path study = folder / "a \"study\" of 'it' $HOME; `ls` #1";
  const fs::path record = folder / "calls";
  SlurmWork work;
  work.study_name = "odd";
  work.program = recording_program(folder.path(), record);
  work.folder = study;
  work.base_folder = folder / "scenarios & more";
  work.trajectories = folder / "tra;jectories";
  work.trainings = one_each("t", static_cast<int>(SlurmSession::largest_array) + 2);
  work.replays = {{"r0", "r1", "r2"}, {"r3"}};
  work.request.threads = 1;
  work.request.options = {"--comment=\"two words\""};
  work.largest_array = largest_slurm_array();
  CHECK(work.largest_array == SlurmSession::largest_array);
  const auto scripts = slurm_scripts(work);
  REQUIRE(scripts.size() == 4);  // two arrays of trainings
  write_scripts(scripts, study);

  const auto ids = submit(scripts, study);
  REQUIRE(ids.size() == scripts.size());
  CHECK_THAT(slurm_says("scontrol", {"show", "job", ids.back()}), Contains("Comment=two words"));
  const auto names = slurm_job_names("odd", study);
  const auto queued = queued_jobs(names);
  CHECK_FALSE(queued.empty());
  for (const QueuedJob& job : queued) CHECK(std::ranges::count(names, job.name) == 1);
  CHECK(queued_jobs(slurm_job_names("odd", folder / "elsewhere")).empty());
  REQUIRE(wait_for_empty_queue());

  std::string order;  // of stages
  std::vector<std::string> done;
  for (const Words& call : calls_in(record)) {
    CAPTURE(call);
    REQUIRE(call.size() >= 8);
    CHECK(call[0] == "run");
    CHECK(call[1] == study / "slurm/scenario.json");
    CHECK(value_after(call, "--base-folder") == work.base_folder);
    CHECK(value_after(call, "--out") == study);
    CHECK(value_after(call, "--trajectories") == work.trajectories);
    CHECK(value_after(call, "--threads") == "1");
    const std::string runs = value_after(call, "--only");
    order += runs.empty() ? 'f' : runs[0];
    if (!runs.empty()) done.push_back(runs);
  }
  CHECK(order == std::string(work.trainings.size(), 't') + "rr" + "f");
  std::ranges::sort(done);
  std::vector<std::string> expected = {"r0,r1,r2", "r3"};
  for (const Words& task : work.trainings) expected.push_back(task.front());
  CHECK(done == expected);
  std::size_t logs = 0;
  for (const auto& entry : fs::directory_iterator(slurm_folder(study)))
    logs += entry.path().extension() == ".log";
  CHECK(logs == work.trainings.size() + work.replays.size() + 1);
}

TEST_CASE("what Slurm refuses leaves nothing in the queue") {
  const TemporaryFolder folder;
  SlurmWork work;
  work.study_name = "refused";
  work.program = recording_program(folder.path(), folder / "calls");
  work.folder = folder / "study";
  work.base_folder = folder.path();
  work.trainings = {{"t0"}};
  work.request.options = {"--begin=now+1hour"};  // so that the first job cannot end before it is cancelled
  auto scripts = slurm_scripts(work);
  scripts[1].text.insert(scripts[1].text.find("#SBATCH"), "#SBATCH --partition=no-such-partition\n");
  write_scripts(scripts, work.folder);
  CHECK_THROWS_WITH(submit(scripts, work.folder), Contains("invalid partition"));
  CHECK(wait_for_empty_queue());
  CHECK_FALSE(fs::exists(folder / "calls"));
}
