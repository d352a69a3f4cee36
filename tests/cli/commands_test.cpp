// Commands that show things, and what is shipped.

#include <algorithm>
#include <catch2/catch.hpp>
#include <sstream>

#include "analysis/format.hpp"
#include "tests/cli/program.hpp"

using namespace isthmus::testing;
using Catch::Matchers::Contains;
using nlohmann::json;

namespace commands_test {

TEST_CASE("every command explains itself with an example") {
  for (const char* command : {"run", "check", "status", "export", "plot", "report", "compare", "platform",
                              "collective", "device", "calibrate", "list", "schema"}) {
    INFO(command);
    const ProgramResult result = run_program({command, "--help"});
    CHECK(result.exit_code == 0);
    CHECK_THAT(result.out, Contains("Usage: isthmus " + std::string(command)) && Contains("Example") &&
                               Contains(":\n  isthmus "));
    CHECK(result.err.empty());
  }
  CHECK_THAT(run_program({"--help"}).out, Contains("isthmus run quickstart"));
  CHECK_THAT(run_program({"reprot"}).err,
             Contains("isthmus: no command \"reprot\"; did you mean \"report\"? "));
  CHECK_THAT(run_program({"--version"}).out, Contains("isthmus "));
}

TEST_CASE("a scenario that comes with the program is found by its name, from any folder") {
  const TemporaryFolder folder;
  const ProgramResult named = run_program({"check", "two-sites-aggregates"}, folder.path());
  INFO(named.err);
  CHECK(named.exit_code == 0);
  CHECK_THAT(named.out, Contains("two-sites-aggregates: no errors"));
  const ProgramResult unknown = run_program({"check", "quikstart"}, folder.path());
  CHECK(unknown.exit_code == 2);
  CHECK_THAT(unknown.err, Contains("isthmus: quikstart: no such file; did you mean \"quickstart\"? ") &&
                              Contains("amazon-670k-memory, bandwidth-sweep, ") && !Contains("schema"));
  // What lies in the folder comes first, but for other folders.
  fs::create_directory(folder / "resist-memory");
  CHECK(run_program({"check", "resist-memory"}, folder.path()).exit_code == 0);
  json own = small_study("own");
  own["numerics"] = "costs";
  write_text(folder / "slow-wan", own.dump());
  CHECK_THAT(run_program({"check", "slow-wan"}, folder.path()).out, Contains("no errors in 4 runs"));
}

TEST_CASE("check sets what differs side by side: seeds share a row, and the first round is simulated") {
  const TemporaryFolder folder;
  json scenario = small_study("grid");
  scenario["sweep"] = {
      {"/protocol", {{{"kind", "data_parallel"}}, {{"kind", "local_sgd"}, {"local_steps", 3}}}},
      {"/platform/bandwidth", {"1Mbps", "1Gbps"}},
      {"/training/seed", {{"seeds", 3}}}};
  scenario.erase("protocol");
  scenario["numerics"] = "costs";
  write_text(folder / "grid.json", scenario.dump());
  const std::string file = folder / "grid.json";
  const ProgramResult result = run_program({"check", file});
  INFO(result.out << result.err);
  REQUIRE(result.exit_code == 0);
  CHECK_THAT(result.out,
             Contains("Of runs that differ in their seeds alone, one:") && Contains("no errors in 12 runs"));
  std::vector<std::string> rows;
  std::istringstream lines(result.out);
  for (std::string line; std::getline(lines, line);)
    if (line.find("MiB of") != std::string::npos || line.find("KiB of") != std::string::npos)
      rows.push_back(line);
  REQUIRE(rows.size() == 4);
  // What a row says of the first round is what a run of one round takes.
  for (const char* protocol : {"data_parallel", "local_sgd"}) {
    const fs::path out = folder / protocol;
    json one = scenario;
    one.erase("sweep");
    one["protocol"] = {{"kind", protocol}};
    if (one["protocol"]["kind"] == "local_sgd") one["protocol"]["local_steps"] = 3;
    one["platform"]["bandwidth"] = "1Mbps";
    one["training"].erase("epochs");
    one["training"]["rounds"] = 1;
    write_text(folder / "one.json", one.dump());
    REQUIRE(run_program({"run", folder / "one.json", "--out", out}).exit_code == 0);
    const json run = read_json_file(fs::directory_iterator(out / "runs")->path() / "run.json");
    const std::string seconds = isthmus::format_seconds(run["summary"]["simulated_seconds"]);
    CHECK(std::ranges::any_of(rows, [&](const std::string& row) {
      return row.find(protocol) != std::string::npos && row.find("1Mbps") != std::string::npos &&
             row.find(" " + seconds + " ") != std::string::npos;
    }));
  }
  CHECK_THAT(run_program({"check", file, "--details"}).out, Contains("Run ") && Contains("memory of worker"));
}

TEST_CASE(
    "on unlike links check says what is simulated, which may be less than closed forms of the slowest") {
  const TemporaryFolder folder;
  const auto link = [](const char* name, const char* bandwidth) {
    return std::string("<link id='") + name + "' bandwidth='" + bandwidth +
           "' latency='1ms' sharing_policy='SPLITDUPLEX'/>";
  };
  const auto route = [](const char* from, const char* to) {
    return std::string("<route src='") + from + "' dst='" + to + "'><link_ctn id='" + from + to +
           "' direction='UP'/></route>";
  };
  write_text(folder / "triangle.xml",
             "<?xml version='1.0'?>\n<!DOCTYPE platform SYSTEM 'https://simgrid.org/simgrid.dtd'>\n"
             "<platform version='4.1'><zone id='z' routing='Full'><host id='a' speed='1Gf'/><host id='b' "
             "speed='1Gf'/>"
             "<host id='c' speed='1Gf'/>" +
                 link("ab", "1Gbps") + link("ac", "1Gbps") + link("bc", "1Mbps") + route("a", "b") +
                 route("a", "c") + route("b", "c") + "</zone></platform>\n");
  json scenario = small_study("triangle");
  scenario.erase("sweep");
  scenario["numerics"] = "costs";
  scenario["platform"] = {{"file", "triangle.xml"}, {"workers", 3}};
  scenario["protocol"] = {{"kind", "data_parallel"}, {"aggregate", "auto"}};
  write_text(folder / "triangle.json", scenario.dump());
  const std::string out = run_program({"check", folder / "triangle.json"}).out;
  INFO(out);
  CHECK_THAT(out, Contains("simulated on this platform without values: ") && !Contains("ideally"));
}

TEST_CASE("every shipped scenario is well") {
  int scenarios = 0;
  for (const auto& entry : fs::directory_iterator(source_path("scenarios"))) {
    if (entry.path().extension() != ".json" || entry.path().filename() == "scenario.schema.json") continue;
    INFO(entry.path().string());
    ++scenarios;
    const ProgramResult result = run_program({"check", entry.path()});
    INFO(result.err);
    CHECK(result.exit_code == 0);
    CHECK_THAT(result.out, Contains(": no errors in "));
  }
  CHECK(scenarios >= 4);
}

TEST_CASE("the shipped schema is the program's") {
  CHECK(run_program({"schema"}).out == read_text(source_path("scenarios/scenario.schema.json")));
}

TEST_CASE("every shipped platform can be shown") {
  for (const auto& entry : fs::directory_iterator(source_path("platforms"))) {
    if (entry.path().extension() != ".xml") continue;
    INFO(entry.path().string());
    const ProgramResult result = run_program({"platform", entry.path()});
    CHECK(result.exit_code == 0);
    CHECK_THAT(result.out, Contains("Hosts: ") && Contains("Links: "));
  }
}

TEST_CASE("list names what scenarios can") {
  const std::string list = run_program({"list"}).out;
  for (const char* name : {"data_parallel", "local_sgd", "post_local_sgd", "slow_momentum", "ist", "mlp",
                           "fashion-mnist", "idx", "synthetic", "textbook", "lv08", "smpi"}) {
    CHECK_THAT(list, Contains(name));
  }
}

TEST_CASE("check prints what a round sends") {
  // 670,720 parameters; a ring of 4 sends 2 * 3/4 of them from each worker, 4 bytes each.
  const ProgramResult result = run_program({"check", source_path("scenarios/quickstart.json"), "--details"});
  CHECK_THAT(result.out, Contains("670720 parameters") && Contains("16097280 bytes (16.1 MB)"));
  CHECK_THAT(result.out, Contains("between workers 100 Mbps, 1 ms one way"));
  // Eight workers send 2 x 7 whole vectors in a round; 938 steps, of which half come before the switch.
  const ProgramResult switched = run_program({"check", source_path("scenarios/local-sgd.json"), "--details"});
  const std::size_t trained = 784 * 64 + 64 * 10 + 2 * 64;
  CHECK_THAT(switched.out, Contains("20 local steps, a single one in the first 469 rounds; 493 rounds") &&
                               Contains(std::to_string(7 * 2 * 4 * trained) + " bytes"));
}

TEST_CASE("outer optimizers that make no sense are refused") {
  const TemporaryFolder folder;
  json scenario = small_study("outer");
  scenario.erase("sweep");
  const auto refusal = [&](const json& options) {
    scenario["protocol"] = {{"kind", "local_sgd"}, {"local_steps", 2}};
    scenario["protocol"].update(options);
    write_text(folder / "scenario.json", scenario.dump());
    const ProgramResult result = run_program({"check", folder / "scenario.json"});
    CHECK(result.exit_code == 2);
    return result.err;
  };
  CHECK_THAT(refusal({{"outer_optimizer", {{"kind", "sgd"}, {"nesterov", true}}}}),
             Catch::Matchers::StartsWith("isthmus: /protocol/outer_optimizer/nesterov: found true"));
  CHECK_THAT(refusal({{"outer_optimizer", {{"kind", "sgd"}}}, {"slow_momentum", 0.5}}),
             Catch::Matchers::StartsWith("isthmus: /protocol/outer_optimizer: found beside slow momentum"));
  CHECK_THAT(refusal({{"outer_optimizer", {{"kind", "sgd"}, {"momentun", 0.5}}}}),
             Contains("/protocol/outer_optimizer/momentun: unknown key; did you mean \"momentum\""));
}

TEST_CASE("check shows the grid of a sweep before its runs") {
  const TemporaryFolder folder;
  json scenario = small_study("grid");
  scenario["sweep"] = json::parse(R"({
    "/platform/bandwidth": {"from": "1Mbps", "to": "10Gbps", "points": 9, "scale": "log"},
    "/protocol": {"named": {"DP": {"kind": "data_parallel"}, "IST": {"kind": "ist", "local_steps": 2}}},
    "exclude": [{"/platform/bandwidth": {"from": "1Gbps"}, "/protocol/kind": "ist"}],
    "zip": [{"/platform/workers": [2, 3], "/training/batch": [32, 16]}]})");
  write_text(folder / "scenario.json", scenario.dump());
  const ProgramResult result = run_program({"check", folder / "scenario.json"});
  INFO(result.err);
  const std::string grid = result.out.substr(0, result.out.find("\n\n"));
  // 9 x 2 x 2, without IST on 1, 3.162 and 10 Gbps with two numbers of workers
  CHECK(grid ==
        "Sweep: 9 x 2 x 2 = 36 points, 6 excluded, 30 left\n"
        "  axis                   length   values\n"
        "  /platform/bandwidth    9        1Mbps .. 10Gbps\n"
        "  /protocol              2        DP; IST\n"
        "  /platform/workers      2        2; 3\n"
        "  with /training/batch            32; 16");
  CHECK_THAT(result.out, Contains("no errors in 30 runs"));
  CHECK_THAT(run_program({"check", source_path("scenarios/quickstart.json")}).out,
             Catch::Matchers::StartsWith("Sweep: 3 points\n"));
}

