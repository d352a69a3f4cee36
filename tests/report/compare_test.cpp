// isthmus compare: what changed, and exit codes like diff's.

#include "analysis/compare/compare.hpp"

#include <catch2/catch.hpp>

#include "tests/cli/program.hpp"
#include "tests/report/synthetic_study.hpp"

using namespace isthmus::testing;
using Catch::Matchers::Contains;
using isthmus::analysis::Json;
using nlohmann::json;

namespace compare_test {
namespace {

SyntheticStudy small_synthetic() {
  SyntheticStudy study;
  study.bandwidths_megabits = {1, 10};
  study.latencies_milliseconds = {1};
  study.seeds = 1;
  study.evaluations = 4;
  study.with_out_of_memory = false;
  return study;
}

void change(const fs::path& file, const std::function<void(json&)>& edit) {
  json document = read_json_file(file);
  edit(document);
  write_text(file, document.dump());
}

}  // namespace

TEST_CASE("documents differ in leaves") {
  const Json before = Json::parse(R"({"a": 1, "b": {"c": [1, 2], "d": "x"}, "gone": {"e": 1}})");
  const Json after = Json::parse(R"({"b": {"d": "x", "c": [1, 3]}, "a": 1, "new/~": null, "more": 2})");
  const auto found = isthmus::analysis::changes(before, after);
  std::vector<std::string> pointers;
  for (const auto& change : found) pointers.push_back(change.pointer);
  CHECK(pointers == std::vector<std::string>{"/b/c", "/gone/e", "/more"});
  CHECK(found[0].before == Json::parse("[1, 2]"));
  CHECK(found[0].after == Json::parse("[1, 3]"));
  CHECK(found[1].after.is_null());
  CHECK(isthmus::analysis::changes(Json::parse(R"({"/~": 1})"), Json::parse(R"({"/~": 2})"))[0].pointer ==
        "/~1~0");
}

TEST_CASE("compare tells what changed between two studies") {
  const TemporaryFolder folder;
  small_synthetic().write(folder / "a");
  small_synthetic().write(folder / "b");
  const std::vector<std::string> command = {"compare", folder / "a", folder / "b"};

  SECTION("nothing: 0") {
    change(folder / "b/runs/0-data_parallel/run.json",
           [](json& run) { run["summary"]["wall_seconds"] = 77; });
    change(folder / "b/study.json", [](json& study) { study["start"] = "2027-01-01T00:00:00Z"; });
    const ProgramResult result = run_program(command);
    CHECK(result.exit_code == 0);
    CHECK(result.out == "6 of 6 matched runs have the same results\n");
  }
  SECTION("results, scenario and build: 1") {
    change(folder / "b/runs/2-ist/run.json", [](json& run) {
      run["summary"]["simulated_seconds"] = 2 * run["summary"]["simulated_seconds"].get<double>();
      run["summary"]["final_test_accuracy"] = run["summary"]["final_test_accuracy"].get<double>() - 0.01;
      run["summary"]["seconds_to_target"] = nullptr;
    });
    change(folder / "b/study.json", [](json& study) {
      study["scenario"]["training"]["batch"] = 32;
      study["build"]["git_revision"] = "1";
    });
    const ProgramResult result = run_program(command);
    CHECK(result.exit_code == 1);
    CHECK_THAT(result.out, Contains("/training/batch") && Contains("16   ->   32"));
    CHECK_THAT(result.out, Contains("/git_revision"));
    CHECK_THAT(result.out, Contains("simulated_seconds differs in 1 of 6 runs") && Contains("+100 %"));
    CHECK_THAT(result.out, Contains("-1.00 points"));
    CHECK_THAT(result.out, Contains("5 of 6 matched runs have the same results"));
  }
  SECTION("a build alone is no difference") {
    change(folder / "b/study.json", [](json& study) { study["build"]["git_revision"] = "1"; });
    const ProgramResult result = run_program(command);
    CHECK(result.exit_code == 0);
    CHECK_THAT(result.out, Contains("/git_revision"));
  }
  SECTION("small differences can be tolerated") {
    change(folder / "b/runs/2-ist/run.json", [](json& run) {
      run["summary"]["simulated_seconds"] = 1.005 * run["summary"]["simulated_seconds"].get<double>();
    });
    CHECK(run_program(command).exit_code == 1);
    CHECK(run_program({"compare", folder / "a", folder / "b", "--tolerance", "0.01"}).exit_code == 0);
    CHECK(run_program({"compare", folder / "a", folder / "b", "--tolerance", "0.001"}).exit_code == 1);
    CHECK(run_program({"compare", folder / "a", folder / "b", "--tolerance", "-1"}).exit_code == 2);
  }
  SECTION("runs are matched by what was swept, not by their numbers") {
    fs::remove_all(folder / "b");
    SyntheticStudy wider = small_synthetic();
    wider.bandwidths_megabits = {0.1, 1, 10};
    wider.write(folder / "b");
    const ProgramResult result = run_program(command);
    CHECK(result.exit_code == 1);
    CHECK_THAT(result.out, Contains("Runs only after: 0-data_parallel, 1-local_sgd, 2-ist"));
    CHECK_THAT(result.out, Contains("6 of 6 matched runs have the same results"));
  }
  SECTION("of many runs a few are named") {
    fs::remove_all(folder / "b");
    SyntheticStudy wider = small_synthetic();
    wider.bandwidths_megabits = {1, 10, 100, 200, 300, 400, 500};
    wider.write(folder / "b");
    CHECK_THAT(run_program(command).out, Contains(" and 5 more (--all shows them)\n"));
    CHECK_THAT(run_program({"compare", folder / "a", folder / "b", "--all"}).out, !Contains(" more (--all"));
  }
  SECTION("bad input: 2") {
    CHECK(run_program({"compare", folder / "a"}).exit_code == 2);
    CHECK(run_program({"compare", folder / "a", folder / "nowhere"}).exit_code == 2);
    CHECK(run_program({"compare", folder / "a", folder / "b", folder / "b"}).exit_code == 2);
  }
}

}  // namespace compare_test
