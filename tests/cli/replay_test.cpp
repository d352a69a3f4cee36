// Studies that train once and replay, that are killed, that share a store, that run out of disk.

#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <map>
#include <random>
#include <set>
#include <thread>
#include <tuple>

#include "tests/cli/program.hpp"

using namespace isthmus::testing;
using Catch::Matchers::Contains;
using nlohmann::json;

namespace replay_test {
namespace {

/// The small study on several networks: four trajectories, sixteen runs.
json network_study(const std::string& name) {
  json scenario = small_study(name);
  scenario["sweep"]["/platform/bandwidth"] = {"1Mbps", "1Gbps"};
  scenario["sweep"]["/platform/latency"] = {"1ms", "100ms"};
  return scenario;
}

std::map<std::string, int> numerics_of(const fs::path& study) {
  std::map<std::string, int> counts;
  for (const auto& run : fs::directory_iterator(study / "runs")) {
    ++counts[read_json_file(run.path() / "run.json").at("provenance").at("numerics")];
  }
  return counts;
}

std::vector<pid_t> children_of(pid_t parent) {
  const std::string id = std::to_string(parent);
  std::istringstream list(read_text("/proc/" + id + "/task/" + id + "/children"));
  std::vector<pid_t> children;
  for (pid_t child = 0; list >> child;) children.push_back(child);
  return children;
}

/// Starts the program, kills it or one of its children after a while, and waits until it has ended.
void start_and_kill(const std::vector<std::string>& command, const fs::path& scratch, std::mt19937& random) {
  const pid_t program = start_program(command, scratch / "out", scratch / "err");
  std::this_thread::sleep_for(std::chrono::milliseconds(std::uniform_int_distribution(20, 900)(random)));
  const std::vector<pid_t> children = children_of(program);
  const bool child = !children.empty() && std::bernoulli_distribution(0.5)(random);
  kill(child ? children[random() % children.size()] : program, SIGKILL);
  waitpid(program, nullptr, 0);
}

}  // namespace

TEST_CASE("what a study replays is what it would have trained") {
  const TemporaryFolder folder;
  write_text(folder / "scenario.json", network_study("replayed").dump());
  const std::string scenario = folder / "scenario.json";
  const ProgramResult live =
      run_program({"run", scenario, "--out", folder / "live", "--trace", "--no-replay"});
  REQUIRE(live.exit_code == 0);
  CHECK(numerics_of(folder / "live") == std::map<std::string, int>{{"live", 16}});

  const ProgramResult replayed = run_program({"run", scenario, "--out", folder / "replayed", "--trace",
                                              "--jobs", "3", "--trajectories", folder / "store"});
  REQUIRE(replayed.exit_code == 0);
  CHECK_THAT(replayed.out, Contains("4 runs trained, 12 replayed a trajectory"));
  CHECK(numerics_of(folder / "replayed") == std::map<std::string, int>{{"live", 4}, {"replayed", 12}});
  CHECK(comparable_files(folder / "replayed") == comparable_files(folder / "live"));

  // Another study finds everything in the store; what is damaged there is trained anew.
  const auto stored = fs::recursive_directory_iterator(folder / "store");
  int damaged = 0;
  for (const auto& entry : stored) {
    if (entry.path().extension() != ".cbor" || damaged++ > 0) continue;
    std::string bytes = read_text(entry.path());
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] + 1);
    write_text(entry.path(), bytes);
  }
  CHECK(damaged == 4);
  REQUIRE(run_program(
              {"run", scenario, "--out", folder / "second", "--trace", "--trajectories", folder / "store"})
              .exit_code == 0);
  CHECK(numerics_of(folder / "second") == std::map<std::string, int>{{"live", 1}, {"replayed", 15}});
  CHECK(comparable_files(folder / "second") == comparable_files(folder / "live"));
}

