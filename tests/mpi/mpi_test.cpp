// Runs in real processes against the simulator's: what does not tell of time must be the same to the bit.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <sstream>
#include <thread>

#include "tests/cli/program.hpp"

using namespace isthmus::testing;

namespace {

using nlohmann::json;
using Table = std::vector<std::vector<std::string>>;

std::vector<std::string> mpirun(int processes, const std::vector<std::string>& arguments,
                                const std::string& program = ISTHMUS_MPI) {
  std::vector<std::string> words = {"OMPI_ALLOW_RUN_AS_ROOT=1",
                                    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1",
                                    ISTHMUS_MPIRUN,
                                    "--oversubscribe",
                                    "--timeout",
                                    "200",
                                    "-n",
                                    std::to_string(processes),
                                    program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return words;
}

/// What a process has computed so far.
double cpu_seconds(pid_t process) {
  const std::string stat = read_text("/proc/" + std::to_string(process) + "/stat");
  std::istringstream fields(stat.substr(std::min(stat.size(), stat.rfind(')') + 1)));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  double user_ticks = 0, system_ticks = 0;
  fields >> user_ticks >> system_ticks;
  return (user_ticks + system_ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

/// Without the columns that tell of time.
Table timeless(Table rows) {
  REQUIRE_FALSE(rows.empty());
  const std::vector<std::string> names = rows.front();
  for (auto& row : rows) {
    std::vector<std::string> kept;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (!names[i].ends_with("seconds")) kept.push_back(row[i]);
    }
    row = kept;
  }
  return rows;
}

json scenario(int workers, const json& protocols) {
  json result = small_study("mpi");
  result["platform"]["workers"] = workers;
  result["training"] = {
      {"batch", 16}, {"rounds", 5}, {"evaluate_every_rounds", 2}, {"momentum", 0.9}, {"learning_rate", 0.05}};
  result["sweep"]["/protocol"] = protocols;
  return result;
}

void check_same(const json& document, int processes) {
  const TemporaryFolder folder;
  write_text(folder / "scenario.json", document.dump());
  const auto simulated = run_program(
      {ISTHMUS_SIMULATOR, "run", folder / "scenario.json", "--no-replay", "--out", folder / "simulated"});
  INFO(simulated.err);
  REQUIRE(simulated.exit_code == 0);
  std::size_t runs = 0;
  for (const auto& entry : fs::directory_iterator(folder / "simulated/runs")) {
    const std::string id = entry.path().filename();
    const auto real =
        run_program(mpirun(processes, {folder / "scenario.json", "--point", id, "--out", folder / "real"}));
    INFO(id << ' ' << real.err);
    REQUIRE(real.exit_code == 0);
    const fs::path of_real = folder / "real/runs" / id;
    CHECK(read_cells(of_real / "history.csv").size() == 4);  // rounds 2, 4 and 5
    for (const char* file : {"history.csv", "workers.csv"}) {
      CHECK(timeless(read_cells(of_real / file)) == timeless(read_cells(entry.path() / file)));
    }
    CHECK(read_cells(of_real / "links.csv") == Table{read_cells(entry.path() / "links.csv").front()});
    const json run = read_json_file(of_real / "run.json");
    const json of_simulated = read_json_file(entry.path() / "run.json");
    CHECK(run["outcome"] == "completed");
    CHECK(run["provenance"]["clock"] == "real");
    CHECK(of_simulated["provenance"]["clock"] == "simulated");
    CHECK(run["memory"] == of_simulated["memory"]);
    CHECK(run["summary"]["paper_bytes_per_round"] == of_simulated["summary"]["paper_bytes_per_round"]);

    const double seconds = run["summary"]["simulated_seconds"];
    const Table workers_table = read_cells(of_real / "workers.csv");
    for (std::size_t row = 1; row < workers_table.size(); ++row) {
      double sum = 0;
      for (int column = 2; column < 5; ++column) {
        const double part = std::stod(workers_table[row][static_cast<std::size_t>(column)]);
        CHECK(part >= 0);
        sum += part;
      }
      CHECK(sum == Approx(seconds));
    }
    ++runs;
  }
  CHECK(runs == document["sweep"]["/protocol"].size());
  CHECK(read_cells(folder / "real/runs.csv").size() == runs + 1);
}

// Whose messages are of another kind with four workers than with two, ...
const json protocols_of_four = {
    {{"kind", "data_parallel"}, {"aggregate", "ring"}},
    {{"kind", "data_parallel"}, {"aggregate", "tree"}, {"overlap", false}},
    {{"kind", "data_parallel"}, {"aggregate", "sharded"}},
    {{"kind", "data_parallel"}, {"aggregate", "ring_chunked"}, {"chunk", "100B"}},
    {{"kind", "data_parallel"}, {"aggregate", "hierarchical"}, {"group_size", 2}},
    {{"kind", "data_parallel"}, {"compression", {{"kind", "top_k"}}}},
    {{"kind", "data_parallel"}, {"aggregate", "sharded"}, {"compression", {{"kind", "qsgd"}}}},
    {{"kind", "local_sgd"}, {"local_steps", 7}, {"compression", {{"kind", "perm_k"}}}},
    {{"kind", "noloco"}, {"local_steps", 7}},
    {{"kind", "d_psgd"}, {"graph", "ring"}},
    {{"kind", "ist"}, {"local_steps", 7}, {"exchange", "server"}},
    {{"kind", "ist"}, {"local_steps", 7}, {"exchange", "sharded"}},
    {{"kind", "ist"}, {"local_steps", 7}, {"holders", 3}},
    {{"kind", "subnet_data_parallel"}, {"holders", 3}},
    {{"kind", "hist"}, {"local_steps", 2}, {"averages", 3}, {"group_size", 2}},
    {{"kind", "hierarchical_local_sgd"}, {"local_steps", 2}, {"averages", 3}, {"group_size", 2}}};

// ... and all others.
const json protocols_of_two = {{{"kind", "data_parallel"}, {"bucket", "100B"}, {"first_bucket", "10B"}},
                               {{"kind", "data_parallel"}, {"aggregate", "server"}},
                               {{"kind", "data_parallel"}, {"compression", {{"kind", "majority_vote"}}}},
                               {{"kind", "data_parallel"}, {"compression", {{"kind", "demo"}, {"kept", 3}}}},
                               {{"kind", "data_parallel"}, {"compression", {{"kind", "power_sgd"}}}},
                               {{"kind", "local_sgd"}, {"local_steps", 7}},
                               {{"kind", "local_sgd"}, {"local_steps", 7}, {"slow_momentum", 0.5}},
                               {{"kind", "post_local_sgd"}, {"local_steps", 7}, {"switch_at", 0.2}},
                               {{"kind", "diloco"}, {"local_steps", 7}},
                               {{"kind", "streaming_diloco"}, {"local_steps", 7}, {"layers_per_fragment", 1}},
                               {{"kind", "streaming_diloco"},
                                {"local_steps", 7},
                                {"layers_per_fragment", 2},
                                {"delay", 0},
                                {"overlap", true}},
                               {{"kind", "d_psgd"}, {"graph", "one_peer_exponential"}, {"mix", "beside"}},
                               {{"kind", "sparta"}, {"share", 0.3}},
                               {{"kind", "ist"}, {"local_steps", 7}, {"compression", {{"kind", "int8"}}}}};

const json narrow_protocols = {
    {{"kind", "data_parallel"}, {"wire_format", "fp16"}},
    {{"kind", "ist"}, {"local_steps", 7}, {"exchange", "sharded"}, {"wire_format", "bf16"}}};

const json residual_protocols = {{{"kind", "resist"}, {"local_steps", 3}, {"exchange", "peer"}},
                                 {{"kind", "resist"}, {"local_steps", 3}, {"exchange", "server"}}};

json residual_scenario(int workers) {
  json result = scenario(workers, residual_protocols);
  result["data"] = {
      {"set", "synthetic"}, {"shape", {1, 8, 8}}, {"classes", 4}, {"samples", 400}, {"test_samples", 100}};
  result["model"] = {{"kind", "resnet"}, {"sections", {1, 3, 5}}, {"widths", {8, 8, 8}}};
  return result;
}

}  // namespace

TEST_CASE("dense networks train alike in two real processes and in the simulator") {
  check_same(scenario(2, protocols_of_two), 2);
}

TEST_CASE("dense networks train alike in four real processes and in the simulator") {
  check_same(scenario(4, protocols_of_four), 4);
}

TEST_CASE("federated averaging, SCAFFOLD and HeteroFL train alike in real processes and in the simulator") {
  check_same(scenario(3, json::array({{{"kind", "fedavg"}, {"local_steps", 7}, {"clients", 2}},
                                      {{"kind", "scaffold"}, {"local_steps", 7}},
                                      {{"kind", "heterofl"}, {"local_steps", 7}, {"widths", {1, 0.5}}}})),
             4);
}

TEST_CASE("asynchronous protocols train in real processes, and all they bring is counted") {
  const json protocols = {{{"kind", "async_sgd"}, {"servers", 2}},
                          {{"kind", "async_local_sgd"}, {"local_steps", 7}, {"steps_by_speed", true}},
                          {{"kind", "fedbuff"}, {"local_steps", 7}, {"buffer", 2}, {"concurrency", 1}},
                          {{"kind", "quorum"}, {"local_steps", 7}, {"quorum", 1}},
                          {{"kind", "easgd"}, {"local_steps", 7}},
                          {{"kind", "async_ist"}, {"local_steps", 7}}};
  const TemporaryFolder folder;
  const json document = scenario(2, protocols);
  write_text(folder / "scenario.json", document.dump());
  for (std::size_t i = 0; i < protocols.size(); ++i) {
    const std::string id = std::to_string(i) + "-" + protocols[i]["kind"].get<std::string>();
    const int servers = protocols[i].value("servers", 1);
    const auto real =
        run_program(mpirun(2 + servers, {folder / "scenario.json", "--point", id, "--out", folder / "real"}));
    INFO(id << ' ' << real.err);
    REQUIRE(real.exit_code == 0);
    const fs::path files = folder / "real/runs" / id;
    const json run = read_json_file(files / "run.json");
    CHECK(run["outcome"] == "completed");
    CHECK(run["summary"]["final_test_accuracy"] > 0.5);
    CHECK(run["summary"]["lost_samples"] >= 0);
    CHECK(run["summary"]["staleness_mean"] >= 0);
    CHECK(read_cells(files / "history.csv").size() == 4);  // rounds 2, 4 and 5
    CHECK(read_cells(files / "workers.csv").size() == static_cast<std::size_t>(3 + servers));
    CHECK(read_cells(files / "workers.csv").back().back() == "server");
  }
}

TEST_CASE("momentum is averaged alike in real processes and in the simulator") {
  json document =
      scenario(3, json::array({{{"kind", "local_sgd"}, {"local_steps", 7}, {"slow_momentum", 0.5}},
                               {{"kind", "post_local_sgd"}, {"local_steps", 7}}}));
  document["training"]["optimizer_state"] = "average";
  check_same(document, 3);
}

TEST_CASE("narrow numbers travel alike in real processes and in the simulator") {
  check_same(scenario(3, narrow_protocols), 3);
}

TEST_CASE("ResIST trains alike in real processes and in the simulator") {
  const int workers = GENERATE(2, 4);
  check_same(residual_scenario(workers), workers);
}

TEST_CASE("where costs are counted, devices take the time that the platform says and messages their size") {
  json document = scenario(2, json::array({{{"kind", "local_sgd"}, {"local_steps", 7}}}));
  document["numerics"] = "costs";
  document["platform"]["speed"] = "10Mf";
  check_same(document, 2);

  const TemporaryFolder folder;
  write_text(folder / "scenario.json", document.dump());
  REQUIRE(run_program(mpirun(2, {folder / "scenario.json", "--out", folder / "out"})).exit_code == 0);
  const Table workers = read_cells(folder / "out/runs/0-local_sgd/workers.csv");
  for (std::size_t row = 1; row < workers.size(); ++row) {
    CHECK(std::stod(workers[row][2]) >= std::stod(workers[row][8]) / 10e6);  // at least: sleeps may be long
  }
}

TEST_CASE("a real send is over when it has been received") {
  const TemporaryFolder folder;
  const auto result = run_program(mpirun(2, {folder / "file"}, ISTHMUS_RENDEZVOUS));
  INFO(result.err);
  CHECK(result.exit_code == 0);
}

TEST_CASE("what cannot run on real machines is said once, with exit code 2") {
  const TemporaryFolder folder;
  write_text(folder / "scenario.json", scenario(4, protocols_of_four).dump());
  json charged = scenario(2, json::array({{{"kind", "data_parallel"}}}));
  charged["training"]["charge_evaluation"] = true;
  write_text(folder / "charged.json", charged.dump());
  fs::create_directory(folder / "other");
  write_text(folder / "other/file", "something");
  struct Case {
    std::vector<std::string> arguments;
    std::string message;
  };
  const std::vector<Case> cases = {
      {{folder / "scenario.json"},
       "/sweep: the scenario describes " + std::to_string(protocols_of_four.size()) + " runs"},
      {{folder / "scenario.json", "--point", "nothing"}, "--point: no run \"nothing\""},
      {{folder / "charged.json"}, "/training/charge_evaluation: found true"},
      {{folder / "charged.json", "--set", "/training/charge_evaluation=false", "--out", folder / "other"},
       "--out: " + (folder / "other").string() + " holds other files"},
      {{folder / "no.json"}, "no.json"},
  };
  for (const Case& each : cases) {
    const auto result = run_program(mpirun(2, each.arguments), folder.path());
    INFO(result.err);
    CHECK(result.exit_code == 2);
    CHECK(result.out.empty());
    const auto first = result.err.find("isthmus-mpi: ");
    REQUIRE(first != std::string::npos);
    CHECK(result.err.find("isthmus-mpi: ", first + 1) == std::string::npos);
    CHECK(result.err.find(each.message) != std::string::npos);
  }
  const auto processes =
      run_program(mpirun(2, {folder / "charged.json", "--set", "/training/charge_evaluation=false", "--set",
                             "/platform/workers=3"}),
                  folder.path());
  CHECK(processes.exit_code == 2);
  CHECK(processes.err.find("/platform/workers: found 3 workers for 2 MPI processes") != std::string::npos);
  CHECK_FALSE(fs::exists(folder / "results"));
}

TEST_CASE("a real worker without memory ends the run, which says so") {
  json document = scenario(3, json::array({{{"kind", "local_sgd"}, {"local_steps", 7}}}));
  const auto [devices, host, rank] = GENERATE(table<json, std::string, int>(
      {{{{"n-0", {{"memory", "20KiB"}}}}, "n-0", 0}, {{{"n-2", {{"memory", "20KiB"}}}}, "n-2", 2}}));
  document["platform"]["devices"] = devices;
  const TemporaryFolder folder;
  write_text(folder / "scenario.json", document.dump());
  const auto real = run_program(mpirun(3, {folder / "scenario.json", "--out", folder / "real"}));
  INFO(real.err);
  CHECK(real.exit_code == 1);
  const auto simulated =
      run_program({ISTHMUS_SIMULATOR, "run", folder / "scenario.json", "--out", folder / "simulated"});
  REQUIRE(simulated.exit_code == 0);
  const json run = read_json_file(folder / "real/runs/0-local_sgd/run.json");
  const json expected = read_json_file(folder / "simulated/runs/0-local_sgd/run.json");
  CHECK(run["outcome"] == "out_of_memory");
  CHECK(run["memory"]["host"] == host);
  CHECK(run["memory"]["rank"] == rank);
  CHECK(run["memory"] == expected["memory"]);
  CHECK(run["message"] == expected["message"]);
}

TEST_CASE("when a real worker is killed the others do not wait for it") {
  json document = scenario(2, json::array({{{"kind", "data_parallel"}}}));
  document["training"]["rounds"] = 100000000;
  const TemporaryFolder folder;
  write_text(folder / "scenario.json", document.dump());
  const pid_t launcher = start_program(mpirun(2, {folder / "scenario.json", "--out", folder / "real"}),
                                       folder / "out", folder / "err");
  // mpirun's children, once they are workers that have trained for a while: mpirun itself may hang when it
  // loses one that is still starting.
  const fs::path children_file =
      "/proc/" + std::to_string(launcher) + "/task/" + std::to_string(launcher) + "/children";
  std::vector<pid_t> workers;
  for (int look = 0; look < 600 && workers.size() < 2; ++look) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    workers.clear();
    std::istringstream children(read_text(children_file));
    for (pid_t child = 0; children >> child;) {
      const std::string command = read_text("/proc/" + std::to_string(child) + "/cmdline");
      if (command.find(ISTHMUS_MPI) == 0 && cpu_seconds(child) > 1) workers.push_back(child);
    }
  }
  REQUIRE(workers.size() == 2);
  kill(workers.back(), SIGKILL);
  int status = 0;
  waitpid(launcher, &status, 0);  // would be stopped by mpirun only after 200 s
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 128 + SIGKILL);
  // It may take a moment until the other one is gone, or waits to be buried.
  const auto runs = [&] {
    const std::string state = read_text("/proc/" + std::to_string(workers.front()) + "/stat");
    return !state.empty() && state.find(") Z ") == std::string::npos;
  };
  for (int look = 0; look < 100 && runs(); ++look)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  CHECK_FALSE(runs());
}
