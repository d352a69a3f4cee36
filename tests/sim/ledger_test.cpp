// The ledger adds up, and the timeline tells the same.

#include "sim/collectives/all_reduce.hpp"
#include "sim/core/timeline.hpp"
#include "tests/sim/runs.hpp"

using namespace isthmus;
using namespace isthmus::testing;

namespace ledger_test {
namespace {

constexpr double latency = 1e-3, bandwidth = 1e6;  // of the small scenario

std::vector<json> scenarios() {
  const json unequal = {{"workers", 5},
                        {"devices", {{"n-1", {{"speed", "70Mf"}}}, {"n-4", {{"speed", "2Gf"}}}}}};
  std::vector<json> list;
  for (const char* form : {"ring", "tree", "server", "sharded"}) {
    list.push_back(scenario_with(
        {{"platform", unequal}, {"protocol", {{"kind", "data_parallel"}, {"aggregate", form}}}}));
  }
  for (const char* exchange : {"server", "sharded"}) {
    list.push_back(
        scenario_with({{"platform", unequal},
                       {"model", {{"kind", "mlp"}, {"hidden", {23, 19}}}},
                       {"training", {{"rounds", 4}, {"charge_evaluation", true}}},
                       {"protocol", {{"kind", "ist"}, {"local_steps", 3}, {"exchange", exchange}}}}));
  }
  return list;
}

double seconds_of(const json& worker, const char* what) { return worker[what].get<double>(); }

}  // namespace

TEST_CASE("compute, communication and idle time are a worker's whole time") {
  for (const json& scenario : scenarios()) {
    INFO(scenario.dump());
    const json run = complete_scenario(scenario);
    const double end = run["seconds"];
    for (const json& worker : run["workers"]) {
      CHECK_CLOSE(
          seconds_of(worker, "compute") + seconds_of(worker, "communication") + seconds_of(worker, "idle"),
          end);
      CHECK(seconds_of(worker, "idle") >= 0);
    }
    for (const auto& [name, link] : run["links"].items()) {
      INFO(name);
      CHECK(link["busy_seconds"] > 0);
      CHECK(link["busy_seconds"].get<double>() <= end * (1 + 1e-12));
    }
  }
}

TEST_CASE("times also add up when a run ends in the middle of a round") {
  const json run = run_workers(small_scenario(), [](Worker& worker) {
    Communicator& comm = worker.communicator();
    all_reduce_named("ring")->run(comm, Values::phantom(1000));
    if (comm.rank() == 1) throw std::runtime_error("enough");
    comm.receive(1, Values::phantom(1));
    return json();
  });
  CHECK(run["outcome"] == "failed");
  const double end = run["seconds"];
  CHECK_CLOSE(end, all_reduce_named("ring")->seconds(4, 4000, {latency, bandwidth}));
  for (const json& worker : run["workers"]) {
    CHECK_CLOSE(
        seconds_of(worker, "compute") + seconds_of(worker, "communication") + seconds_of(worker, "idle"),
        end);
  }
  for (const json& link : run["links"]) CHECK_CLOSE(link["busy_seconds"].get<double>(), end);
}

TEST_CASE("a link carried the messages that crossed it") {
  for (const json& scenario : scenarios()) {
    const json run = complete_scenario(scenario);
    INFO(scenario.dump());
    std::uint64_t carried = 0;
    for (std::size_t rank = 0; rank < run["workers"].size(); ++rank) {
      // On a star a worker's own link has all it sends one way, all it receives the other.
      const std::string host = run["workers"][rank]["host"], number = host.substr(host.find('-') + 1);
      std::set<std::uint64_t> found;
      for (const auto& [name, link] : run["links"].items()) {
        if (name.find("_link_" + number + "_") == std::string::npos) continue;
        found.insert(link["bytes"].get<std::uint64_t>());
        carried += link["bytes"].get<std::uint64_t>();
      }
      CHECK(found == std::set<std::uint64_t>{run["workers"][rank]["bytes_sent"],
                                             run["workers"][rank]["bytes_received"]});
    }
    CHECK(carried == 2 * total(run, "bytes_sent"));
  }
}

TEST_CASE("the link between two sites carried what a ring sends over it, one message stream each way") {
  json scenario = scenario_with({{"training", {{"rounds", 3}}}});
  scenario["platform"] = {{"file", source_file("platforms/two-sites.xml").string()},
                          {"workers", {"east-0", "east-1", "west-0", "west-1"}}};
  const json run = complete_scenario(scenario);
  std::multiset<std::uint64_t> between;
  for (const auto& [name, link] : run["links"].items()) {
    if (name.find("between") != std::string::npos) between.insert(link["bytes"].get<std::uint64_t>());
  }
  // From east-1 to west-0, and from west-1 around to east-0.
  CHECK(between ==
        std::multiset<std::uint64_t>{run["workers"][1]["bytes_sent"], run["workers"][3]["bytes_sent"]});
}

TEST_CASE("who is twice as fast idles half of the compute time, links are busy in between") {
  json scenario = scenario_with({{"platform", {{"workers", 2}, {"devices", {{"n-0", {{"speed", "500Mf"}}}}}}},
                                 {"training", {{"rounds", 10}}},
                                 {"protocol", {{"kind", "local_sgd"}, {"local_steps", 4}}}});
  const json run = complete_scenario(scenario);
  const Prepared prepared(scenario);
  const double flops = closed_form(prepared.scenario.protocol, prepared.job, {latency, bandwidth}).workers[0].flops;
  const double slow = 10 * flops / 500e6, fast = 10 * flops / 1e9;
  const double communication = 10 * 2 * (latency + 288 * 4 / 2.0 / bandwidth);
  const json &first = run["workers"][0], &second = run["workers"][1];
  CHECK_CLOSE(seconds_of(first, "compute"), slow);
  CHECK_CLOSE(seconds_of(second, "compute"), fast);
  CHECK_CLOSE(seconds_of(first, "communication"), communication);
  CHECK_CLOSE(seconds_of(second, "communication"), communication);
  CHECK(seconds_of(first, "idle") == Approx(0).margin(1e-12));
  CHECK_CLOSE(seconds_of(second, "idle"), slow - fast);
  CHECK_CLOSE(run["seconds"].get<double>(), slow + communication);
  REQUIRE(run["links"].size() == 4);
  for (const json& link : run["links"]) CHECK_CLOSE(link["busy_seconds"].get<double>(), communication);
}

TEST_CASE("overlapping messages make a link busy once") {
  // Rank 0 sends to 1 and 2 at once: its way up is busy until the longer one is through, with both.
  const json run = run_workers(
      scenario_with({{"platform", {{"workers", 3}}}, {"training", {{"rounds", 1}}}}), [](Worker& worker) {
        Communicator& comm = worker.communicator();
        std::vector<Request> requests;
        if (comm.rank() == 0) {
          requests.push_back(comm.start_send(1, Values::phantom(1000)));
          requests.push_back(comm.start_send(2, Values::phantom(3000)));
        } else {
          requests.push_back(comm.start_receive(0, Values::phantom(comm.rank() == 1 ? 1000 : 3000)));
        }
        comm.wait_all(requests);
        return json();
      });
  const double end = latency + 16000 / bandwidth, first = latency + 8000 / bandwidth;
  CHECK_CLOSE(run["seconds"].get<double>(), end);
  CHECK_CLOSE(run["workers"][1]["communication"].get<double>(), first);
  CHECK_CLOSE(run["workers"][1]["idle"].get<double>(), end - first);
  std::multiset<std::uint64_t> bytes;
  for (const json& link : run["links"]) {
    bytes.insert(link["bytes"].get<std::uint64_t>());
    CHECK_CLOSE(link["busy_seconds"].get<double>(), link["bytes"] == 4000 ? first : end);
  }
  CHECK(bytes == std::multiset<std::uint64_t>{4000, 12000, 16000});
}

TEST_CASE("timeline: a Chrome trace whose spans nest, and whose sums are the ledger's") {
  for (const json& scenario : scenarios()) {
    INFO(scenario.dump());
    const json run = complete_scenario(scenario, 1, true);
    const double end = run["seconds"];
    CHECK(run["trace"]["displayTimeUnit"] == "ms");
    std::map<int, std::map<std::string, double>> sums;  // by track and category
    std::map<int, std::vector<double>> open;            // ends of the spans that are open, outer first
    std::map<int, std::string> names;
    std::map<int, double> latest;
    for (const json& event : run["trace"]["traceEvents"]) {
      CHECK(event["pid"] == 1);
      if (event["ph"] == "M") {
        if (event["name"] == "thread_name") names[event["tid"]] = event["args"]["name"];
        continue;
      }
      REQUIRE(event["ph"] == "X");
      const int track = event["tid"];
      const double start = event["ts"], duration = event["dur"];
      CHECK(duration >= 0);
      CHECK(start >= latest[track] - 1e-6);
      latest[track] = start;
      auto& spans = open[track];
      while (!spans.empty() && spans.back() <= start + 1e-6) spans.pop_back();
      if (!spans.empty()) CHECK(start + duration <= spans.back() + 1e-6);
      spans.push_back(start + duration);
      CHECK(spans.size() <= 2);  // a round, and within it one thing at a time
      sums[track][event["cat"]] += duration / 1e6;
    }
    // Data parallel's streams have tracks of their own.
    const bool overlaps = scenario["protocol"]["kind"] == "data_parallel" && run["workers"].size() > 1;
    REQUIRE(names.size() == (overlaps ? 2 : 1) * run["workers"].size());
    for (std::size_t rank = 0; rank < run["workers"].size(); ++rank) {
      const int track = static_cast<int>(rank) + 1;
      const json& worker = run["workers"][rank];
      CHECK(names[track] == std::to_string(rank) + " " + worker["host"].get<std::string>());
      auto& sum = sums[track];
      CHECK_CLOSE(sum["compute"], seconds_of(worker, "compute"));
      CHECK_CLOSE(sum["send"] + sum["receive"] + sum["send and receive"],
                  seconds_of(worker, "communication"));
      // The ledger also counts as idle what comes after a worker's last round.
      CHECK(sum["wait"] == Approx(seconds_of(worker, "idle") - (end - sum["round"])).margin(1e-9));
    }
  }
}

TEST_CASE("timeline: records only what it is asked to") {
  Timeline silent(false), recording(true);
  for (Timeline* timeline : {&silent, &recording}) {
    timeline->add(0, "compute", 1, 2);
    timeline->add(0, "wait", 2, 2);  // empty
    timeline->add_round(0, 1, 0, 2);
  }
  const auto spans = [](const Timeline& timeline) {
    json found = json::array();
    const json trace = timeline.chrome_trace({"zero"});
    for (const json& event : trace["traceEvents"]) {
      if (event["ph"] == "X") found.push_back({event["name"], event["ts"], event["dur"], event["tid"]});
    }
    return found;
  };
  CHECK(spans(silent).empty());
  CHECK(spans(recording) == json{{"round 1", 0, 2e6, 1}, {"compute", 1e6, 1e6, 1}});
}

}  // namespace ledger_test