TEST_CASE("a trajectory serves whatever does not change its numbers, and nothing else") {
  const TemporaryFolder folder;
  json scenario = small_study("key");
  scenario.erase("sweep");
  scenario["protocol"] = {{"kind", "local_sgd"}, {"local_steps", 7}};
  const auto numerics = [&](const json& changes) {
    static int number = 0;
    json changed = scenario;
    changed.merge_patch(changes);
    write_text(folder / "scenario.json", changed.dump());
    const fs::path out = folder / ("out-" + std::to_string(++number));
    REQUIRE(run_program({"run", folder / "scenario.json", "--out", out}).exit_code == 0);
    return numerics_of(out).begin()->first;
  };
  CHECK(numerics(json::object()) == "live");
  CHECK(numerics(json::object()) == "replayed");
  const json harmless[] = {{{"name", "other"}},
                           {{"platform", {{"speed", "1Gf"}, {"memory", "1GiB"}}}},
                           {{"platform", {{"file", source_path("platforms/two-sites.xml").string()}}}},
                           {{"network", {{"model", "lv08"}}}},
                           {{"training", {{"target_accuracy", 0.9}, {"charge_evaluation", true}}}},
                           {{"data", {{"in_memory", false}}}}};
  for (const json& change : harmless) {
    INFO(change.dump());
    CHECK(numerics(change) == "replayed");
  }
  const json harmful[] = {{{"platform", {{"workers", 2}}}},    {{"training", {{"seed", 2}}}},
                          {{"training", {{"batch", 8}}}},      {{"training", {{"epochs", 2}}}},
                          {{"data", {{"samples", 1000}}}},     {{"model", {{"hidden", {19, 17}}}}},
                          {{"data", {{"split", "shared"}}}},   {{"training", {{"momentum", 0.5}}}},
                          {{"protocol", {{"local_steps", 8}}}}};
  for (const json& change : harmful) {
    INFO(change.dump());
    CHECK(numerics(change) == "live");
  }
}

TEST_CASE("a trajectory of one's own data goes by what is in the files, not by where they are") {
  const TemporaryFolder folder;
  json scenario = small_study("own");
  scenario.erase("sweep");
  scenario["protocol"] = {{"kind", "local_sgd"}, {"local_steps", 7}};
  scenario["training"]["epochs"] = 1;
  std::string rows = "a,b,label\n";
  for (int i = 0; i < 90; ++i)
    rows +=
        std::to_string(i % 3 * 10 + i % 7) + "," + std::to_string(i % 5) + "," + std::to_string(i % 3) + "\n";
  for (const char* copy : {"here", "there"}) {
    fs::create_directory(folder / copy);
    write_text(folder / copy / "train.csv", rows);
    write_text(folder / copy / "test.csv", "a,b,label\n3,1,0\n12,2,1\n22,4,2\n");
  }
  const auto numerics = [&](const json& data) {
    static int number = 0;
    scenario["data"] = data;
    scenario["data"]["set"] = "files";
    write_text(folder / "scenario.json", scenario.dump());
    const fs::path out = folder / ("out-" + std::to_string(++number));
    const ProgramResult result =
        run_program({"run", folder / "scenario.json", "--out", out, "--trajectories", folder / "store"});
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    return numerics_of(out).begin()->first;
  };
  CHECK(numerics({{"path", "here"}}) == "live");
  CHECK(numerics({{"path", "there"}}) == "replayed");
  CHECK(numerics({{"path", "here"}, {"shape", {1, 1, 2}}}) == "live");
  CHECK(numerics({{"path", "here"}, {"classes", 5}}) == "live");
  write_text(folder / "there/test.csv", "a,b,label\n3,1,0\n12,2,1\n22,4,1\n");
  CHECK(numerics({{"path", "there"}}) == "live");
  CHECK(numerics({{"path", "here"}}) == "replayed");
}

