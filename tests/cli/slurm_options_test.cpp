// What the command line says about a cluster, where no cluster is needed; tests/slurm has the rest.

#include <catch2/catch.hpp>

#include "sim/process/tool.hpp"
#include "tests/cli/program.hpp"

using namespace isthmus::testing;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using nlohmann::json;

namespace slurm_options_test {
namespace {

std::string write_scenario(const TemporaryFolder& folder, const json& scenario) {
  write_text(folder / "scenario.json", scenario.dump());
  return folder / "scenario.json";
}

json costs_study(const std::string& name) {
  json scenario = small_study(name);
  scenario["numerics"] = "costs";
  return scenario;
}

}  // namespace

TEST_CASE("what is asked of a cluster is no part of a study") {
  const TemporaryFolder folder;
  json scenario = costs_study("asking");
  scenario["slurm"] = {{"partition", "slow"}, {"time", "1-0"}};
  const fs::path out = folder / "out";
  REQUIRE(run_program({"run", write_scenario(folder, scenario), "--out", out}).exit_code == 0);
  for (const auto& entry : fs::directory_iterator(out / "runs")) {
    CHECK_FALSE(read_json_file(entry.path() / "run.json").at("configuration").contains("slurm"));
  }
  scenario["slurm"] = {{"partition", "fast"}};
  const ProgramResult changed = run_program({"run", write_scenario(folder, scenario), "--out", out});
  CHECK(changed.exit_code == 0);
  CHECK_THAT(changed.out, Contains("4 of 4 runs were finished before"));
  scenario.erase("slurm");
  CHECK(run_program({"run", write_scenario(folder, scenario), "--out", out}).exit_code == 0);
}

TEST_CASE("a dry run prints scripts that a shell can read, without Slurm, and leaves nothing behind") {
  const TemporaryFolder folder;
  json scenario = small_study("dry");
  scenario["slurm"] = {
      {"partition", "slow"}, {"time", "0:30:00"}, {"memory", "2GiB"}, {"options", {"--qos=low"}}};
  const std::string file = write_scenario(folder, scenario), out = folder / "it's here";
  const auto without_slurm = [&](std::vector<std::string> more) {
    std::vector<std::string> words = {"PATH=/nowhere", ISTHMUS_PROGRAM, "run", file, "--out", out,
                                      "--executor",    "slurm"};
    words.insert(words.end(), more.begin(), more.end());
    return isthmus::run_tool("env", words);
  };
  const auto dry = without_slurm({"--dry-run", "--partition", "fast", "--trajectories", folder / "store"});
  INFO(dry.err);
  REQUIRE(dry.exit_code == 0);
  CHECK_FALSE(fs::exists(out));
  CHECK_FALSE(fs::exists(folder / "store"));
  // The command line wins over the scenario, option by option.
  CHECK_THAT(dry.out, Contains("#SBATCH --partition=fast\n") && !Contains("slow") &&
                          Contains("#SBATCH --time=0:30:00\n") && Contains("#SBATCH --mem=2048M\n") &&
                          Contains("#SBATCH --qos=low\n") && Contains("#SBATCH --array=0-3\n") &&
                          Contains("4 runs of 4 to do: 4 trainings, 0 replays"));
  // Each script begins with "#!"; a list of runs follows it.
  for (std::size_t begin = dry.out.find("#!"); begin != std::string::npos;) {
    const std::size_t end = dry.out.find("\n\n# ", begin);
    const auto checked = isthmus::run_tool("bash", {"-n", "-c", dry.out.substr(begin, end - begin)});
    CHECK(checked.err.empty());
    CHECK(checked.exit_code == 0);
    begin = dry.out.find("#!", begin + 1);
  }
  const auto refused = without_slurm({});
  CHECK(refused.exit_code == 2);
  CHECK_THAT(refused.err, StartsWith("isthmus: --executor: this machine has no sbatch"));
  CHECK_FALSE(fs::exists(out));
}

TEST_CASE("scripts and names of jobs are the same before a relative folder is there and after") {
  const TemporaryFolder folder;
  write_scenario(folder, costs_study("relative"));
  const auto dry_run = [&] {
    const ProgramResult result = run_program(
        {"run", "scenario.json", "--out", "fresh/study", "--executor", "slurm", "--dry-run"}, folder.path());
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    return result.out;
  };
  const std::string fresh = dry_run(), study = fs::canonical(folder.path()) / "fresh/study";
  CHECK_THAT(fresh, Contains("--out " + study + " ") && Contains("--chdir " + study + "/slurm"));
  fs::create_directories(study);
  CHECK(dry_run() == fresh);
}

TEST_CASE("options of Slurm are refused where they make no sense") {
  const TemporaryFolder folder;
  const std::string file = write_scenario(folder, costs_study("refused")), out = folder / "out";
  const auto refuse = [&](const std::vector<std::string>& more, const std::string& message) {
    std::vector<std::string> words = {"run", file, "--out", out};
    words.insert(words.end(), more.begin(), more.end());
    const ProgramResult result = run_program(words);
    INFO(result.err);
    CHECK(result.exit_code == 2);
    CHECK_THAT(result.err, StartsWith("isthmus: " + message));
    CHECK_FALSE(fs::exists(out));
  };
  refuse({"--executor", "moon"}, "--executor: found \"moon\"; allowed: \"local\", \"slurm\"");
  refuse({"--partition", "a"}, "--partition: needs --executor slurm");
  refuse({"--dry-run"}, "--dry-run: needs --executor slurm");
  const std::vector<std::string> dry = {"--executor", "slurm", "--dry-run"};
  const auto refuse_dry = [&](std::vector<std::string> more, const std::string& message) {
    more.insert(more.begin(), dry.begin(), dry.end());
    refuse(more, message);
  };
  refuse_dry({"--again"}, "--again: not with --executor slurm");
  refuse_dry({"--only", "0-data_parallel"}, "--only: not with --executor slurm");
  refuse_dry({"--time", "90"}, "/slurm/time: ");
  refuse_dry({"--memory", "8"}, "/slurm/memory: ");
  refuse_dry({"--sbatch", "account=x"}, "/slurm/options/0: ");
  refuse_dry({"--sbatch=--qos=low", "--sbatch=--array=0-9"}, "/slurm/options/1: found \"--array=0-9\"");
  for (const std::string option :
       {"--arra=0-5", "--a=0-5", "-Ha0-5", "--qos=low --chdir=/", "--ou x", "--wra=ls"}) {
    refuse_dry({"--sbatch=" + option}, "/slurm/options/0: found \"" + option + "\"");
  }
}

TEST_CASE("relative paths start where --base-folder says") {
  const TemporaryFolder folder;
  fs::create_directories(folder / "origin");
  fs::create_directories(folder / "copy");
  fs::copy_file(source_path("platforms/star-8.xml"), folder / "origin/star.xml");
  json scenario = costs_study("based");
  scenario["platform"]["file"] = "star.xml";
  write_text(folder / "copy/scenario.json", scenario.dump());
  const std::string file = folder / "copy/scenario.json";
  CHECK(run_program({"check", file}).exit_code == 2);
  CHECK(run_program({"check", file, "--base-folder", folder / "origin"}).exit_code == 0);
  CHECK(run_program({"run", file, "--base-folder", "origin", "--out", folder / "out"}, folder.path())
            .exit_code == 0);
  const ProgramResult refused = run_program({"check", file, "--base-folder", folder / "nowhere"});
  CHECK(refused.exit_code == 2);
  CHECK_THAT(refused.err, StartsWith("isthmus: --base-folder: ") && Contains("is not a folder"));
}

}  // namespace slurm_options_test
