// `isthmus collective`: figures against formulas written out here, and what it says of bad arguments.

#include <catch2/catch.hpp>

#include "tests/cli/program.hpp"

using namespace isthmus::testing;
using Catch::Matchers::Contains;
using nlohmann::json;

namespace collective_test {
namespace {

std::vector<std::string> collective(std::vector<std::string> more) {
  std::vector<std::string> arguments = {"collective", "--platform", source_path("platforms/star-8.xml")};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

json measured(std::vector<std::string> more) {
  more.push_back("--json");
  const ProgramResult result = run_program(collective(more));
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  return json::parse(result.out);
}

}  // namespace

TEST_CASE("collective: seconds, bandwidths and bytes of a ring") {
  const json document = measured({"--kind", "all_reduce", "--algorithm", "ring", "--bytes", "8MB,80kB",
                                  "--workers", "8", "--bandwidth", "1Gbps", "--latency", "10ms"});
  CHECK(document["workers"] == 8);
  REQUIRE(document["results"].size() == 2);
  const json& row = document["results"][0];
  const double seconds = 14 * (10e-3 + 1e6 / 125e6);
  CHECK(row["bytes"] == 8000000);
  CHECK(row["simulated_seconds"].get<double>() == Approx(seconds));
  CHECK(row["closed_form_seconds"].get<double>() == Approx(seconds));
  CHECK(row["algorithm_bandwidth_bytes_per_second"].get<double>() == Approx(8e6 / seconds));
  CHECK(row["bus_bandwidth_bytes_per_second"].get<double>() == Approx(8e6 / seconds * 14 / 8));
  CHECK(row["bytes_sent"] == 14 * 8000000);
  CHECK(row["messages_sent"] == 14 * 8);
  CHECK(row["busiest_link"]["bytes"] == 14 * 1000000);
  CHECK(row["busiest_link"]["utilization"].get<double>() == Approx(14 * 1e6 / 125e6 / seconds));
}

TEST_CASE("collective: goodput and overheads are what was stated") {
  const auto seconds = [](std::vector<std::string> more) {
    std::vector<std::string> arguments = {"--kind",      "broadcast", "--algorithm", "tree",
                                          "--bytes",     "2896kB",    "--workers",   "8",
                                          "--bandwidth", "100Mbps",   "--latency",   "5ms"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const json row = measured(arguments)["results"][0];
    CHECK(row["simulated_seconds"].get<double>() == Approx(row["closed_form_seconds"].get<double>()));
    return row["simulated_seconds"].get<double>();
  };
  const double transfer = 2896e3 / 12.5e6;
  CHECK(seconds({}) == Approx(3 * (5e-3 + transfer)));
  CHECK(seconds({"--mtu", "1500B"}) == Approx(3 * (5e-3 + transfer * 1538 / 1448)));
  CHECK(seconds({"--mtu", "1500B", "--frame-overhead", "14B"}) ==
        Approx(3 * (5e-3 + transfer * 1514 / 1448)));
  CHECK(seconds({"--goodput", "0.5"}) == Approx(3 * (5e-3 + transfer * 2)));
  CHECK(seconds({"--message-overhead", "1ms"}) == Approx(3 * (6e-3 + transfer)));
  CHECK(seconds({"--collective-overhead", "7ms"}) == Approx(7e-3 + 3 * (5e-3 + transfer)));
  CHECK(seconds({"--flows", "4"}) == Approx(3 * (5e-3 + transfer)));
}

TEST_CASE("collective: a TCP window bounds each flow, so that more of them are faster") {
  const auto seconds = [](const std::string& flows) {
    return measured({"--kind", "broadcast", "--algorithm", "server", "--bytes", "100MB", "--workers", "2",
                     "--bandwidth", "10Gbps", "--latency", "50ms", "--network", "lv08", "--flows",
                     flows})["results"][0]["simulated_seconds"]
        .get<double>();
  };
  const double start = 13.01 * 50e-3, one = seconds("1");
  CHECK(one > 2);
  CHECK(seconds("4") - start == Approx((one - start) / 4).epsilon(1e-3));
}

TEST_CASE("collective: bad arguments end in one line that says what is allowed") {
  const auto error = [](std::vector<std::string> more) {
    const ProgramResult result = run_program(collective(more));
    CHECK(result.exit_code == 2);
    CHECK(result.out.empty());
    CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
    return result.err;
  };
  CHECK_THAT(error({"--algorithm", "ring", "--bytes", "1MB"}), Contains("--kind is missing"));
  CHECK_THAT(error({"--kind", "allreduce", "--algorithm", "ring", "--bytes", "1MB"}),
             Contains("--kind") && Contains("all_reduce, broadcast"));
  CHECK_THAT(error({"--kind", "all_to_all", "--algorithm", "ring", "--bytes", "1MB"}),
             Contains("--algorithm") && Contains("pairwise"));
  CHECK_THAT(error({"--kind", "reduce", "--algorithm", "tree", "--bytes", "1"}), Contains("--bytes"));
  CHECK_THAT(error({"--kind", "reduce", "--algorithm", "tree", "--bytes", "2B"}),
             Contains("less than one value"));
  CHECK_THAT(error({"--kind", "reduce", "--algorithm", "tree", "--bytes", "1MB", "--workers", "9"}),
             Contains("workers") && Contains("8"));
  CHECK_THAT(error({"--kind", "reduce", "--algorithm", "tree", "--bytes", "1MB", "--goodput", "1.5"}),
             Contains("goodput"));
  CHECK_THAT(error({"--kind", "reduce", "--algorithm", "tree", "--bytes", "1MB", "--mtu", "40B"}),
             Contains("mtu") && Contains("52B"));
}

TEST_CASE("aggregate auto takes what is fastest on the network at hand, and says so") {
  const TemporaryFolder folder;
  const auto chosen = [&](const std::string& bandwidth, const std::string& latency) {
    const json scenario = {
        {"name", "auto"},
        {"platform",
         {{"file", source_path("platforms/star-8.xml")},
          {"workers", 8},
          {"bandwidth", bandwidth},
          {"latency", latency}}},
        {"data",
         {{"set", "synthetic"}, {"dimensions", 64}, {"classes", 4}, {"samples", 640}, {"test_samples", 8}}},
        {"model", {{"kind", "mlp"}, {"hidden", {256}}}},
        {"training", {{"rounds", 2}}},
        {"numerics", "costs"},
        {"protocol", {{"kind", "data_parallel"}, {"aggregate", "auto"}}}};
    write_text(folder / "auto.json", scenario.dump());
    const fs::path out = folder / (bandwidth + latency);
    const ProgramResult result = run_program({"run", folder / "auto.json", "--out", out});
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    for (const auto& run : fs::directory_iterator(out / "runs")) {
      const json document = read_json_file(run.path() / "run.json");
      CHECK(document["configuration"]["protocol"]["aggregate"] == "auto");
      const std::string name = document["chosen"]["aggregate"];
      CHECK_THAT(run_program({"check", folder / "auto.json"}).out, Contains("auto: " + name));
      // The clock is that of the algorithm that was chosen.
      json named = scenario;
      named["protocol"]["aggregate"] = name;
      write_text(folder / "named.json", named.dump());
      const fs::path again = folder / (bandwidth + latency + "-named");
      REQUIRE(run_program({"run", folder / "named.json", "--out", again}).exit_code == 0);
      for (const auto& other : fs::directory_iterator(again / "runs"))
        CHECK(read_json_file(other.path() / "run.json")["summary"]["simulated_seconds"] ==
              document["summary"]["simulated_seconds"]);
      return name;
    }
    return std::string();
  };
  // 72 kB in all, 9 kB slices: by latency alone two steps win, by bandwidth what fills every link.
  CHECK(chosen("10Gbps", "100ms") == "sharded");
  CHECK(chosen("1Mbps", "10us") == "ring_chunked");
}

TEST_CASE("a scenario's all-reduce takes what it takes alone, with the same chunks") {
  const TemporaryFolder folder;
  const auto in_scenario = [&](const json& options) {
    json scenario = {
        {"name", "chunks"},
        {"platform",
         {{"file", source_path("platforms/star-8.xml")},
          {"workers", 8},
          {"bandwidth", "100Mbps"},
          {"latency", "1ms"}}},
        {"data",
         {{"set", "synthetic"}, {"dimensions", 64}, {"classes", 8}, {"samples", 640}, {"test_samples", 8}}},
        {"model", {{"kind", "mlp"}, {"hidden", {1000}}, {"batch_norm", false}}},
        {"training", {{"rounds", 1}}},
        {"numerics", "costs"},
        {"protocol", {{"kind", "data_parallel"}, {"aggregate", "ring_chunked"}}}};
    scenario["protocol"].update(options);
    write_text(folder / "chunks.json", scenario.dump());
    const fs::path out = folder / ("run" + std::to_string(std::hash<std::string>()(scenario.dump())));
    const ProgramResult result = run_program({"run", folder / "chunks.json", "--out", out});
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    const json run = read_json_file(fs::directory_iterator(out / "runs")->path() / "run.json");
    for (const char* option : {"chunk", "chunks_in_flight"}) {  // defaults, too, are in what was run
      CHECK(run["configuration"]["protocol"].contains(option));
    }
    return run["summary"]["simulated_seconds"].get<double>();
  };
  const auto alone = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments = {"--kind",      "all_reduce", "--algorithm", "ring_chunked",
                                          "--bytes",     "292032B",    "--workers",   "8",
                                          "--bandwidth", "100Mbps",    "--latency",   "1ms"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return measured(arguments)["results"][0]["simulated_seconds"].get<double>();
  };
  // What remains is the step's compute, the same whatever the chunks.
  const double compute = in_scenario(json::object()) - alone({});
  CHECK(compute > 0);
  const double small = alone({"--chunk", "500B", "--in-flight", "2"});
  CHECK(in_scenario({{"chunk", "500B"}, {"chunks_in_flight", 2}}) - compute == Approx(small).epsilon(1e-9));
  const double many = alone({"--chunk", "4kB", "--in-flight", "16"});
  CHECK(in_scenario({{"chunk", "4kB"}, {"chunks_in_flight", 16}}) - compute == Approx(many).epsilon(1e-9));
  CHECK(small > 1.5 * many);
}

}  // namespace collective_test