TEST_CASE("a sweep over chunks and overlap trains once") {
  const TemporaryFolder folder;
  json scenario = small_study("chunks");
  scenario["protocol"] = {{"kind", "data_parallel"}, {"aggregate", "ring_chunked"}, {"bucket", "1kB"}};
  scenario["sweep"] = {{"/protocol/chunk", {"100B", "1kB", "1MiB"}}, {"/protocol/overlap", {true, false}}};
  write_text(folder / "scenario.json", scenario.dump());
  const std::string file = folder / "scenario.json";
  CHECK_THAT(run_program({"check", file}).out, Contains("6 runs of 1 distinct trajectory"));
  REQUIRE(run_program({"run", file, "--out", folder / "live", "--no-replay"}).exit_code == 0);
  REQUIRE(
      run_program({"run", file, "--out", folder / "once", "--trajectories", folder / "store"}).exit_code ==
      0);
  CHECK(numerics_of(folder / "once") == std::map<std::string, int>{{"live", 1}, {"replayed", 5}});
  CHECK(comparable_files(folder / "once") == comparable_files(folder / "live"));
}

TEST_CASE("whatever is killed, and when: the same command ends in the same files") {
  const TemporaryFolder folder;
  json scenario = network_study("killed");
  scenario["training"]["epochs"] = 40;
  write_text(folder / "scenario.json", scenario.dump());
  const std::string file = folder / "scenario.json";
  REQUIRE(run_program({"run", file, "--out", folder / "undisturbed", "--no-replay"}).exit_code == 0);

  std::mt19937 random(4);
  const std::vector<std::string> command = {
      "run",           file,   "--out",          folder / "killed", "--jobs", "2",
      "--state-every", "0.05", "--trajectories", folder / "store"};
  std::map<std::string, fs::file_time_type> finished;
  for (int time = 0; time < 20; ++time) {
    start_and_kill(command, folder.path(), random);
    for (const auto& [run, written] : finished) {
      INFO(run << " was finished");
      CHECK(fs::last_write_time(folder / "killed/runs" / run / "run.json") == written);
    }
    finished.clear();
    if (!fs::exists(folder / "killed/runs")) continue;
    for (const auto& run : fs::directory_iterator(folder / "killed/runs")) {
      const fs::path report = run.path() / "run.json";
      if (run.path().extension() == ".partial" || !fs::exists(report)) continue;
      if (read_json_file(report).at("outcome") == "completed") {
        finished[run.path().filename().string()] = fs::last_write_time(report);
      }
    }
  }
  const ProgramResult result = run_program(command);
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(comparable_files(folder / "killed") == comparable_files(folder / "undisturbed"));
}

TEST_CASE("two studies that train the same at once do not disturb each other") {
  const TemporaryFolder folder;
  write_text(folder / "scenario.json", network_study("twice").dump());
  const std::string file = folder / "scenario.json";
  REQUIRE(run_program({"run", file, "--out", folder / "alone", "--no-replay"}).exit_code == 0);
  const auto start = [&](const std::string& out) {
    return start_program({"run", file, "--out", folder / out, "--trajectories", folder / "store"},
                         folder / (out + ".out"), folder / (out + ".err"));
  };
  const pid_t first = start("first"), second = start("second");
  for (const pid_t program : {first, second}) {
    int status = 0;
    waitpid(program, &status, 0);
    CHECK(status == 0);
  }
  CHECK(comparable_files(folder / "first") == comparable_files(folder / "alone"));
  CHECK(comparable_files(folder / "second") == comparable_files(folder / "alone"));
  CHECK(numerics_of(folder / "first")["live"] + numerics_of(folder / "second")["live"] == 4);  // each once
}

TEST_CASE("one study, one program: a second one is refused") {
  const TemporaryFolder folder;
  json scenario = network_study("busy");
  scenario["training"]["epochs"] = 400;
  write_text(folder / "scenario.json", scenario.dump());
  const std::vector<std::string> command = {"run", folder / "scenario.json", "--out", folder / "out"};
  const pid_t first = start_program(command, folder / "stdout", folder / "stderr");
  while (!fs::exists(folder / "out/study.json")) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const ProgramResult second = run_program(command);
  CHECK(second.exit_code == 2);
  CHECK_THAT(second.err, Contains("another isthmus run is at work"));
  kill(first, SIGKILL);
  waitpid(first, nullptr, 0);
}