TEST_CASE("what does not fit is an outcome with a breakdown") {
  const TemporaryFolder folder;
  const fs::path out = folder / "out";
  const ProgramResult result =
      run_program({"run", source_path("scenarios/amazon-670k-memory.json"), "--out", out});
  CHECK(result.exit_code == 0);
  std::map<std::string, std::map<int, std::string>> outcomes;  // protocol, width
  for (const auto& entry : fs::directory_iterator(out / "runs")) {
    const json run = read_json_file(entry.path() / "run.json");
    const json& configuration = run.at("configuration");
    outcomes[configuration.at("protocol").at("kind")][configuration.at("model").at("hidden").at(0)] =
        run.at("outcome");
    const json& memory = run.at("memory");
    std::uint64_t sum = 0;
    for (const json& part : memory.at("parts")) sum += part.get<std::uint64_t>();
    CHECK(sum == memory.at("need_bytes"));
    CHECK((memory.at("need_bytes") > memory.at("limit_bytes")) == (run.at("outcome") == "out_of_memory"));
  }
  CHECK(outcomes["data_parallel"][512] == "completed");
  CHECK(outcomes["data_parallel"][2560] == "out_of_memory");
  CHECK(outcomes["local_sgd"][2560] == "out_of_memory");
  CHECK(outcomes["ist"][2560] == "completed");
}

