// Studies as folders of plain files: the contract of design and README.

#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <sstream>

#include "tests/cli/program.hpp"

using namespace isthmus::testing;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using nlohmann::json;

namespace study_test {
namespace {

std::string first_line(const fs::path& file) {
  const std::string text = read_text(file);
  return text.substr(0, text.find('\n'));
}

long lines_of(const fs::path& file) {
  const std::string text = read_text(file);
  return std::count(text.begin(), text.end(), '\n');
}

}  // namespace

TEST_CASE("a study writes the files of the contract") {
  const TemporaryFolder folder;
  write_text(folder / "scenario.json", small_study("contract").dump());
  const fs::path out = folder / "out";
  const ProgramResult result = run_program({"run", folder / "scenario.json", "--out", out, "--trace"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(result.err.empty());  // no progress where there is no terminal
  CHECK_THAT(result.out,
             Contains("Data parallel") && Contains("IST (sharded)") && Contains("Files: " + out.string()));

  const json study = read_json_file(out / "study.json");
  for (const char* key : {"name", "scenario", "command_line", "build", "start", "end"})
    CHECK(study.contains(key));
  CHECK(study.at("scenario") == small_study("contract"));
  CHECK_THAT(
      first_line(out / "runs.csv"),
      StartsWith("id,outcome,/protocol/kind,") &&
          Contains(
              "simulated_seconds,rounds,bytes_sent,bytes_per_round,final_test_accuracy,best_test_accuracy,"
              "target_accuracy,seconds_to_target,bytes_to_target,to_target_is_upper_bound,paper_bytes_per_"
              "round,"
              "memory_peak_bytes,energy_joules,parameters,staleness_mean,staleness_max,lost_samples,workers_lost,"
              "final_precision_at_3,final_precision_at_5,wall_seconds"));
  CHECK(lines_of(out / "runs.csv") == 5);
  for (const char* id : {"0-data_parallel", "1-local_sgd", "2-ist", "3-ist"}) {
    INFO(id);
    const fs::path run = out / "runs" / id;
    REQUIRE(fs::exists(run / "run.json"));
    const json report = read_json_file(run / "run.json");
    CHECK(report.at("outcome") == "completed");
    CHECK(report.at("labels") == json::object());
    CHECK(report.at("configuration").at("training").at("momentum") == 0);  // defaults are filled in
    CHECK(report.at("provenance").at("numerics") == "live");
    CHECK(first_line(run / "history.csv") ==
          "round,local_steps,samples,simulated_seconds,bytes_sent,train_loss,test_loss,test_accuracy,consensus_distance,"
          "staleness_mean,staleness_max,precision_at_3,precision_at_5");
    CHECK(lines_of(run / "history.csv") == 4);  // 3 epochs
    CHECK(first_line(run / "workers.csv") ==
          "rank,host,compute_seconds,communication_seconds,idle_seconds,bytes_sent,bytes_received,messages_"
          "sent,flops,"
          "memory_peak_bytes,memory_limit_bytes,energy_joules,"
          "launch_bound_seconds,compute_bound_seconds,memory_bound_seconds,local_steps,role");
    CHECK(lines_of(run / "workers.csv") == 4);
    CHECK(first_line(run / "links.csv") ==
          "link,bandwidth_bytes_per_second,latency_seconds,bytes,busy_fraction");
    CHECK(read_json_file(run / "trace.json").at("traceEvents").size() > 10);
  }
}

TEST_CASE("the time to a target lies between tests, at the end of a round, or is an upper bound") {
  const TemporaryFolder folder;
  json scenario = small_study("target");
  scenario["training"].erase("target_accuracy");
  scenario["training"]["evaluate_every_rounds"] = 5;
  scenario["training"]["epochs"] = 6;
  scenario["training"]["learning_rate"] = 0.01;
  scenario["sweep"] = {{"/training/target_accuracy", {0.01, 0.76, 0.82, 0.85, 1.0}}};
  scenario["protocol"] = {{"kind", "local_sgd"}, {"local_steps", 7}};
  write_text(folder / "scenario.json", scenario.dump());
  const fs::path out = folder / "out";
  const ProgramResult result = run_program({"run", folder / "scenario.json", "--out", out});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK_THAT(result.out, Contains("<= ") && Contains("test more often"));
  int between = 0, at_first = 0;
  for (const auto& entry : fs::directory_iterator(out / "runs")) {
    const json summary = read_json_file(entry.path() / "run.json").at("summary");
    const auto history = read_cells(entry.path() / "history.csv");
    const double target = summary.at("target_accuracy");
    constexpr std::size_t round = 0, seconds = 3, bytes = 4, accuracy = 7;
    const auto cell = [&](std::size_t row, std::size_t column) { return std::stod(history[row][column]); };
    std::size_t met = 1;
    while (met < history.size() && cell(met, accuracy) < target) ++met;
    if (met == history.size()) {
      CHECK(summary.at("seconds_to_target").is_null());
      CHECK(summary.at("to_target_is_upper_bound").is_null());
    } else if (met == 1) {
      ++at_first;
      CHECK(summary.at("seconds_to_target") == cell(1, seconds));
      CHECK(summary.at("to_target_is_upper_bound") == true);
    } else {
      CHECK(summary.at("to_target_is_upper_bound") == false);
      // The first whole round at whose end the line between the two tests is at the target.
      const double steps = cell(met, round) - cell(met - 1, round);
      double done = 1;
      const auto on_line = [&](std::size_t column) {
        return cell(met - 1, column) + done / steps * (cell(met, column) - cell(met - 1, column));
      };
      while (on_line(accuracy) < target) ++done;
      between += done < steps;
      CHECK(summary.at("seconds_to_target").get<double>() == Approx(on_line(seconds)));
      CHECK(summary.at("bytes_to_target").get<double>() == Approx(on_line(bytes)));
    }
  }
  CHECK(at_first >= 1);
  CHECK(between >= 1);
}

TEST_CASE("a target met at a test after the first round is met then, for there was no model before") {
  const TemporaryFolder folder;
  json scenario = small_study("first");
  scenario["training"]["target_accuracy"] = 0.01;
  scenario["training"]["evaluate_every_rounds"] = 1;
  write_text(folder / "scenario.json", scenario.dump());
  REQUIRE(run_program({"run", folder / "scenario.json", "--out", folder / "out"}).exit_code == 0);
  const json summary = read_json_file(folder / "out/runs/2-ist/run.json").at("summary");
  CHECK(summary.at("to_target_is_upper_bound") == false);
  CHECK(summary.at("seconds_to_target") ==
        std::stod(read_cells(folder / "out/runs/2-ist/history.csv")[1][3]));
}

TEST_CASE("where costs are counted only, no target is missed") {
  const TemporaryFolder folder;
  json scenario = small_study("costs");
  scenario["numerics"] = "costs";
  write_text(folder / "scenario.json", scenario.dump());
  const ProgramResult result = run_program({"run", folder / "scenario.json", "--out", folder / "out"});
  REQUIRE(result.exit_code == 0);
  CHECK_THAT(result.out, !Contains("not reached"));
  CHECK(read_json_file(folder / "out/runs/0-data_parallel/run.json")
            .at("summary")
            .at("target_accuracy")
            .is_null());
}

TEST_CASE("labels of a sweep stand in the files of a study and in its table") {
  const TemporaryFolder folder;
  json scenario = small_study("labels");
  scenario.erase("protocol");
  scenario["numerics"] = "costs";
  scenario["sweep"] = json::parse(R"({
    "/platform/bandwidth": {"from": "10Mbps", "to": "1Gbps", "points": 3, "scale": "log"},
    "/protocol": {"named": {"DP, \"ring\"": {"kind": "data_parallel"}, "IST": {"kind": "ist", "local_steps": 2}}},
    "/training/batch": {"named": {"small": 16}},
    "exclude": [{"/platform/bandwidth": "100Mbps", "/protocol/kind": "ist"}]})");
  write_text(folder / "scenario.json", scenario.dump());
  const fs::path out = folder / "out";
  const ProgramResult result = run_program({"run", folder / "scenario.json", "--out", out});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK_THAT(result.out, Contains("DP, \"ring\"") && Contains("IST") && !Contains("local_steps"));

  const json run = read_json_file(out / "runs/1-10Mbps-IST-small/run.json");
  CHECK(run.at("labels") == json{{"/protocol", "IST"}, {"/training/batch", "small"}});
  CHECK(run.at("swept").at("/training/batch") == 16);
  CHECK(run.at("configuration").at("training").at("batch") == 16);

  std::vector<std::string> rows;
  std::istringstream lines(read_text(out / "runs.csv"));
  for (std::string line; std::getline(lines, line);) rows.push_back(line);
  REQUIRE(rows.size() == 6);
  CHECK_THAT(rows[0], StartsWith("id,outcome,/platform/bandwidth,/platform/bandwidth_bits_per_second,"
                                 "/protocol,/protocol/kind,/training/batch,"
                                 "/protocol/local_steps,simulated_seconds"));
  CHECK_THAT(
      rows[1],
      StartsWith(
          "0-10Mbps-DP-ring-small,completed,10Mbps,10000000.0,\"DP, \"\"ring\"\"\",data_parallel,small,,"));
  CHECK_THAT(rows[2], StartsWith("1-10Mbps-IST-small,completed,10Mbps,10000000.0,IST,ist,small,2,"));
  CHECK_THAT(rows[3], StartsWith("2-100Mbps-DP-ring-small,"));
  CHECK_THAT(rows[4], StartsWith("3-1Gbps-DP-ring-small,"));
  CHECK_THAT(rows[5], StartsWith("4-1Gbps-IST-small,"));
}

TEST_CASE("files are the same to the bit for any number of threads and any repetition") {
  const TemporaryFolder folder;
  write_text(folder / "scenario.json", small_study("repeatable").dump());
  const auto files_with = [&](const std::string& threads, const std::string& out) {
    const ProgramResult result = run_program({"run", folder / "scenario.json", "--out", folder / out,
                                              "--threads", threads, "--trace", "--no-replay"});
    REQUIRE(result.exit_code == 0);
    return comparable_files(folder / out);
  };
  const auto one = files_with("1", "one");
  CHECK(one.size() == 4 * 5);
  CHECK(files_with("2", "two") == one);
  CHECK(files_with("4", "four") == one);
  CHECK(files_with("1", "again") == one);
}

TEST_CASE("finished runs are kept, --again runs them again, another study is refused") {
  const TemporaryFolder folder;
  json scenario = small_study("kept");
  write_text(folder / "scenario.json", scenario.dump());
  const std::vector<std::string> command = {"run", folder / "scenario.json", "--out", folder / "out"};
  REQUIRE(run_program(command).exit_code == 0);
  const fs::path history = folder / "out/runs/2-ist/history.csv";
  const auto written = fs::last_write_time(history);

  const ProgramResult second = run_program(command);
  CHECK(second.exit_code == 0);
  CHECK_THAT(second.out, Contains("4 of 4 runs were finished before"));
  CHECK(fs::last_write_time(history) == written);

  auto again = command;
  again.push_back("--again");
  CHECK(run_program(again).exit_code == 0);
  CHECK(fs::last_write_time(history) > written);

  scenario["training"]["epochs"] = 4;
  write_text(folder / "scenario.json", scenario.dump());
  const ProgramResult other = run_program(command);
  CHECK(other.exit_code == 2);
  CHECK_THAT(other.err, Contains("another study") && Contains("/training/epochs"));
}

TEST_CASE("quantities of a sweep stand in runs.csv as texts, and as numbers in SI units beside them") {
  const TemporaryFolder folder;
  json scenario = small_study("quantities");
  scenario["numerics"] = "costs";
  scenario["sweep"] = {{"/protocol", {{{"kind", "data_parallel"}}}},
                       {"/platform/bandwidth", {"1.5Mbps", "10Gbps"}},
                       {"/platform/latency", {{"named", {{"near", "10us"}, {"far", "80ms"}}}}}};
  write_text(folder / "scenario.json", scenario.dump());
  REQUIRE(run_program({"run", folder / "scenario.json", "--out", folder / "out"}).exit_code == 0);
  const auto rows = read_cells(folder / "out/runs.csv");
  REQUIRE(rows.size() == 5);
  using Cells = std::set<std::string>;
  const auto column = [&](const std::string& name) {
    const auto found = std::ranges::find(rows[0], name);
    REQUIRE(found != rows[0].end());
    Cells cells;
    for (std::size_t i = 1; i < rows.size(); ++i)
      cells.insert(rows[i][static_cast<std::size_t>(found - rows[0].begin())]);
    return cells;
  };
  CHECK(column("/platform/bandwidth") == Cells{"1.5Mbps", "10Gbps"});
  CHECK(column("/platform/latency") == Cells{"near", "far"});
  const Cells bandwidths = column("/platform/bandwidth_bits_per_second"),
              latencies = column("/platform/latency_seconds");
  CHECK(std::stod(*bandwidths.begin()) + std::stod(*bandwidths.rbegin()) == 1.5e6 + 1e10);
  CHECK(std::stod(*latencies.begin()) + std::stod(*latencies.rbegin()) == Approx(80e-3 + 10e-6));
}

TEST_CASE(
    "a model that no device holds is out of memory with its parts, one that our machine cannot hold says "
    "so") {
  const TemporaryFolder folder;
  json scenario = small_study("giant");
  scenario.erase("sweep");
  scenario["protocol"] = {{"kind", "data_parallel"}};
  scenario["model"]["hidden"] = {10'000'000, 1000};
  write_text(folder / "giant.json", scenario.dump());
  const auto run_of = [&](const std::vector<std::string>& more) {
    std::vector<std::string> command = {"run", folder / "giant.json", "--out", folder / "out", "--again"};
    command.insert(command.end(), more.begin(), more.end());
    const ProgramResult result = run_program(command);
    INFO(result.out << result.err);
    CHECK(result.exit_code <= 1);
    return read_json_file(fs::directory_iterator(folder / "out" / "runs")->path() / "run.json");
  };
  const json limited = run_of({"--set", "/platform/memory=1GiB"});
  CHECK(limited["outcome"] == "out_of_memory");
  const json& memory = limited["memory"];
  CHECK(memory["limit_bytes"] == 1 << 30);
  CHECK(memory["parts"]["parameters_bytes"] > 39e9);  // 10^7 x 1000 weights
  // Devices without a limit: it is our own machine that cannot.
  fs::remove_all(folder / "out");
  const json unlimited = run_of({"--set", "/platform/memory=1024TiB"});
  CHECK(unlimited["outcome"] == "failed");
  CHECK_THAT(unlimited["message"].get<std::string>(),
             Contains("of this machine's memory at least") && Contains("are available"));
}

}  // namespace study_test