TEST_CASE("chosen runs can be carried out alone, and the study put together later") {
  const TemporaryFolder folder;
  write_text(folder / "scenario.json", small_study("parts").dump());
  const std::string file = folder / "scenario.json", out = folder / "out";
  REQUIRE(run_program({"run", file, "--out", out, "--only", "1-local_sgd,3-ist"}).exit_code == 0);
  CHECK(numerics_of(out) == std::map<std::string, int>{{"live", 2}});
  CHECK(!fs::exists(folder / "out/runs.csv"));
  const ProgramResult whole = run_program({"run", file, "--out", out});
  CHECK(whole.exit_code == 0);
  CHECK_THAT(whole.out, Contains("2 of 4 runs were finished before"));
  const ProgramResult unknown = run_program({"run", file, "--out", out, "--only", "9-ist"});
  CHECK(unknown.exit_code == 2);
  CHECK_THAT(unknown.err,
             Contains("--only: this study has no run \"9-ist\"; its runs are 0-data_parallel to 3-ist"));
}

TEST_CASE("a run that fails is recorded, the rest goes on, and --retry-failed tries again") {
  const TemporaryFolder folder;
  // The middle one of three hosts goes off after a while.
  write_text(folder / "off", "0.0 1\n0.0005 0\n");
  const std::string hosts =
      R"(<host id="a" speed="50Gf"/><host id="b" speed="50Gf" STATE/><host id="c" speed="50Gf"/>
    <link id="l" bandwidth="1Gbps" latency="1us"/><route src="a" dst="b"><link_ctn id="l"/></route>
    <route src="a" dst="c"><link_ctn id="l"/></route><route src="b" dst="c"><link_ctn id="l"/></route>)";
  const auto platform = [&](const std::string& name, const std::string& state) {
    std::string body = hosts;
    body.replace(body.find("STATE"), 5, state);
    write_text(folder / name,
               R"(<?xml version='1.0'?><!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
      <platform version="4.1"><zone id="z" routing="Full">)" +
                   body + "</zone></platform>");
  };
  platform("good.xml", "");
  platform("bad.xml", R"(state_file="off")");
  json scenario = small_study("fails");
  scenario["platform"] = {{"file", "good.xml"}, {"workers", 3}};
  scenario["sweep"] = {
      {"/platform/file", {"good.xml", "bad.xml"}},
      {"/protocol", {{{"kind", "data_parallel"}}, {{"kind", "local_sgd"}, {"local_steps", 7}}}}};
  write_text(folder / "scenario.json", scenario.dump());
  const std::vector<std::string> command = {"run", folder / "scenario.json", "--out", folder / "out"};
  const ProgramResult result = run_program(command);
  CHECK(result.exit_code == 1);
  std::map<std::string, int> outcomes;
  std::string failed;
  for (const auto& run : fs::directory_iterator(folder / "out/runs")) {
    const json report = read_json_file(run.path() / "run.json");
    ++outcomes[report.at("outcome")];
    if (report.at("outcome") != "failed") continue;
    failed = run.path() / "run.json";
    CHECK(report.at("message").is_string());
  }
  REQUIRE(outcomes["failed"] >= 1);
  CHECK(outcomes["completed"] >= 2);
  const auto written = fs::last_write_time(failed);
  CHECK(run_program(command).exit_code == 1);
  CHECK(fs::last_write_time(failed) == written);
  auto retry = command;
  retry.push_back("--retry-failed");
  CHECK(run_program(retry).exit_code == 1);
  CHECK(fs::last_write_time(failed) > written);
  // The platform is part of what a run was: with another one it is run again.
  platform("bad.xml", "");
  CHECK(run_program(command).exit_code == 0);
}