TEST_CASE("the ResIST paper's Table 1 comes out of the ledger") {
  const TemporaryFolder folder;
  const fs::path out = folder / "out";
  REQUIRE(
      run_program({"run", source_path("scenarios/resist-resnet101-cifar100.json"), "--out", out}).exit_code ==
      0);
  std::map<std::pair<int, int>, double> gigabytes;  // workers, minimum depth (0: local SGD)
  for (const auto& entry : fs::directory_iterator(out / "runs")) {
    const json run = read_json_file(entry.path() / "run.json");
    const json& configuration = run.at("configuration");
    const int depth = configuration.at("protocol").value("minimum_depth", 0);
    gigabytes[{configuration.at("platform").at("workers"), depth}] =
        run.at("summary").at("paper_bytes_per_round").get<double>() / 1e9;
  }
  const double half_digit = 0.0006;  // the paper prints 0.45455 as 0.454
  CHECK(gigabytes[{2, 0}] == Approx(0.662).margin(half_digit));
  CHECK(gigabytes[{4, 0}] == Approx(1.325).margin(half_digit));
  CHECK(gigabytes[{8, 0}] == Approx(2.649).margin(half_digit));
  CHECK(gigabytes[{2, 6}] == Approx(0.454).margin(half_digit));
  CHECK(gigabytes[{4, 6}] == Approx(0.720).margin(half_digit));
  CHECK(gigabytes[{8, 4}] == Approx(1.289).margin(half_digit));
}

TEST_CASE("where the whole network does not fit, ResIST's parts do") {
  const TemporaryFolder folder;
  const fs::path out = folder / "out";
  REQUIRE(run_program({"run", source_path("scenarios/resist-memory.json"), "--out", out}).exit_code == 0);
  std::map<std::string, std::string> outcomes;
  for (const auto& entry : fs::directory_iterator(out / "runs")) {
    const json run = read_json_file(entry.path() / "run.json");
    outcomes[run.at("configuration").at("protocol").at("kind")] = run.at("outcome");
  }
  CHECK(outcomes["data_parallel"] == "out_of_memory");
  CHECK(outcomes["local_sgd"] == "out_of_memory");
  CHECK(outcomes["resist"] == "completed");
}

}  // namespace commands_test
