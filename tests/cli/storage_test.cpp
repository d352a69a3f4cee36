// Files that cannot be written, that are half written, that somebody has changed or removed: a study says so,
// keeps what was well, and the same command goes on.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstring>
#include <set>
#include <thread>

#include "sim/process/tool.hpp"
#include "tests/cli/program.hpp"

using namespace isthmus::testing;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using nlohmann::json;

namespace storage_test {
namespace {

/// Trains in hundredths of a second; two runs of one trajectory.
json tiny_study(const std::string& name) {
  json scenario = small_study(name);
  scenario["platform"]["workers"] = 2;
  scenario["data"] = {
      {"set", "synthetic"}, {"dimensions", 8}, {"classes", 3}, {"samples", 64}, {"test_samples", 32}};
  scenario["model"]["hidden"] = {4};
  scenario["training"] = {{"batch", 8}, {"epochs", 3}, {"learning_rate", 0.05}};
  scenario["protocol"] = {{"kind", "data_parallel"}};
  scenario["sweep"] = {{"/platform/bandwidth", {"1Mbps", "1Gbps"}}};
  return scenario;
}

/// A study in a folder of its own, with its own store.
struct Place {
  TemporaryFolder folder;
  fs::path data = folder / "data", out = data / "out", store = data / "store";
  std::vector<std::string> command = {"run",
                                      folder / "scenario.json",
                                      "--out",
                                      out,
                                      "--trajectories",
                                      store,
                                      "--state-every",
                                      "0",
                                      "--jobs",
                                      "1",
                                      "--threads",
                                      "1"};