TEST_CASE("a full disk ends a study with one clear error, and it goes on when there is space") {
  const TemporaryFolder folder;
  fs::create_directory(folder / "disk");
  const fs::path disk = folder / "disk";
  if (mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=256k") != 0) {
    WARN("skipped: mounting a small file system is not allowed here");
    return;
  }
  write_text(folder / "scenario.json", network_study("full").dump());
  const std::string file = folder / "scenario.json";
  REQUIRE(run_program({"run", file, "--out", folder / "undisturbed", "--no-replay"}).exit_code == 0);
  write_text(disk / "ballast", std::string(200 * 1024, 'x'));
  const std::vector<std::string> command = {"run",         file, "--out", disk / "out", "--trajectories",
                                            disk / "store"};
  const ProgramResult full = run_program(command);
  CHECK(full.exit_code == 1);
  CHECK_THAT(full.err, Contains("No space left on device"));
  CHECK(std::ranges::count(full.err, '\n') == 1);
  fs::remove(disk / "ballast");
  REQUIRE(mount("tmpfs", disk.c_str(), "tmpfs", MS_REMOUNT, "size=16m") == 0);
  const ProgramResult result = run_program(command);
  INFO(result.err);
  CHECK(result.exit_code == 0);
  CHECK(comparable_files(disk / "out") == comparable_files(folder / "undisturbed"));
  umount(disk.c_str());
}

TEST_CASE("who does not wait for others learns something else on every network, who is asked to does not") {
  const TemporaryFolder folder;
  const json fedavg = {{"kind", "fedavg"}, {"clients", 2}}, none = json::array(),
             once = {{{"host", "n-1"}, {"at_seconds", 0.01}, {"for_seconds", 0.05}}};
  for (const auto& [protocol, faults, trained] :
       {std::tuple{json{{"kind", "async_sgd"}}, none, 3}, {fedavg, none, 1}, {fedavg, once, 3}}) {
    json scenario = small_study("timing");
    scenario["protocol"] = protocol;
    scenario["platform"]["faults"] = faults;
    scenario["sweep"] = {{"/platform/bandwidth", {"1Mbps", "10Mbps", "1Gbps"}}};
    const std::string name = protocol["kind"].get<std::string>() + (faults.empty() ? "" : "-faults"),
                      file = folder / (name + ".json");
    write_text(file, scenario.dump());
    const std::string count = "3 runs of " + std::to_string(trained) + " distinct traject";
    CHECK_THAT(run_program({"check", file, "--trajectories", folder / "store"}).out, Contains(count));
    REQUIRE(
        run_program({"run", file, "--out", folder / name, "--trajectories", folder / "store"}).exit_code ==
        0);
    int live = 0;
    std::set<std::string> histories;
    for (const auto& run : fs::directory_iterator(folder / name / "runs")) {
      live += read_json_file(run.path() / "run.json")["provenance"]["numerics"] == "live" ? 1 : 0;
      histories.insert(read_cells(run.path() / "history.csv").back().at(6));  // test loss
    }
    CHECK(live == trained);
    if (trained == 1) CHECK(histories.size() == 1);
  }
}

TEST_CASE("check counts trajectories, says which are stored, and how long the rest will take") {
  const TemporaryFolder folder;
  write_text(folder / "scenario.json", network_study("estimated").dump());
  const std::string file = folder / "scenario.json", store = folder / "store";
  const ProgramResult before = run_program({"check", file, "--trajectories", store});
  CHECK(before.exit_code == 0);
  CHECK_THAT(before.out, Contains("Study of 16 runs of 4 distinct trajectories; training takes about "));
  CHECK_THAT(before.out, Contains("a round takes"));
  REQUIRE(run_program({"run", file, "--out", folder / "out", "--trajectories", store}).exit_code == 0);
  const ProgramResult after = run_program({"check", file, "--trajectories", store, "--all"});
  CHECK_THAT(after.out, Contains("4 distinct trajectories, 4 of them stored; simulating takes about "));
  CHECK_THAT(after.out, !Contains("training takes"));
}

}  // namespace replay_test
