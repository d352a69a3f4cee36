#include <catch2/catch.hpp>
#include <fstream>

#include "analysis/csv.hpp"
#include "analysis/study/dataset.hpp"
#include "tests/analysis/study_files.hpp"

using namespace isthmus::analysis;
using Catch::Matchers::Contains;
using isthmus::testing::StudyFolder;
using isthmus::testing::write_text;
using isthmus::testing::WrittenRun;

namespace reading_test {
namespace {

std::string joined(const std::vector<std::string>& warnings) {
  std::string text;
  for (const std::string& warning : warnings) text += warning + '\n';
  return text;
}

WrittenRun run_of(const std::string& kind, const std::string& bandwidth, int seed) {
  WrittenRun run;
  run.protocol = {{"kind", kind}};
  run.bandwidth = bandwidth;
  run.seed = seed;
  run.seconds_to_target = 3;
  run.history = {{1, 1, 100, 0.5}, {2, 2, 200, 0.8}};
  return run;
}

}  // namespace

TEST_CASE("CSV: what is written reads back") {
  isthmus::Csv csv({"a", "b"});
  csv.row({"plain", 0.1}).row({"with, \"quotes\"\nand lines", nullptr});
  const auto rows = isthmus::read_csv(csv.text());
  REQUIRE(rows.size() == 3);
  CHECK(rows[1] == std::vector<std::string>{"plain", "0.1"});
  CHECK(rows[2] == std::vector<std::string>{"with, \"quotes\"\nand lines", ""});
}

TEST_CASE("Quantities with units become SI numbers, and back") {
  const auto value = [](const char* text) { return parse_quantity(text)->value; };
  CHECK(value("100Mbps") == Approx(1e8));
  CHECK(value("12.5MBps") == Approx(1e8));
  CHECK(value("10 ms") == Approx(0.01));
  CHECK(value("50us") == Approx(5e-5));
  CHECK(value("2s") == Approx(2));
  CHECK(value("16GiB") == Approx(17179869184.0));
  CHECK(value("5Gf") == Approx(5e9));
  CHECK_FALSE(parse_quantity("cosine"));
  CHECK_FALSE(parse_quantity("100"));
  CHECK_FALSE(parse_quantity("5Mbq"));
  CHECK(format_quantity(1e8, Unit::bits_per_second) == "100 Mbps");
  CHECK(format_quantity(0.01, Unit::seconds) == "10 ms");
  CHECK(format_quantity(5e-5, Unit::seconds) == "50 µs");
  CHECK(format_quantity(17179869184.0, Unit::memory) == "16 GiB");
  CHECK(format_quantity(8e9, Unit::memory) == "7.45 GiB");
  // A size that was given in powers of two stays so; one in powers of ten, too, though 1024 divides it.
  CHECK(format_quantity(26214400, Unit::bytes) == "25 MiB");
  CHECK(format_quantity(512e6, Unit::bytes) == "512 MB");
  CHECK(format_quantity(1e12, Unit::bytes) == "1 TB");
}

TEST_CASE("A whole study reads without warnings") {
  StudyFolder folder;
  folder.add(run_of("ist", "10Mbps", 1));
  const Study study = read_study(folder.path());
  INFO(joined(study.warnings));
  CHECK(study.warnings.empty());
  CHECK(study.name == "made-up");
  REQUIRE(study.runs.size() == 1);
  const Run& run = study.runs[0];
  CHECK(run.completed());
  REQUIRE(run.history.size() == 2);
  CHECK(run.history[1].samples == 200);
  CHECK(run.history[1].test_accuracy == 0.8);
  CHECK_FALSE(run.history[1].train_loss);
  REQUIRE(run.workers.size() == 2);
  CHECK(run.workers[1].communication_seconds == 5);
  CHECK_FALSE(run.workers[1].memory_limit_bytes);
  REQUIRE(run.links.size() == 2);
  CHECK(run.links[0].bytes == 1000);
  CHECK(run.summary_number("seconds_to_target") == 3);
}

TEST_CASE("Broken and partial studies: what can be read is, what cannot is named") {
  StudyFolder folder;
  const auto good = folder.add(run_of("ist", "10Mbps", 1));
  const auto bad = folder.add(run_of("ist", "20Mbps", 1));

  SECTION("a run.json cut short") {
    write_text(bad / "run.json", "{\"id\": \"1-i");
    const Study study = read_study(folder.path());
    CHECK(study.runs.size() == 1);
    CHECK_THAT(joined(study.warnings), Contains((bad / "run.json").string() + " is not complete JSON"));
  }
  SECTION("a run.json that is something else") {
    write_text(bad / "run.json", "[1, 2]");
    CHECK(read_study(folder.path()).runs.size() == 1);
    write_text(bad / "run.json", R"({"outcome": 7, "summary": [], "configuration": "x"})");
    const Study study = read_study(folder.path());
    REQUIRE(study.runs.size() == 2);
    CHECK(study.runs[1].outcome == "failed");
    CHECK_THAT(joined(study.warnings), Contains("\"summary\"") && Contains("\"configuration\""));
  }
  SECTION("a missing run.json") {
    std::filesystem::remove(bad / "run.json");
    const Study study = read_study(folder.path());
    CHECK(study.runs.size() == 1);
    CHECK_THAT(joined(study.warnings), Contains((bad / "run.json").string() + " is missing"));
  }
  SECTION("a history.csv with a last line cut short, and a word among numbers") {
    write_text(bad / "history.csv",
               "round,local_steps,samples,simulated_seconds,bytes_sent,train_loss,test_loss,test_accuracy\n"
               "1,1,1,1,1,,,0.5\n2,1,");
    const Study cut = read_study(folder.path());
    CHECK(cut.runs[1].history.size() == 1);
    CHECK_THAT(joined(cut.warnings), Contains((bad / "history.csv").string() + ": row 2 has 3 cells"));
    write_text(bad / "history.csv",
               "round,local_steps,samples,simulated_seconds,bytes_sent,train_loss,test_loss,test_accuracy\n"
               "1,1,1,soon,1,,,0.5\n");
    const Study wrong = read_study(folder.path());
    CHECK(wrong.runs[1].history.empty());
    CHECK_THAT(joined(wrong.warnings), Contains("simulated_seconds") && Contains("\"soon\""));
  }
  SECTION("missing, empty and foreign CSV files") {
    std::filesystem::remove(bad / "workers.csv");
    write_text(bad / "links.csv", "");
    write_text(bad / "history.csv", "apples,pears\n1,2\n");
    const Study study = read_study(folder.path());
    CHECK(study.runs.size() == 2);
    CHECK_THAT(joined(study.warnings), Contains("workers.csv is missing") && Contains("links.csv is empty") &&
                                           Contains("history.csv has no column round"));
  }
  SECTION("an unfinished run, and one that only runs.csv knows") {
    std::filesystem::rename(bad, bad.string() + ".partial");
    const Study study = read_study(folder.path());
    CHECK(study.runs.size() == 1);
    CHECK_THAT(joined(study.warnings), Contains(".partial is unfinished") && Contains("lists run 1-ist"));
  }
  SECTION("study.json missing, or without an end") {
    std::filesystem::remove(folder.path() / "study.json");
    CHECK_THAT(joined(read_study(folder.path()).warnings), Contains("study.json is missing"));
    write_text(folder.path() / "study.json", R"({"name": "x", "end": null})");
    const Study study = read_study(folder.path());
    CHECK(study.runs.size() == 2);
    CHECK(study.name == "x");
    CHECK_THAT(joined(study.warnings), Contains("interrupted"));
  }
  SECTION("no runs, no study, no folder") {
    std::filesystem::remove_all(folder.path() / "runs");
    CHECK_THAT(joined(read_study(folder.path()).warnings), Contains("no run of this study is finished"));
    CHECK_THAT(joined(read_study(folder.path().parent_path()).warnings), Contains("is no study"));
    CHECK_THAT(joined(read_study(folder.path() / "nowhere").warnings), Contains("is missing"));
    CHECK_THAT(joined(read_study(folder.path() / "study.json").warnings), Contains("is no folder"));
  }
  SECTION("the folder of a single run") {
    CHECK_THAT(joined(read_study(good).warnings), Contains("single run"));
  }
}

TEST_CASE("Runs are sorted by what was swept, seeds are repetitions") {
  StudyFolder folder;
  for (const char* bandwidth : {"100Mbps", "10Mbps", "1Gbps"}) {
    for (const char* kind : {"data_parallel", "ist"}) {
      for (int seed = 1; seed <= 2; ++seed) folder.add(run_of(kind, bandwidth, seed));
    }
  }
  const Dataset data = read_dataset({folder.path()});
  CHECK(data.series() == std::vector<std::string>{"Data parallel", "IST"});
  REQUIRE(data.axes().size() == 1);
  CHECK(data.axes()[0].key == "/platform/bandwidth");
  CHECK(data.axes()[0].column == "bandwidth_bits_per_second");
  CHECK(data.axes()[0].values == std::vector<Json>{1e7, 1e8, 1e9});
  CHECK(data.axes()[0].logarithmic());
  CHECK(data.axes()[0].label(1e8) == "100 Mbps");
  REQUIRE(data.groups().size() == 6);
  for (const Group& group : data.groups()) CHECK(group.n() == 2);

  const Dataset by_bandwidth = read_dataset({folder.path()}, {.series = "/platform/bandwidth", .labels = {}});
  CHECK(by_bandwidth.series() == std::vector<std::string>{"10 Mbps", "100 Mbps", "1 Gbps"});
  REQUIRE(by_bandwidth.axes().size() == 1);
  CHECK(by_bandwidth.axes()[0].key == "protocol");
  CHECK_THROWS_WITH(read_dataset({folder.path()}, {.series = "/no/such", .labels = {}}),
                    Contains("/no/such") && Contains("/platform/bandwidth"));
}

TEST_CASE("Labels of protocols name the options that differ, and can be changed") {
  StudyFolder folder;
  WrittenRun run = run_of("ist", "10Mbps", 1);
  for (const char* exchange : {"server", "sharded"}) {
    for (const int steps : {5, 20}) {
      run.protocol = {{"kind", "ist"}, {"local_steps", steps}, {"exchange", exchange}, {"partition", "even"}};
      folder.add(run);
    }
  }
  folder.add(run_of("local_sgd", "10Mbps", 1));
  CHECK(read_dataset({folder.path()}).series() ==
        std::vector<std::string>{"IST (server, local steps 5)", "IST (server, local steps 20)",
                                 "IST (sharded, local steps 5)", "IST (sharded, local steps 20)",
                                 "Local SGD"});
  const Dataset renamed =
      read_dataset({folder.path()}, {.series = "", .labels = {{"ist", "Ours"}, {"Local SGD", "Averaging"}}});
  CHECK(renamed.series().front() == "Ours (server, local steps 5)");
  CHECK(renamed.series().back() == "Averaging");
}

TEST_CASE("A name that the sweep gives to a protocol is its label") {
  StudyFolder folder;
  const auto run = folder.add(run_of("ist", "10Mbps", 1));
  Json json = Json::parse(std::ifstream(run / "run.json"));
  json["labels"] = {{"/protocol", "subnets, often"}};
  write_text(run / "run.json", json.dump());
  const Dataset data = read_dataset({folder.path()});
  CHECK(data.series() == std::vector<std::string>{"subnets, often"});
  CHECK(data.kind_of("subnets, often") == "ist");
}

TEST_CASE("What is swept together is one axis") {
  StudyFolder folder;
  for (const auto& [bandwidth, latency] :
       {std::pair("1Mbps", "50ms"), std::pair("10Mbps", "10ms"), std::pair("1Gbps", "1ms")}) {
    WrittenRun run = run_of("ist", bandwidth, 1);
    run.latency = latency;
    folder.add(run);
  }
  const Dataset data = read_dataset({folder.path()});
  REQUIRE(data.axes().size() == 1);
  CHECK(data.axes()[0].key == "/platform/bandwidth");
  CHECK(data.axis("latency").values.size() == 3);
}

TEST_CASE("Several studies: the same point twice is told apart by study, others are put together") {
  StudyFolder a("first"), b("second");
  a.add(run_of("ist", "10Mbps", 1));
  b.add(run_of("data_parallel", "10Mbps", 1));
  CHECK(read_dataset({a.path(), b.path()}).axes().empty());
  CHECK(read_dataset({a.path(), b.path()}).groups().size() == 2);

  b.add(run_of("ist", "10Mbps", 1));
  const Dataset data = read_dataset({a.path(), b.path()});
  REQUIRE(data.axes().size() == 1);
  CHECK(data.axes()[0].key == "study");
  CHECK(data.axes()[0].values == std::vector<Json>{"first", "second"});
  CHECK(data.groups().size() == 3);
}

}  // namespace reading_test