  explicit Place(const json& scenario) {
    write_text(folder / "scenario.json", scenario.dump());
    fs::create_directory(data);
  }
  ProgramResult run() const { return run_program(command); }
  void clear() const {
    fs::remove_all(data);
    fs::create_directory(data);
  }
};

using Files = std::vector<std::pair<std::string, std::string>>;

std::set<std::string> outcomes_in(const fs::path& study) {
  std::set<std::string> outcomes;
  if (!fs::exists(study / "runs")) return outcomes;
  for (const auto& run : fs::directory_iterator(study / "runs")) {
    if (run.path().extension() != ".partial")
      outcomes.insert(read_json_file(run.path() / "run.json").at("outcome"));
  }
  return outcomes;
}

int partial_files_in(const fs::path& folder) {
  int count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    count += entry.path().extension() == ".partial";
  return count;
}

/// A fault in one of the calls of the program and its children that change files (faults/faults.cpp). Returns
/// how many there were.
long with_fault(const fs::path& folder, const std::string& kind, long at, const std::function<void()>& work) {
  const TemporaryFolder scratch;
  write_text(scratch / "count", std::string(sizeof(long), '\0'));
  const std::vector<std::pair<const char*, std::string>> variables = {
      {"LD_PRELOAD", ISTHMUS_FAULTS},   {"ASAN_OPTIONS", "verify_asan_link_order=0"},
      {"FAULT_FOLDER", folder},         {"FAULT_KIND", kind},
      {"FAULT_AT", std::to_string(at)}, {"FAULT_COUNTER", scratch / "count"}};
  for (const auto& [name, value] : variables) setenv(name, value.c_str(), 1);
  work();
  for (const auto& [name, value] : variables) unsetenv(name);
  long count = 0;
  std::memcpy(&count, read_text(scratch / "count").data(), sizeof count);
  return count;
}

void check_trouble(const ProgramResult& result, const std::string& message) {
  INFO(result.err);
  CHECK(result.exit_code == 1);
  CHECK_THAT(result.err, StartsWith("isthmus: ") && Contains(message));
  CHECK(std::ranges::count(result.err, '\n') == 1);
}

}  // namespace

TEST_CASE("whichever call that changes files fails or is the last: the same command ends in the same files") {
  const Place place(tiny_study("faults"));
  const long calls = with_fault(place.data, "once", 0, [&] { REQUIRE(place.run().exit_code == 0); });
  REQUIRE(calls >= 30);
  const Files undisturbed = comparable_files(place.out);
  constexpr int tries = 12;
  int reached = 0;
  for (const std::string kind : {"once", "full", "kill"}) {
    for (int i = 0; i < tries; ++i) {
      const long at = 1 + i * (calls - 1) / (tries - 1);
      INFO(kind << " at call " << at);
      place.clear();
      ProgramResult disturbed;
      // How often a training's state is stored depends on how long that takes: there may be fewer calls now.
      const bool happened = with_fault(place.data, kind, at, [&] { disturbed = place.run(); }) >= at;
      reached += happened ? 1 : 0;
      if (happened && kind != "kill") {
        check_trouble(disturbed, "No space left on device");
        CHECK(outcomes_in(place.out).count("failed") == 0);
      }
      const ProgramResult result = place.run();
      INFO(result.err);
      CHECK(result.exit_code == 0);
      CHECK(comparable_files(place.out) == undisturbed);
      CHECK(partial_files_in(place.data) == 0);
    }
  }
  CHECK(reached >= 3 * (tries - 2));
}

TEST_CASE("what was killed as it first wrote study.json begins anew, and leaves nothing behind") {
  const Place place(tiny_study("leftovers"));
  fs::create_directories(place.out / "runs");
  write_text(place.out / ".lock", "");
  write_text(place.out / "study.json.4242.partial", "{\"name\": \"left");
  CHECK(place.run().exit_code == 0);
  CHECK(partial_files_in(place.out) == 0);
  for (const char* name : {"study.json.4243.partial", "runs.csv.4243.partial"})
    write_text(place.out / name, "half");
  CHECK_THAT(place.run().out, Contains("2 of 2 runs were finished before"));
  CHECK(partial_files_in(place.out) == 0);
}

TEST_CASE("a store on a full disk ends a study and fails none of its runs") {
  const Place place(tiny_study("full-store"));
  for (long at : {1L, 4L, 7L}) {
    ProgramResult full;
    with_fault(place.store, "full", at, [&] { full = place.run(); });
    check_trouble(full, "No space left on device (--trajectories names another store");
    CHECK(outcomes_in(place.out).empty());
  }
  CHECK(place.run().exit_code == 0);
  CHECK(outcomes_in(place.out) == std::set<std::string>{"completed"});
}

TEST_CASE("a limit on the size of files is an error like a full disk") {
  json scenario = tiny_study("limited");
  scenario["model"]["hidden"] = {300};  // so that states are larger than all other files
  const Place place(scenario);
  std::vector<std::string> words = {"-c", "ulimit -f 16; exec \"$@\"", "bash", ISTHMUS_PROGRAM};
  words.insert(words.end(), place.command.begin(), place.command.end());
  const auto limited = isthmus::run_tool("bash", words);
  check_trouble({limited.exit_code, limited.out, limited.err},
                "File too large (a limit on the size of files");
  CHECK(outcomes_in(place.out).empty());
  CHECK(place.run().exit_code == 0);
}

TEST_CASE("a study whose folder is removed under it ends with an error, and can be repeated") {
  json scenario = small_study("removed");
  scenario["training"]["epochs"] = 100;
  const Place place(scenario);
  const pid_t program = start_program(place.command, place.folder / "stdout", place.folder / "stderr");
  while (!fs::exists(place.out / "study.json")) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  fs::remove_all(place.out);
  int status = 0;
  waitpid(program, &status, 0);
  REQUIRE(WIFEXITED(status));
  check_trouble({WEXITSTATUS(status), "", read_text(place.folder / "stderr")},
                "out was removed while the study was at work in it");
  CHECK(place.run().exit_code == 0);
}

TEST_CASE("finished runs that are damaged are run again, and that is said") {
  const Place place(tiny_study("damaged"));
  REQUIRE(place.run().exit_code == 0);
  const Files sound = comparable_files(place.out);
  const fs::path run = place.out / "runs/0-1Mbps";
  const auto check_mended = [&](const std::string& message) {
    INFO(message);
    const ProgramResult result = place.run();
    CHECK(result.exit_code == 0);
    CHECK(result.err == "isthmus: run 0-1Mbps: " + message + "; it was run again\n");
    CHECK_THAT(result.out, Contains("1 of 2 runs were finished before"));
    CHECK(comparable_files(place.out) == sound);
    CHECK(place.run().err.empty());
  };
  for (const std::string file : {"history.csv", "workers.csv", "links.csv"}) {
    fs::remove(run / file);
    check_mended(file + " is missing");
    std::string text = read_text(run / file);
    text[text.find_last_of("0123456789")] ^= 1;
    write_text(run / file, text);
    check_mended(file + " is not as it was written");
  }
  fs::remove(run / "run.json");
  check_mended("run.json is missing");
  write_text(run / "run.json", read_text(run / "run.json").substr(0, 200));
  check_mended("run.json is no complete JSON object");
  for (const char* member : {"labels", "swept", "summary", "provenance", "memory", "files", "outcome"}) {
    for (const json& value : {json(), json(5)}) {
      if (value.is_null() && member == std::string("memory")) continue;  // as it is where a run has failed
      json document = read_json_file(run / "run.json");
      document[member] = value;
      write_text(run / "run.json", document.dump());
      check_mended("run.json is not as it was written");
    }
  }
}

TEST_CASE("a store that is a file is refused before a study begins") {
  const Place place(tiny_study("no-store"));
  write_text(place.store, "");
  for (const std::string store : {place.store, place.store / "below"}) {
    const ProgramResult result =
        run_program({"run", place.folder / "scenario.json", "--out", place.out, "--trajectories", store});
    CHECK(result.exit_code == 2);
    CHECK(result.err ==
          "isthmus: --trajectories: " + place.store.string() + " is a file; expected a folder, new or not\n");
    CHECK_FALSE(fs::exists(place.out));
  }
}

TEST_CASE("without HOME the store is in the user's home all the same") {
  const auto result =
      isthmus::run_tool("env", {"-u", "HOME", "-u", "XDG_CACHE_HOME", ISTHMUS_PROGRAM, "run", "--help"});
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.out,
             Contains("/.cache/isthmus/trajectories") && !Contains(fs::temp_directory_path().string()));
}

}  // namespace storage_test
