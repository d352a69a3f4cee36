// Studies that a real Slurm carries out, against the same ones carried out here.

#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

#include "analysis/output_file.hpp"
#include "sim/study/slurm_queue.hpp"
#include "tests/slurm/slurm_session.hpp"

using namespace isthmus;
using namespace isthmus::testing;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;
using nlohmann::json;

namespace {

using Arguments = std::vector<std::string>;

/// The quick start, but shorter, and on two networks.
Arguments small_quickstart(const TemporaryFolder& folder, const std::string& out, const std::string& epochs) {
  return {"run",
          source_path("scenarios/quickstart.json"),
          "--set",
          "/training/epochs=" + epochs,
          "--set",
          "/model/hidden=[64,64]",
          "--set",
          R"(/sweep/~1platform~1bandwidth=["10Mbps","1Gbps"])",
          "--trajectories",
          folder / ("store of " + out),
          "--out",
          folder / out};
}

Arguments with(Arguments arguments, const Arguments& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

/// Files of runs without what tells of wall-clock time and of which run of a trajectory trained.
std::map<std::string, std::string> files_of_runs(const fs::path& study) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(study / "runs")) {
    const std::string id = fs::relative(entry.path(), study / "runs").begin()->string();
    if (!entry.is_regular_file() || id.ends_with(analysis::partial_ending)) continue;  // being written
    std::string text = read_text(entry.path());
    if (entry.path().filename() == "run.json") {
      auto run = nlohmann::ordered_json::parse(text);
      run["summary"].erase("wall_seconds");
      run["provenance"].erase("numerics");
      text = run.dump();
    }
    files[fs::relative(entry.path(), study)] = text;
  }
  return files;
}

/// Everything a study says of itself as a whole, without times and how it was called.
std::string whole_of(const fs::path& study) {
  json file = read_json_file(study / "study.json");
  CHECK(file.at("end").is_string());
  for (const char* key : {"command_line", "start", "end"}) file.erase(key);
  file.at("scenario").erase("slurm");
  std::string runs = read_text(study / "runs.csv"), table;
  for (std::size_t begin = 0, end; (end = runs.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string line = runs.substr(begin, end - begin);
    table += line.substr(0, line.rfind(',')) + '\n';  // the last column is wall_seconds
  }
  CHECK_THAT(runs.substr(0, runs.find('\n')), EndsWith(",wall_seconds"));
  return file.dump() + table;
}

void check_same_study(const fs::path& study, const fs::path& expected) {
  const auto files = files_of_runs(study), expected_files = files_of_runs(expected);
  CHECK(files.size() == expected_files.size());
  for (const auto& [name, text] : expected_files) {
    INFO(name);
    REQUIRE(files.contains(name));
    CHECK(files.at(name) == text);
  }
  CHECK(whole_of(study) == whole_of(expected));
}

std::string job_logs(const fs::path& study) {
  std::string all;
  for (const auto& entry : fs::directory_iterator(slurm_folder(study))) {
    if (entry.path().extension() == ".log")
      all += entry.path().filename().string() + ":\n" + read_text(entry.path());
  }
  return all;
}

}  // namespace

TEST_CASE("the quick start through Slurm ends in the same files as here") {
  const TemporaryFolder folder;
  const ProgramResult here = run_program(small_quickstart(folder, "here", "1"));
  INFO(here.err);
  REQUIRE(here.exit_code == 0);

  const Arguments command = with(small_quickstart(folder, "a cluster", "1"),
                                 {"--executor", "slurm", "--partition", "main", "--time", "0:10:00",
                                  "--memory", "200MiB", "--threads", "1", "--sbatch=--comment=x"});
  const fs::path study = folder / "a cluster";
  const ProgramResult dry = run_program(with(command, {"--dry-run"}));
  INFO(dry.err);
  CHECK(dry.exit_code == 0);
  CHECK_THAT(dry.out, StartsWith("# ") && Contains("#SBATCH --array=0-2\n") &&
                          Contains("#SBATCH --comment=x\n") &&
                          Contains("6 runs of 6 to do: 3 trainings, 3 replays") && Contains("\nsbatch "));
  CHECK_FALSE(fs::exists(study));
  CHECK(slurm_says("squeue", {"--noheader"}).empty());

  const ProgramResult submitted = run_program(command);
  INFO(submitted.err);
  REQUIRE(submitted.exit_code == 0);
  CHECK_THAT(submitted.out, StartsWith("Submitted to Slurm: 6 runs of 6 to do: 3 trainings, 3 replays"));
  const ProgramResult twice = run_program(command);
  CHECK(twice.exit_code == 3);
  CHECK_THAT(twice.out, StartsWith("Nothing is submitted: jobs of this study are in Slurm's queue") &&
                            Contains("-train") && Contains("-finish"));
  const auto jobs = queued_jobs(slurm_job_names("quickstart", fs::canonical(study)));
  CHECK(std::ranges::count_if(jobs, [](const QueuedJob& job) { return job.name.ends_with("-finish"); }) == 1);
  const ProgramResult early = run_program({"status", study});
  CHECK(early.exit_code == 3);
  CHECK_THAT(early.out,
             Contains("of 6 runs finished") && Contains("In Slurm's queue:\n") && Contains("-finish"));

  REQUIRE(wait_for_empty_queue());
  INFO(job_logs(study));
  check_same_study(study, folder / "here");
  CHECK(run_program({"status", study}).exit_code == 0);
  const ProgramResult again = run_program(command);
  CHECK(again.exit_code == 0);
  CHECK_THAT(again.out, StartsWith("All 6 runs of this study are finished"));
  CHECK(slurm_says("squeue", {"--noheader"}).empty());
}

TEST_CASE("a study whose jobs are cancelled goes on, and ends in the same files") {
  const TemporaryFolder folder;
  REQUIRE(run_program(small_quickstart(folder, "here", "4")).exit_code == 0);
  const fs::path study = folder / "there";
  const Arguments command =
      with(small_quickstart(folder, "there", "4"), {"--executor", "slurm", "--state-every", "0"});
  REQUIRE(run_program(command).exit_code == 0);
  const auto finished = [&] { return files_of_runs(study).size() / 4; };
  REQUIRE(wait_until([&] { return finished() > 0; }));
  slurm_says("scancel", {"--full", "--user", std::to_string(geteuid())});
  REQUIRE(wait_for_empty_queue());
  const auto kept = files_of_runs(study);
  REQUIRE(finished() < 6);
  const ProgramResult status = run_program({"status", study});
  CHECK(status.exit_code == 3);
  CHECK_THAT(status.out, Contains("Missing:\n") && Contains("Nothing is at work here"));

  const ProgramResult resumed = run_program(command);
  INFO(resumed.err);
  REQUIRE(resumed.exit_code == 0);
  CHECK_THAT(resumed.out, !Contains("6 runs of 6 to do"));
  REQUIRE(wait_for_empty_queue());
  INFO(job_logs(study));
  check_same_study(study, folder / "here");
  for (const auto& [name, text] : kept) {
    if (!name.ends_with("run.json")) CHECK(files_of_runs(study).at(name) == text);
  }
}
