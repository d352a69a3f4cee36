#include "analysis/report/answer.hpp"

#include <catch2/catch.hpp>

#include "analysis/report/phrases.hpp"
#include "analysis/report/runs_table.hpp"
#include "tests/analysis/study_files.hpp"

using namespace isthmus::analysis;
using Catch::Matchers::Contains;
using isthmus::testing::StudyFolder;
using isthmus::testing::WrittenRun;

namespace answer_test {
namespace {

const Json data_parallel = {{"kind", "data_parallel"}}, ist = {{"kind", "ist"}},
           post_local = {{"kind", "post_local_sgd"}};

struct Result {
  std::optional<double> seconds_to_target;
  bool at_first_test = false;
  double accuracy = 0.85, bytes = 1e9;
};

WrittenRun run(const Json& protocol, const std::string& bandwidth, const Result& result) {
  WrittenRun run;
  run.protocol = protocol;
  run.bandwidth = bandwidth;
  run.seconds_to_target = result.seconds_to_target;
  run.to_target_is_upper_bound = result.at_first_test;
  run.final_test_accuracy = result.accuracy;
  run.link_bytes = {{"up", result.bytes}};
  return run;
}

/// Counts costs only: seconds of the whole run, bytes.
WrittenRun costs(const Json& protocol, int workers, double seconds, double bytes) {
  WrittenRun run;
  run.protocol = protocol;
  run.workers = workers;
  run.target_accuracy.reset();
  run.simulated_seconds = seconds;
  run.link_bytes = {{"up", bytes}};
  return run;
}

std::string text_of(const StudyFolder& folder) {
  std::string text;
  for (const std::string& sentence : answer(read_dataset({folder.path()})).sentences) text += sentence + "\n";
  return text;
}

std::string warnings_of(const StudyFolder& folder) {
  std::string text;
  for (const std::string& warning : reader_warnings(read_dataset({folder.path()}))) text += warning + "\n";
  return text;
}

}  // namespace

TEST_CASE("With a winner on each side the answer names what each costs in accuracy") {
  StudyFolder folder;
  for (const double megabits : {1, 10, 100}) {
    const std::string bandwidth = std::to_string(static_cast<int>(megabits)) + "Mbps";
    folder.add(
        run(data_parallel, bandwidth, {.seconds_to_target = 50 / megabits, .accuracy = 0.87, .bytes = 4e9}));
    folder.add(run(ist, bandwidth, {.seconds_to_target = 2, .accuracy = 0.82, .bytes = 1e8}));
  }
  const std::string text = text_of(folder);
  INFO(text);
  CHECK_THAT(text,
             Contains("IST reaches 80 % test accuracy first at 2 of 3 values of bandwidth, 2.5 to 25 times"));
  CHECK_THAT(text, Contains("Data parallel at 1, 4.0 times as fast as the next"));
  CHECK_THAT(text, Contains("IST is faster below, and Data parallel above, a bandwidth of about 25 Mbps"));
  CHECK_THAT(text, Contains("In the end IST has 82 % test accuracy, 5.0 percentage points less than Data "
                            "parallel; it has sent 100 MB, 40 times less than Data parallel."));
  CHECK_THAT(text, Contains("In the end Data parallel has 87 % test accuracy, the best of all."));
}

TEST_CASE("Equal times are no victory, and who leads together is named together") {
  StudyFolder folder;
  for (const double megabits : {1, 10}) {
    const std::string bandwidth = std::to_string(static_cast<int>(megabits)) + "Mbps";
    folder.add(run(data_parallel, bandwidth, {.seconds_to_target = 1}));
    folder.add(run(post_local, bandwidth, {.seconds_to_target = 1}));
    folder.add(run(ist, bandwidth, {.seconds_to_target = megabits == 1 ? 3 : 1.01}));
  }
  const std::string text = text_of(folder);
  INFO(text);
  CHECK_THAT(text,
             Contains("Data parallel and Post-local SGD reach 80 % test accuracy first, level, at 1 of 2 "
                      "values of bandwidth, 3.0 times as fast as the next"));
  CHECK_THAT(text, Contains("IST, level, at 1. (Level: within 2 %.)"));
  CHECK_THAT(text, !Contains("1.0 times"));
}

TEST_CASE("Differences that chance between seeds explains are no victory") {
  StudyFolder folder;
  const std::vector<double> parallel = {2, 3, 5}, other = {3, 2, 4}, slower = {20, 30, 50};
  for (std::size_t seed = 0; seed < 3; ++seed) {
    const auto add = [&](const Json& protocol, double seconds) {
      WrittenRun each = run(protocol, "1Mbps", {.seconds_to_target = seconds});
      each.seed = static_cast<int>(seed);
      folder.add(each);
    };
    add(data_parallel, parallel[seed]);
    add(post_local, other[seed]);
    add(ist, slower[seed]);
  }
  const std::string text = text_of(folder);
  INFO(text);
  CHECK_THAT(
      text,
      Contains(
          "Post-local SGD (3 s) and Data parallel (3.33 s) reach 80 % test accuracy first, not told apart by "
          "the seeds: 11 times as fast as IST (33.3 s). (Not told apart: seeds"));
}

TEST_CASE("A target met at the first test is an upper bound: no order follows from it") {
  StudyFolder folder;
  SECTION("of the slower one too: nothing is claimed") {
    folder.add(run(data_parallel, "1Mbps", {.seconds_to_target = 59.2, .at_first_test = true}));
    folder.add(run(ist, "1Mbps", {.seconds_to_target = 2.36, .at_first_test = true}));
    const std::string text = text_of(folder);
    INFO(text);
    CHECK_THAT(text,
               Contains("Who reaches 80 % test accuracy first is open: IST (≤ 2.36 s) and Data parallel "
                        "(≤ 59.2 s)."));
    CHECK_THAT(text, Contains("in all 2 runs") && Contains("training.evaluate_every_epochs") &&
                         Contains("raise training.target_accuracy"));
    CHECK_THAT(text, !Contains("as fast as Data") && !Contains("In the end"));
  }
  SECTION("of the faster one: the speed-up is a lower bound") {
    folder.add(run(data_parallel, "1Mbps", {.seconds_to_target = 59}));
    folder.add(run(ist, "1Mbps", {.seconds_to_target = 2.36, .at_first_test = true}));
    CHECK_THAT(text_of(folder),
               Contains("IST reaches 80 % test accuracy first, in ≤ 2.36 s: at least 25 times as "
                        "fast as Data parallel (59 s)."));
  }
  SECTION("of the one that seems slower only: open") {
    folder.add(run(data_parallel, "1Mbps", {.seconds_to_target = 59, .at_first_test = true}));
    folder.add(run(ist, "1Mbps", {.seconds_to_target = 2.36}));
    CHECK_THAT(text_of(folder), Contains("is open: IST (2.36 s) and Data parallel (≤ 59 s)"));
  }
  SECTION("at some settings") {
    for (const char* bandwidth : {"1Mbps", "10Mbps", "100Mbps"}) {
      const bool first = std::string(bandwidth) == "1Mbps";
      folder.add(run(data_parallel, bandwidth, {.seconds_to_target = 59, .at_first_test = first}));
      folder.add(run(ist, bandwidth, {.seconds_to_target = 2.95}));
    }
    const std::string text = text_of(folder);
    INFO(text);
    CHECK_THAT(
        text, Contains("IST reaches 80 % test accuracy first at 2 of 3 values of bandwidth, 20 times as fast "
                       "as the next; at 1 it is open who is first."));
    CHECK_THAT(text, Contains("Data parallel met the target at the first test already, in 1 of 6 runs"));
    CHECK_THAT(warnings_of(folder), Contains("upper bound: Data parallel, 1 run (0-data_parallel)"));
    const Json rows = runs_table(read_dataset({folder.path()}), folder.path()).at("rows");
    CHECK_THAT(rows.dump(), Contains(R"([59.0,"≤ 59 s"])") && !Contains("≤ 2.95"));
  }
}

TEST_CASE("Where only one gets there, that is the answer") {
  StudyFolder folder;
  SECTION("one setting: the others run out of memory") {
    WrittenRun large = run(data_parallel, "1Mbps", {});
    large.outcome = "out_of_memory";
    folder.add(large);
    folder.add(run(ist, "1Mbps", {.seconds_to_target = 12}));
    const std::string text = text_of(folder);
    INFO(text);
    CHECK_THAT(text, Contains("Only IST reaches 80 % test accuracy, in 12 s.") && !Contains("compared"));
  }
  SECTION("at its first test") {
    folder.add(run(data_parallel, "1Mbps", {}));
    folder.add(run(ist, "1Mbps", {.seconds_to_target = 12, .at_first_test = true}));
    CHECK_THAT(text_of(folder), Contains("Only IST reaches 80 % test accuracy, in ≤ 12 s.") &&
                                    Contains("in the only run that met it."));
  }
  SECTION("without a target") {
    WrittenRun large = costs(data_parallel, 2, 10, 1e6);
    large.outcome = "out_of_memory";
    folder.add(large);
    folder.add(costs(ist, 2, 10, 1e6));
    CHECK_THAT(text_of(folder), Contains("Only IST finishes its training, in 10 s. Accuracy was not"));
  }
  SECTION("with some seeds") {
    for (int seed = 1; seed <= 3; ++seed) {
      for (const Json& protocol : {data_parallel, ist}) {
        WrittenRun each = run(protocol, "1Mbps", {});
        each.seed = seed;
        if (protocol == ist && seed > 1) each.seconds_to_target = 3;
        folder.add(each);
      }
    }
    CHECK_THAT(text_of(folder), Contains("Only IST reaches 80 % test accuracy, in 2 of 3 runs."));
  }
  SECTION("with every seed, where another does so with some") {
    for (int seed = 1; seed <= 2; ++seed) {
      for (const Json& protocol : {data_parallel, ist}) {
        WrittenRun each = run(protocol, "1Mbps", {});
        each.seed = seed;
        if (protocol == ist || seed == 1) each.seconds_to_target = 3;
        folder.add(each);
      }
    }
    CHECK_THAT(text_of(folder), Contains("Only IST reaches 80 % test accuracy with every seed, in 3 s."));
  }
  SECTION("at some settings, and nobody at others") {
    for (const int megabits : {1, 10, 100, 1000}) {
      const std::string bandwidth = std::to_string(megabits) + "Mbps";
      folder.add(
          run(data_parallel, bandwidth,
              {.seconds_to_target = megabits == 1000 ? std::optional(1.0) : std::nullopt, .bytes = 4e9}));
      folder.add(run(ist, bandwidth,
                     {.seconds_to_target = megabits > 1 ? std::optional(2.0) : std::nullopt, .bytes = 1e9}));
    }
    const std::string text = text_of(folder);
    INFO(text);
    CHECK_THAT(text,
               Contains("Data parallel reaches 80 % test accuracy first at 1 of 4 values of bandwidth, "
                        "2.0 times as fast as the next; only IST reaches it at 2; at 1 none reaches it."));
    CHECK_THAT(text, Contains("In the end IST has 85 % test accuracy, as much as Data parallel; it has sent "
                              "1 GB, 4.0 times less than Data parallel."));
  }
  SECTION("everywhere") {
    for (const char* bandwidth : {"1Mbps", "10Mbps"}) {
      folder.add(run(data_parallel, bandwidth, {}));
      folder.add(run(ist, bandwidth, {.seconds_to_target = 2}));
    }
    CHECK_THAT(text_of(folder),
               Contains("Only IST reaches 80 % test accuracy at all 2 values of bandwidth."));
  }
  SECTION("and where nobody does") {
    folder.add(run(data_parallel, "1Mbps", {}));
    folder.add(run(ist, "1Mbps", {}));
    CHECK_THAT(text_of(folder), Contains("Neither Data parallel nor IST reaches 80 % test accuracy."));
  }
}

TEST_CASE("Costs only: accuracy was not measured, and what differs between settings is a range") {
  StudyFolder folder;
  for (const int workers : {2, 8}) {
    folder.add(costs(data_parallel, workers, 10.0 * workers, 39e6 * workers));
    folder.add(costs(ist, workers, 10, workers == 2 ? 2e6 : 1e6));
  }
  const std::string text = text_of(folder);
  INFO(text);
  CHECK_THAT(
      text, Contains("IST finishes its training first at all 2 values of workers, 2.0 to 8.0 times as fast"));
  CHECK_THAT(text, Contains("Accuracy was not measured"));
  CHECK_THAT(text, Contains("IST has sent 39 to 310 times less than Data parallel, by setting."));
  CHECK_THAT(text, Contains("All 4 runs fitted into memory."));
  CHECK_THAT(warnings_of(folder), !Contains("seed") && !Contains("chance"));
}

TEST_CASE("Where the winner changes over a stretch of equal times, the stretch is named, not a point in it") {
  StudyFolder folder;
  const std::vector<double> parallel = {4, 3, 3, 1}, other = {2, 3, 3.001, 2};
  for (std::size_t i = 0; i < 4; ++i) {
    const std::string bandwidth = std::vector<std::string>{"1", "10", "100", "1000"}[i] + "Mbps";
    folder.add(run(data_parallel, bandwidth, {.seconds_to_target = parallel[i]}));
    folder.add(run(ist, bandwidth, {.seconds_to_target = other[i]}));
  }
  const std::string text = text_of(folder);
  INFO(text);
  CHECK_THAT(text,
             Contains("IST is faster below, and Data parallel above, a bandwidth of 10 Mbps to 100 Mbps "
                      "(where they are equal)."));
  CHECK_THAT(text, !Contains("about"));
}

TEST_CASE("Costs that are the same name no winner") {
  StudyFolder folder;
  folder.add(costs(data_parallel, 2, 10, 1e6));
  folder.add(costs(post_local, 2, 10, 1e6));
  const std::string text = text_of(folder);
  INFO(text);
  CHECK_THAT(text, Contains("finish their training at the same time. (Level: within 2 %.) Accuracy was not"));
  CHECK_THAT(text, Contains("Data parallel (10 s)") && !Contains("first") && !Contains("times less"));
}

TEST_CASE("Of many runs a caveat names a few, and how many more") {
  StudyFolder folder;
  for (int bandwidth = 1; bandwidth <= 6; ++bandwidth)
    folder.add(run(ist, std::to_string(bandwidth) + "Mbps", {}));
  CHECK_THAT(warnings_of(folder), Contains("IST, 6 runs (0-ist, 1-ist, 2-ist, 3-ist and 2 more)."));
}

TEST_CASE("The table of runs has a column of energy where some run has it") {
  StudyFolder without, with;
  WrittenRun each = costs(ist, 4, 10, 1e9);
  without.add(each);
  each.energy_joules = 1234;
  with.add(each);
  const auto energy = [](const StudyFolder& folder) {
    const Json table = runs_table(read_dataset({folder.path()}), folder.path());
    for (std::size_t i = 0; i < table.at("columns").size(); ++i) {
      if (table.at("columns")[i].at("key") == "energy_joules") return table.at("rows")[0].at("cells")[i];
    }
    return Json("no column");
  };
  CHECK(energy(without) == "no column");
  CHECK(energy(with) == 1234);
}

TEST_CASE("One seed is a caveat where accuracy was measured") {
  StudyFolder folder;
  folder.add(run(ist, "1Mbps", {.seconds_to_target = 1}));
  CHECK_THAT(warnings_of(folder), Contains("one seed"));
}

TEST_CASE("A description is a sentence before the question follows") {
  CHECK(as_sentence("Three protocols") == "Three protocols.");
  CHECK(as_sentence("Which one?") == "Which one?");
  CHECK(as_sentence("Three protocols. \n") == "Three protocols.");
  CHECK(as_sentence("").empty());
}

}  // namespace answer_test
