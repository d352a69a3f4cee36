// Whatever is wrong with what a user gives ends in one line that names the place, and exit code 2; nothing is
// written, nothing aborts.

#include <catch2/catch.hpp>

#include "tests/cli/program.hpp"

using namespace isthmus::testing;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using nlohmann::json;

namespace bad_input_test {
namespace {

void check_refusal(const ProgramResult& result) {
  CHECK(result.exit_code == 2);
  CHECK(result.out.empty());
  CHECK_THAT(result.err, StartsWith("isthmus: "));
  CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
}

}  // namespace

TEST_CASE("broken scenarios are refused") {
  using OrderedJson = nlohmann::ordered_json;  // the order of a sweep's axes matters
  const auto table = OrderedJson::parse(read_text(source_path("tests/cli/broken_scenarios.json")));
  CHECK(table.at("cases").size() >= 60);
  const TemporaryFolder folder;
  fs::copy_file(source_path("platforms/star-8.xml"), folder / "star-8.xml");
  const std::string file = folder / "scenario.json", out = folder / "out";
  std::size_t count = 0;
  for (const OrderedJson& each : table.at("cases")) {
    // The unit tests read all but those of the program's own kinds: of these a third is enough here.
    if (!each.value("program", false) && count++ % 3 != 0) continue;
    INFO(each.at("name").get<std::string>());
    std::string text;
    if (each.contains("text")) {
      text = each.at("text").get<std::string>();
    } else {
      OrderedJson scenario = table.at("base");
      if (each.at("patch").is_array()) {
        scenario = scenario.patch(each.at("patch"));
      } else {
        scenario.merge_patch(each.at("patch"));
      }
      text = scenario.dump();
    }
    write_text(file, text);
    const ProgramResult result = run_program({"run", file, "--out", out});
    INFO(result.err);
    check_refusal(result);
    const std::string pointer = each.value("pointer", "");
    CHECK_THAT(result.err, StartsWith("isthmus: " + (pointer.empty() ? file : pointer) + ":"));
    CHECK_THAT(result.err, Contains(each.at("message").get<std::string>()));
    CHECK_FALSE(fs::exists(out));
  }
}

TEST_CASE("swept texts that spreadsheets would take for a formula are refused, as labels are") {
  const TemporaryFolder folder;
  const std::string file = folder / "scenario.json";
  const auto check = [&](const json& sweep) {
    json scenario = small_study("formula");
    scenario["protocol"] = {{"kind", "data_parallel"}};
    scenario["sweep"] = sweep;
    write_text(file, scenario.dump());
    return run_program({"check", file});
  };
  const std::string message = "a swept text must not begin with '=', '+', '-' or '@'";
  const json data = {{"set", "files"}, {"path", "=cmd()"}};
  for (const json& axes : {json{{"/data/path", {"=1+1", "mine"}}}, json{{"/data", {data}}},
                           json{{"/data", {{"named", {{"mine", data}}}}}}}) {
    const ProgramResult result = check(axes);
    INFO(result.err);
    check_refusal(result);
    CHECK_THAT(result.err, StartsWith("isthmus: /sweep/~1data") && Contains(message));
  }
  // A label stands for a text.
  const json named = {{"/platform/file", {{"named", {{"mine", "@nowhere.xml"}}}}}};
  CHECK_THAT(check(named).err, !Contains(message) && Contains("there is no such file"));
}

TEST_CASE("data that are not there, and data that cannot be augmented, are refused") {
  const TemporaryFolder folder;
  const std::string file = folder / "scenario.json", out = folder / "out";
  const auto refuse = [&](const json& data, const std::string& pointer, const std::string& message) {
    json scenario = small_study("broken");
    scenario["data"] = data;
    write_text(file, scenario.dump());
    const ProgramResult result = run_program({"run", file, "--out", out});
    INFO(result.err);
    check_refusal(result);
    CHECK_THAT(result.err, StartsWith("isthmus: " + pointer + ":") && Contains(message));
    CHECK_FALSE(fs::exists(out));
  };
  refuse({{"set", "cifar10"}}, "/data", "\"path\" is missing");
  refuse({{"set", "cifar10"}, {"path", "nowhere"}}, "/data/path",
         "get \"CIFAR-10 binary version\" (cifar-10-binary.tar.gz) from "
         "https://www.cs.toronto.edu/~kriz/cifar.html");
  refuse({{"set", "cifar100"}, {"path", "nowhere"}}, "/data/path", "get \"CIFAR-100 binary version\"");
  refuse({{"set", "files"}}, "/data", "\"path\" is missing");
  refuse({{"set", "files"}, {"path", "nowhere"}}, "/data/path",
         "allowed: a folder with train_x, train_y, test_x and test_y");
  refuse({{"set", "synthetic"}, {"dimensions", 32}, {"augment", {{"flip", true}}}}, "/data/augment",
         "only images can be flipped or cropped");
}

TEST_CASE("broken platforms are refused by the commands that read them") {
  const json expected = read_json_file(source_path("tests/cli/broken_platforms/expected.json"));
  CHECK(expected.size() >= 15);
  const TemporaryFolder folder;
  const std::string scenario_file = folder / "scenario.json", out = folder / "out";
  std::size_t count = 0;
  for (const auto& [name, parts] : expected.items()) {
    INFO(name);
    const std::string file = source_path("tests/cli/broken_platforms/" + name);
    const ProgramResult shown = run_program({"platform", file});
    INFO(shown.err);
    check_refusal(shown);
    for (const json& part : parts) CHECK_THAT(shown.err, Contains(part.get<std::string>()));

    if (count++ % 3 != 0) continue;  // all read platforms by the same code
    json scenario = small_study("broken");
    scenario["platform"] = {{"file", file}, {"workers", 2}};
    write_text(scenario_file, scenario.dump());
    const ProgramResult ran = run_program({"run", scenario_file, "--out", out});
    INFO(ran.err);
    // Where the fault lies beyond the two workers and their routes, the scenario may run.
    if (ran.exit_code != 0) {
      check_refusal(ran);
      CHECK_FALSE(fs::exists(out));
    }
    fs::remove_all(out);
  }
}

TEST_CASE("broken command lines are refused") {
  const std::string quickstart = source_path("scenarios/quickstart.json");
  const std::vector<std::vector<std::string>> lines = {{"fly"},
                                                       {"run"},
                                                       {"check"},
                                                       {"platform"},
                                                       {"run", quickstart, "--threads", "0"},
                                                       {"run", quickstart, "--threads", "many"},
                                                       {"run", quickstart, "--no-such-option"},
                                                       {"run", quickstart, "--set", "platform=3"},
                                                       {"run", quickstart, "--set", "/training/batch=-1"},
                                                       {"run", quickstart, "--out", "/proc/version"},
                                                       {"run", quickstart, "--out", "/usr"},
                                                       {"run", quickstart, "second.json"},
                                                       {"check", "/nowhere/scenario.json"},
                                                       {"platform", "/nowhere/platform.xml"},
                                                       {"list", "everything"}};
  for (const auto& line : lines) {
    INFO(json(line).dump());
    const ProgramResult result = run_program(line);
    INFO(result.err);
    check_refusal(result);
  }
}

TEST_CASE("broken data is refused before anything is written") {
  const TemporaryFolder folder;
  fs::create_directory(folder / "data");
  write_text(folder / "data/train-images-idx3-ubyte", "not IDX at all");
  json scenario = small_study("broken-data");
  scenario["data"] = {{"set", "idx"}, {"path", "data"}};  // relative to the scenario
  write_text(folder / "scenario.json", scenario.dump());
  const ProgramResult result = run_program({"run", folder / "scenario.json", "--out", folder / "out"});
  INFO(result.err);
  check_refusal(result);
  CHECK_THAT(result.err, StartsWith("isthmus: /data/path: ") && Contains("train-images-idx3-ubyte"));
  CHECK_FALSE(fs::exists(folder / "out"));
}

}  // namespace bad_input_test
