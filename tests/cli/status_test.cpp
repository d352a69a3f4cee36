// What status says and exits with, as the files of a study change.

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <functional>

#include "tests/cli/program.hpp"

using namespace isthmus::testing;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using nlohmann::json;

namespace status_test {
namespace {

void change_json(const fs::path& file, const std::function<void(nlohmann::ordered_json&)>& change) {
  auto document = nlohmann::ordered_json::parse(read_text(file));
  change(document);
  write_text(file, document.dump());
}

/// Status of a study: exit code and lines.
void check_status(const fs::path& study, int exit_code, const std::vector<std::string>& parts,
                  const std::vector<std::string>& absent = {}) {
  const ProgramResult result = run_program({"status", study});
  INFO(result.out << result.err);
  CHECK(result.exit_code == exit_code);
  CHECK(result.err.empty());
  for (const std::string& part : parts) CHECK_THAT(result.out, Contains(part));
  for (const std::string& part : absent) CHECK_THAT(result.out, !Contains(part));
}

}  // namespace

TEST_CASE("status tells finished, failed and missing runs apart") {
  const TemporaryFolder folder;
  json scenario = small_study("watched");
  scenario["numerics"] = "costs";
  write_text(folder / "scenario.json", scenario.dump());
  const fs::path study = folder / "out";
  REQUIRE(run_program({"run", folder / "scenario.json", "--out", study}).exit_code == 0);
  const std::vector<std::string> ids = {"0-data_parallel", "1-local_sgd", "2-ist", "3-ist"};
  CHECK(read_json_file(study / "study.json").at("runs") == ids);
  check_status(study, 0, {"watched: 4 of 4 runs finished (4 completed)\n"}, {"Missing", "Failed", "at work"});

  change_json(study / "runs/1-local_sgd/run.json", [](auto& run) { run["outcome"] = "out_of_memory"; });
  check_status(study, 0, {"(3 completed, 1 out of memory)"}, {"Failed"});

  change_json(study / "runs/2-ist/run.json", [](auto& run) {
    run["outcome"] = "failed";
    run["message"] = "killed by signal 9 (Killed)\nand a second line";
  });
  check_status(study, 1,
               {"4 of 4 runs finished (2 completed, 1 out of memory, 1 failed)\n",
                "Failed:\n  2-ist: killed by signal 9 (Killed)\n"},
               {"second line", "Missing"});

  fs::remove_all(study / "runs/0-data_parallel");
  check_status(study, 3,
               {"3 of 4 runs finished", "Missing:\n  0-data_parallel\n", "Failed:\n  2-ist",
                "Nothing is at work here"});

  write_text(study / "runs/3-ist/run.json", "{\"id\": \"3-");
  check_status(study, 3,
               {"2 of 4 runs finished", "Broken, to be run again:\n", "3-ist/run.json is not complete JSON"});
}

TEST_CASE("status of a study that has not ended") {
  const TemporaryFolder folder;
  json scenario = small_study("open");
  scenario["numerics"] = "costs";
  write_text(folder / "scenario.json", scenario.dump());
  const fs::path study = folder / "out";
  REQUIRE(run_program({"run", folder / "scenario.json", "--out", study}).exit_code == 0);
  change_json(study / "study.json", [](auto& file) { file["end"] = nullptr; });
  check_status(study, 3, {"Nothing is at work here"});

  const ProgramResult none = run_program({"status", folder / "nowhere"});
  CHECK(none.exit_code == 2);
  CHECK_THAT(none.err, StartsWith("isthmus: ") && Contains("there is no such folder"));
}

TEST_CASE("one process carries out a whole study, or several single runs of it") {
  const TemporaryFolder folder;
  json scenario = small_study("locked");
  scenario["numerics"] = "costs";
  write_text(folder / "scenario.json", scenario.dump());
  const fs::path study = folder / "out";
  const std::vector<std::string> whole = {"run", folder / "scenario.json", "--out", study};
  REQUIRE(run_program(whole).exit_code == 0);
  check_status(study, 0, {}, {"at work"});
  fs::remove_all(study / "runs/2-ist");

  const int file = open((study / ".lock").c_str(), O_RDWR);
  REQUIRE(file >= 0);
  struct flock lock {};
  lock.l_whence = SEEK_SET;
  lock.l_type = F_RDLCK;  // as a process has it that carries out single runs
  REQUIRE(fcntl(file, F_SETLK, &lock) == 0);
  check_status(study, 3, {"An `isthmus run` is at work here.\n"}, {"Nothing is at work"});
  const ProgramResult refused = run_program(whole);
  CHECK(refused.exit_code == 2);
  CHECK_THAT(refused.err, Contains("another isthmus run is at work in " + study.string()));
  auto single = whole;
  single.insert(single.end(), {"--only", "2-ist"});
  CHECK(run_program(single).exit_code == 0);
  CHECK(fs::exists(study / "runs/2-ist/run.json"));
  close(file);
  check_status(study, 0, {}, {"at work"});
}

TEST_CASE("a long list is cut") {
  const TemporaryFolder folder;
  const fs::path study = folder / "study";
  fs::create_directories(study / "runs");
  json file = {{"name", "long"}, {"end", nullptr}, {"runs", json::array()}};
  for (int i = 0; i < 1000; ++i) file["runs"].push_back("run-" + std::to_string(i));
  write_text(study / "study.json", file.dump());
  const ProgramResult result = run_program({"status", study});
  CHECK(result.exit_code == 3);
  CHECK_THAT(result.out,
             StartsWith("long: 0 of 1000 runs finished\n") && Contains("  run-19\n  ... and 980 more\n"));
}

}  // namespace status_test
