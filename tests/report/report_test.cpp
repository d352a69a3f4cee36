// isthmus report, as its readers get it: in a browser, without network.

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <regex>
#include <set>

#include "tests/cli/program.hpp"
#include "tests/report/synthetic_study.hpp"
#include "tests/report/tools.hpp"

using namespace isthmus::testing;
using Catch::Matchers::Contains;
using nlohmann::json;

namespace report_test {
namespace {

/// What HTML shows and what scripts must not mistake.
constexpr const char* hostile_name =
    "<b>slow</b> & \"fast\" </script><script>document.title='!'</script> {{data}} <!--";

SyntheticStudy small_synthetic() {
  SyntheticStudy study;
  study.bandwidths_megabits = {1, 10, 100, 1000};
  study.latencies_milliseconds = {1, 100};
  study.seeds = 2;
  study.evaluations = 12;
  return study;
}

/// The page's data, as its script reads it.
json data_of(const std::string& html) {
  const std::string begin = "<script type=\"application/json\" id=\"data\">";
  const std::size_t from = html.find(begin) + begin.size();
  return json::parse(html.substr(from, html.find("</script>", from) - from));
}

std::string shown_text(const std::string& html) {
  return std::regex_replace(html.substr(0, html.find("<script")), std::regex("&nbsp;"), " ");
}

}  // namespace

TEST_CASE("a report works in a browser without network, in light, dark, narrow and print") {
  if (!have({"node", "chromium"})) return;
  const TemporaryFolder folder;
  SyntheticStudy study = small_synthetic();
  study.name = hostile_name;
  study.with_traces = true;
  study.write(folder / "study");
  const ProgramResult written = run_program({"report", folder / "study"});
  INFO(written.err);
  REQUIRE(written.exit_code == 0);
  const BrowserResult browser = open_in_browser(folder / "study/report.html");
  INFO(browser.problems);
  REQUIRE(browser.exit_code == 0);
  const json measured = json::parse(browser.measured);
  CHECK(measured.at("rows") == 4 * 2 * 2 * 4);
  CHECK(measured.at("protocols") == 4);
  CHECK(measured.at("figures").get<int>() >= 6);
  CHECK(measured.at("title") == hostile_name);
}

TEST_CASE("a report of a thousand runs stays small and works") {
  const TemporaryFolder folder;
  SyntheticStudy study;
  study.bandwidths_megabits = {1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 300, 500, 1000, 2000};
  study.latencies_milliseconds = {1, 3, 10, 30, 100, 300};
  study.evaluations = 50;
  study.write(folder / "study");
  REQUIRE(run_program({"report", folder / "study", "--out", folder / "report.html"}).exit_code == 0);
  CHECK(fs::file_size(folder / "report.html") < 20'000'000);
  CHECK(data_of(read_text(folder / "report.html")).at("runs").at("rows").size() == 14 * 6 * 3 * 4);
}

TEST_CASE("a report says what the runs say") {
  const TemporaryFolder folder;
  SyntheticStudy study = small_synthetic();
  study.with_traces = true;
  study.write(folder / "the study");
  REQUIRE(run_program({"report", folder / "the study", "--out", folder / "pages/report.html"}).exit_code ==
          0);
  const std::string html = read_text(folder / "pages/report.html");
  const std::string text = shown_text(html);
  CHECK_THAT(text, Contains("Which of Data parallel, Local SGD"));
  CHECK_THAT(text, Contains("&lt;slow&gt;") && !Contains("<slow>"));
  CHECK_THAT(text, Contains("reaches 80 % test accuracy first"));
  CHECK_THAT(text, Contains("did not fit into memory") && Contains("24 GiB") && Contains("16 GiB"));
  CHECK_THAT(text, Contains("only 2 runs (seeds)"));
  CHECK_THAT(html, Contains("isthmus run synthetic.json") && Contains("instruction set avx2"));

  const json data = data_of(html);
  const json& runs = data.at("runs");
  std::size_t trace = 0;
  while (runs.at("columns").at(trace).at("key") != "trace") ++trace;
  for (const json& row : runs.at("rows")) {
    const std::string link = row.at("cells").at(trace);
    CHECK(link == "../the%20study/runs/" + row.at("cells").at(0).get<std::string>() + "/trace.json");
  }
}

TEST_CASE("the answer counts wins as the files have them") {
  const TemporaryFolder folder;
  small_synthetic().write(folder / "study");
  json study = read_json_file(folder / "study/study.json");
  study["scenario"]["description"] = "No full stop";
  write_text(folder / "study/study.json", study.dump());
  REQUIRE(run_program({"report", folder / "study"}).exit_code == 0);
  // Time to target by network, protocol and seed; protocols with a run that has none are out.
  std::map<std::string, std::map<std::string, std::map<int, double>>> times;
  std::set<std::pair<std::string, std::string>> out;
  for (const auto& entry : fs::directory_iterator(folder / "study/runs")) {
    const json run = read_json_file(entry.path() / "run.json");
    const json& platform = run.at("configuration").at("platform");
    const std::string network =
        platform.at("bandwidth").get<std::string>() + platform.at("latency").get<std::string>();
    const std::string protocol = run.at("configuration").at("protocol").dump();
    const json& time = run.at("summary").at("seconds_to_target");
    if (time.is_null()) {
      out.insert({network, protocol});
    } else {
      times[network][protocol][run.at("configuration").at("training").at("seed")] = time;
    }
  }
  // A win is one with both seeds, and by more than 2 %.
  std::map<std::string, int> wins;
  int not_told_apart = 0;
  for (const auto& [network, by_protocol] : times) {
    std::string winner;
    for (const auto& [protocol, seconds] : by_protocol) {
      bool ahead_of_all = !out.contains({network, protocol});
      for (const auto& [other, others_seconds] : by_protocol) {
        if (other == protocol || out.contains({network, other})) continue;
        const double first = std::log(others_seconds.begin()->second / seconds.begin()->second),
                     second = std::log(others_seconds.rbegin()->second / seconds.rbegin()->second);
        ahead_of_all = ahead_of_all && first > 0 && second > 0 && first + second > 2 * 0.02;
      }
      if (ahead_of_all) winner = protocol;
    }
    winner.empty() ? ++not_told_apart : ++wins[winner];
  }
  REQUIRE(wins.size() == 2);
  const int ist = wins.at(R"({"kind":"ist","local_steps":20})");
  const int local_sgd = wins.at(R"({"kind":"local_sgd","local_steps":20})");
  const std::string text = shown_text(read_text(folder / "study/report.html"));
  CHECK_THAT(text, Contains("No full stop. Which of Data parallel"));
  REQUIRE(not_told_apart == 1);
  CHECK_THAT(text, Contains("not told apart by the seeds, at 1, "));
  if (ist > local_sgd) {
    CHECK_THAT(text, Contains("IST reaches 80 % test accuracy first at " + std::to_string(ist) +
                              " of 8 combinations"));
    CHECK_THAT(text, Contains("Local SGD (local steps 20) at " + std::to_string(local_sgd) + ","));
  } else {
    CHECK_THAT(text, Contains("first at " + std::to_string(local_sgd) + " of 8 combinations"));
    CHECK_THAT(text, Contains("IST at " + std::to_string(ist) + ","));
  }
  // Closed form: with the seed that does not wobble, IST and local SGD tie between 10 and 100 Mbps at 1 ms.
  CHECK_THAT(text,
             Contains("IST is faster below, and Local SGD (local steps 20) above, a bandwidth of about"));
}

TEST_CASE("reports name no address but Perfetto's, and load nothing") {
  const TemporaryFolder folder;
  small_synthetic().write(folder / "study");
  REQUIRE(run_program({"report", folder / "study"}).exit_code == 0);
  const std::string html = read_text(folder / "study/report.html");
  CHECK_THAT(html,
             Contains("default-src 'none'") && !Contains("src=\"http") && !Contains("<link rel=\"style"));
}

TEST_CASE("without Node a report has all, and figures say what to install") {
  const TemporaryFolder folder, empty;
  small_synthetic().write(folder / "study");
  const std::string path = std::getenv("PATH");
  setenv("PATH", empty.path().c_str(), 1);
  const ProgramResult report = run_program({"report", folder / "study"});
  const ProgramResult plot = run_program({"plot", folder / "study", "--figure", "accuracy-time"});
  const ProgramResult data_only = run_program({"plot", folder / "study", "--formats", ""});
  setenv("PATH", path.c_str(), 1);
  CHECK(report.exit_code == 0);
  CHECK_THAT(shown_text(read_text(folder / "study/report.html")),
             Contains("reaches 80 % test accuracy first"));
  CHECK(plot.exit_code == 1);
  CHECK_THAT(plot.err, Contains("make figures"));
  CHECK(fs::exists(folder / "study/figures/accuracy-time.vl.json"));
  CHECK(fs::exists(folder / "study/figures/accuracy-time.csv"));
  CHECK(data_only.exit_code == 0);
}

TEST_CASE("a report can be written into the folder where one is") {
  const TemporaryFolder folder;
  small_synthetic().write(folder / "study");
  const ProgramResult result = run_program({"report", "study", "--out", "study.html"}, folder.path());
  INFO(result.err);
  CHECK(result.exit_code == 0);
  const json runs = data_of(read_text(folder / "study.html")).at("runs");
  CHECK_THAT(runs.dump(), Contains("\"study/runs/"));
}

TEST_CASE("a device in the place of a file is written to and not replaced") {
  const TemporaryFolder folder;
  small_synthetic().write(folder / "study");
  fs::create_symlink("/dev/null", folder / "null");
  CHECK(run_program({"report", folder / "study", "--out", folder / "null"}).exit_code == 0);
  CHECK(fs::is_symlink(folder / "null"));
}

TEST_CASE("what a killed report or plot left is swept by the next, and nothing else") {
  const TemporaryFolder folder;
  const fs::path study = folder / "study";
  small_synthetic().write(study);
  const pid_t killed = fork();
  if (killed == 0) _exit(0);
  waitpid(killed, nullptr, 0);
  const auto left = [](const std::string& file, const std::string& by) {
    return file + "." + by + ".partial";
  };
  const std::string gone = std::to_string(killed), alive = std::to_string(getpid());
  fs::create_directory(study / "figures");
  for (const std::string file : {"report.html", "figures/memory.csv"})
    for (const std::string& by : {gone, alive, std::string("mine")})
      write_text(study / left(file, by), "half");
  REQUIRE(run_program({"report", study}).exit_code == 0);
  REQUIRE(run_program({"plot", study, "--formats", "", "--figure", "memory"}).exit_code == 0);
  for (const std::string file : {"report.html", "figures/memory.csv"}) {
    INFO(file);
    CHECK(fs::exists(study / file));
    CHECK_FALSE(fs::exists(study / left(file, gone)));
    CHECK(fs::exists(study / left(file, alive)));
    CHECK(fs::exists(study / left(file, "mine")));
  }
}

TEST_CASE("broken, partial and mixed folders are shown as far as they can be") {
  const TemporaryFolder folder;
  small_synthetic().write(folder / "study");
  SECTION("nothing there") {
    for (const char* command : {"report", "plot"}) {
      CHECK(run_program({command, folder / "nowhere"}).exit_code == 2);
      CHECK_THAT(run_program({command, folder / "nowhere"}).err, Contains("there is no such folder"));
      CHECK_THAT(run_program({command, folder / "study/study.json"}).err,
                 Contains("expected the folder of a study"));
    }
    fs::create_directory(folder / "empty");
    const ProgramResult empty = run_program({"report", folder / "empty"});
    CHECK(empty.exit_code == 2);
    CHECK_THAT(empty.err, Contains("no finished run here"));
    CHECK(!fs::exists(folder / "empty/report.html"));
  }
  SECTION("one run is broken, one lacks a file") {
    write_text(folder / "study/runs/1-local_sgd/run.json", "{\"id\": ");
    fs::remove(folder / "study/runs/2-ist/history.csv");
    const ProgramResult result = run_program({"report", folder / "study"});
    CHECK(result.exit_code == 0);
    CHECK_THAT(result.err, Contains("1-local_sgd") && Contains("2-ist"));
    const std::string html = read_text(folder / "study/report.html");
    CHECK_THAT(shown_text(html), Contains("1-local_sgd/run.json") && Contains("2-ist/history.csv"));
    CHECK(data_of(html).at("runs").at("rows").size() == 63);
  }
  SECTION("no study.json") {
    fs::remove(folder / "study/study.json");
    CHECK(run_program({"report", folder / "study"}).exit_code == 0);
    CHECK_THAT(shown_text(read_text(folder / "study/report.html")), Contains("study.json"));
  }
  SECTION("two studies") {
    SyntheticStudy other = small_synthetic();
    other.name = "other";
    other.with_out_of_memory = false;
    other.write(folder / "other");
    REQUIRE(run_program({"report", folder / "study", folder / "other", "--out", folder / "both.html"})
                .exit_code == 0);
    const json data = data_of(read_text(folder / "both.html"));
    CHECK(data.at("runs").at("rows").size() == 64 + 48);
    CHECK_THAT(shown_text(read_text(folder / "both.html")), Contains("<h1>synthetic and other</h1>"));
  }
}

}  // namespace report_test
