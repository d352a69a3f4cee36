// Sweeps against points that are enumerated here, one by one.

#include "sim/scenario/sweep.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "models/error.hpp"
#include "scenario_kinds.hpp"
#include "sim/scenario/checker.hpp"
#include "sim/scenario/resolve.hpp"
#include "sim/scenario/schema_view.hpp"
#include "sim/scenario/units.hpp"

using namespace isthmus;
using nlohmann::json;

namespace sweep_test {
namespace {

const json& schema() {
  static const json assembled = test::stand_in_schema();
  return assembled;
}

/// 4 workers, data_parallel, 100Mbps, batch 128, seed 1, and more: the start of all broken scenarios.
ScenarioDocument base() {
  std::ifstream file(ISTHMUS_SOURCE_DIR "/tests/cli/broken_scenarios.json");
  return ScenarioDocument::parse(file).at("base");
}

ScenarioDocument with_sweep(const std::string& sweep) {
  ScenarioDocument scenario = base();
  scenario["sweep"] = ScenarioDocument::parse(sweep);
  return scenario;
}

Sweep sweep_of(const std::string& sweep) { return read_sweep(with_sweep(sweep), Checker(schema())); }

std::vector<Point> resolve(const ScenarioDocument& scenario) {
  return resolve_points(scenario, Checker(schema()), ISTHMUS_SOURCE_DIR "/platforms");
}

/// The values of a sweep's first axis.
json values_of(const std::string& sweep) { return sweep_of(sweep).groups.at(0).axes.at(0).values; }

/// The values of all points, each an object of pointers.
json points_of(const std::string& sweep) {
  json result = json::array();
  for (const SweepPoint& point : sweep_of(sweep).points) {
    json values = json::object();
    for (const auto& [pointer, value] : point.values) values[pointer] = value;
    result.push_back(values);
  }
  return result;
}

/// What is left of a list of values at `pointer` under one rule of `exclude`.
json kept(const std::string& pointer, const std::string& list, const std::string& rule) {
  json result = json::array();
  for (const json& point : points_of("{\"" + pointer + "\": " + list + ", \"exclude\": [" + rule + "]}")) {
    result.push_back(point.at(pointer));
  }
  return result;
}

std::string message_of(const ScenarioDocument& scenario) {
  try {
    resolve(scenario);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("Ranges have equal ratios or differences, and four significant digits", "[sweep]") {
  CHECK(values_of(
            R"({"/platform/bandwidth": {"from": "1Mbps", "to": "10Gbps", "points": 9, "scale": "log"}})") ==
        json{"1Mbps", "3.162Mbps", "10Mbps", "31.62Mbps", "100Mbps", "316.2Mbps", "1Gbps", "3.162Gbps",
             "10Gbps"});
  CHECK(
      values_of(
          R"({"/platform/bandwidth": {"from": "10Gbps", "to": "100 Mbps", "points": 3, "scale": "log"}})") ==
      json{"10Gbps", "1Gbps", "100 Mbps"});
  CHECK(values_of(R"({"/platform/bandwidth": {"from": "125kBps", "to": "2MBps", "points": 4}})") ==
        json{"125kBps", "750kBps", "1.375MBps", "2MBps"});
  CHECK(values_of(R"({"/platform/latency": {"from": "0s", "to": "2ms", "points": 5}})") ==
        json{"0s", "500us", "1ms", "1.5ms", "2ms"});
  CHECK(values_of(R"({"/platform/memory": {"from": "1GiB", "to": "16GiB", "points": 5, "scale": "log"}})") ==
        json{"1GiB", "2GiB", "4GiB", "8GiB", "16GiB"});
  CHECK(values_of(R"({"/platform/memory": {"from": "512MiB", "to": "2GiB", "points": 4}})") ==
        json{"512MiB", "1GiB", "1.5GiB", "2GiB"});
  CHECK(values_of(R"({"/platform/speed": {"from": "999.8Mf", "to": "1.2Gf", "points": 3}})") ==
        json{"999.8Mf", "1.1Gf", "1.2Gf"});
  CHECK(values_of(R"({"/training/learning_rate": {"from": 0.001, "to": 1, "points": 7, "scale": "log"}})") ==
        json{0.001, 0.003162, 0.01, 0.03162, 0.1, 0.3162, 1});
  CHECK(values_of(R"({"/training/epochs": {"from": 0.5, "to": 2, "points": 4}})").dump() == "[0.5,1,1.5,2]");
  CHECK(values_of(R"({"/training/batch": {"from": 32, "to": 512, "points": 5, "scale": "log"}})").dump() ==
        "[32,64,128,256,512]");
  CHECK(values_of(R"({"/training/batch": {"from": 10, "to": 1, "points": 4}})").dump() == "[10,7,4,1]");
  CHECK(values_of(R"({"/training/batch": {"from": 1, "to": 10, "points": 3}})").dump() == "[1,6,10]");  // 5.5
  CHECK(values_of(R"({"/platform/workers": {"from": 2, "to": 8, "points": 3, "scale": "log"}})").dump() ==
        "[2,4,8]");
  CHECK(values_of(R"({"/model/hidden/0": {"from": 100, "to": 300, "points": 3}})") == json{100, 200, 300});
}

TEST_CASE("Values of a range lie where the closed form says", "[sweep]") {
  const std::vector<std::string> ends = {"3bps", "999bps", "7.7kbps", "123.456Mbps", "1Gbps", "20Tbps"};
  for (const std::string& from : ends) {
    for (const std::string& to : ends) {
      if (from == to) continue;
      for (const char* scale : {"linear", "log"}) {
        constexpr int points = 37;
        const json range = {{"from", from}, {"to", to}, {"points", points}, {"scale", scale}};
        const json values = values_of(json{{"/platform/bandwidth", range}}.dump());
        INFO(values.dump());
        REQUIRE(values.size() == points);
        CHECK(values.front() == from);
        CHECK(values.back() == to);
        const double first = parse_bandwidth(from), last = parse_bandwidth(to);
        for (int i = 0; i < points; ++i) {
          const double part = i / (points - 1.0);
          const double exact = scale == std::string("log") ? first * std::pow(last / first, part)
                                                           : first + (last - first) * part;
          CHECK(parse_bandwidth(values[i].get<std::string>()) == Approx(exact).epsilon(0.5001e-3));
        }
      }
    }
  }
}

TEST_CASE("Seeds are consecutive", "[sweep]") {
  CHECK(values_of(R"({"/training/seed": {"seeds": 3}})") == json{1, 2, 3});
  CHECK(values_of(R"({"/training/seed": {"seeds": 3, "first": 0}})") == json{0, 1, 2});
  CHECK(values_of(R"({"/training/seed": {"seeds": 1, "first": 9007199254740992}})") ==
        json::array({9007199254740992}));
}

TEST_CASE("Labels stand for values in ids and messages", "[sweep]") {
  const auto points = resolve(with_sweep(R"({
      "/protocol": {"named": {"data parallel, ring": {"kind": "data_parallel"},
                              "IST": {"kind": "ist", "local_steps": 30}}},
      "/training/batch": {"named": {"small": 32, "large": 512}},
      "/training/seed": [7]})"));
  REQUIRE(points.size() == 4);
  CHECK(points[0].id == "0-data-parallel-ring-small-seed7");
  CHECK(points[3].id == "3-IST-large-seed7");
  CHECK(points[3].labels == SweptLabels{{"/protocol", "IST"}, {"/training/batch", "large"}});
  CHECK(points[3].swept[0].second == json{{"kind", "ist"}, {"local_steps", 30}});
  CHECK(points[3].scenario.training.batch == 512);
  CHECK(describe_values(points[3].swept, points[3].labels) ==
        "/protocol = \"IST\", /training/batch = \"large\", /training/seed = 7");
  CHECK(
      message_of(with_sweep(R"({"/training/batch": {"named": {"some": 1, "none": 0}}})")) ==
      "/training/batch: found 0; must be at least 1 (at the point /training/batch = \"none\" of the sweep)");
}

TEST_CASE("The whole language spans the grid that loops enumerate", "[sweep]") {
  const std::string text = R"({
    "/protocol": {"named": {"DP": {"kind": "data_parallel"},
                            "local": {"kind": "local_sgd", "local_steps": 5},
                            "IST": {"kind": "ist", "local_steps": 30}}},
    "zip": [{"/platform/workers": [2, 4, 8], "/training/batch": {"from": 256, "to": 64, "points": 3, "scale": "log"}},
            {"/platform/latency": ["1ms", "10ms"], "/platform/memory": {"named": {"little": "1GiB", "much": "1TiB"}}}],
    "/platform/bandwidth": {"from": "1Mbps", "to": "100Mbps", "points": 3, "scale": "log"},
    "/training/seed": {"seeds": 2, "first": 10},
    "exclude": [{"/platform/workers": 8, "/protocol/kind": "data_parallel"},
                {"/platform/bandwidth": {"from": "0.01Gbps"}, "/protocol/kind": ["ist", "data_parallel"],
                 "/training/seed": 11},
                {"/protocol": {"kind": "local_sgd"}, "/platform/memory": "1024GiB"}]})";
  const std::vector<std::pair<std::string, json>> protocols = {
      {"DP", {{"kind", "data_parallel"}}},
      {"local", {{"kind", "local_sgd"}, {"local_steps", 5}}},
      {"IST", {{"kind", "ist"}, {"local_steps", 30}}}};
  const std::vector<std::pair<int, int>> workers_and_batch = {{2, 256}, {4, 128}, {8, 64}};
  struct Edge {
    std::string latency, label, memory;
  };
  const std::vector<Edge> edges = {{"1ms", "little", "1GiB"}, {"10ms", "much", "1TiB"}};

  std::vector<SweepPoint> expected;
  for (const auto& [label, protocol] : protocols) {
    for (const auto& [workers, batch] : workers_and_batch) {
      for (const Edge& edge : edges) {
        for (const std::string bandwidth : {"1Mbps", "10Mbps", "100Mbps"}) {
          for (const int seed : {10, 11}) {
            if (workers == 8 && label == "DP") continue;
            if (bandwidth != "1Mbps" && label != "local" && seed == 11) continue;
            if (label == "local" && edge.memory == "1TiB") continue;
            expected.push_back({{{"/protocol", protocol},
                                 {"/platform/workers", workers},
                                 {"/training/batch", batch},
                                 {"/platform/latency", edge.latency},
                                 {"/platform/memory", edge.memory},
                                 {"/platform/bandwidth", bandwidth},
                                 {"/training/seed", seed}},
                                {{"/protocol", label}, {"/platform/memory", edge.label}}});
          }
        }
      }
    }
  }
  const Sweep sweep = sweep_of(text);
  CHECK(sweep.product == 3 * 3 * 2 * 3 * 2);
  CHECK(sweep.groups.size() == 5);
  CHECK(sweep.groups[1].axes[1].place == "/sweep/zip/0/~1training~1batch");
  REQUIRE(sweep.points.size() == expected.size());
  const auto points = resolve(with_sweep(text));
  std::set<std::string> ids;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CAPTURE(i);
    CHECK(sweep.points[i].values == expected[i].values);
    CHECK(sweep.points[i].labels == expected[i].labels);
    CHECK(points[i].swept == expected[i].values);
    CHECK(points[i].configuration["training"]["batch"] == expected[i].values[2].second);
    ids.insert(points[i].id);
  }
  CHECK(ids.size() == expected.size());
}

TEST_CASE("An excluded value is compared by what it means", "[sweep]") {
  const std::string bandwidths = R"(["100Mbps", "1000Mbps", "0.125GBps", "2Gbps", "4.07Gbps"])";
  const auto left = [&](const std::string& condition) {
    return kept("/platform/bandwidth", bandwidths, R"({"/platform/bandwidth": )" + condition + "}");
  };
  CHECK(left(R"("1Gbps")") == json{"100Mbps", "2Gbps", "4.07Gbps"});
  CHECK(left(R"("4070Mbps")") == json{"100Mbps", "1000Mbps", "0.125GBps", "2Gbps"});
  CHECK(left(R"(["0.1Gbps", "2Gbps"])") == json{"1000Mbps", "0.125GBps", "4.07Gbps"});
  CHECK(left(R"({"from": "1Gbps"})") == json::array({"100Mbps"}));
  CHECK(left(R"({"to": "1Gbps"})") == json{"2Gbps", "4.07Gbps"});
  CHECK(left(R"({"from": "101Mbps", "to": "4070Mbps"})") == json::array({"100Mbps"}));
  CHECK(left(R"([{"to": "100Mbps"}, {"from": "3Gbps"}, "2Gbps"])") == json{"1000Mbps", "0.125GBps"});
  CHECK(kept("/platform/latency", R"(["0s", "1ms"])", R"({"/platform/latency": "0ms"})") ==
        json::array({"1ms"}));
  CHECK(kept("/training/epochs", "[1, 2, 0.5]", R"({"/training/epochs": 1.0})").dump() == "[2,0.5]");
  CHECK(kept("/training/batch", "[8, 16, 32]", R"({"/training/batch": {"from": 16, "to": 16}})").dump() ==
        "[8,32]");
  CHECK(kept("/training/nesterov", "[true, false]", R"({"/training/nesterov": true})") ==
        json::array({false}));
}

TEST_CASE("An excluded list is one value where the place takes such arrays, else alternatives", "[sweep]") {
  const std::string hidden = "[[64, 64], [64], [32, 64], [32]]";
  const auto left = [&](const std::string& rule) { return kept("/model/hidden", hidden, rule); };
  CHECK(left(R"({"/model/hidden": [64, 64]})") == json::parse("[[64], [32, 64], [32]]"));
  CHECK(left(R"({"/model/hidden": [[64], [32]]})") == json::parse("[[64, 64], [32, 64]]"));
  CHECK(left(R"({"/model/hidden/0": [64, 128]})") == json::parse("[[32, 64], [32]]"));
  CHECK(left(R"({"/model/hidden/1": 64})") == json::parse("[[64], [32]]"));  // where there is one
  CHECK(kept("/platform/workers", R"([2, 4, ["a", "b"]])", R"({"/platform/workers": ["a", "b"]})").dump() ==
        "[2,4]");
  CHECK(kept("/platform/workers", R"([2, 4, ["a", "b"]])", R"({"/platform/workers": [2, ["a", "b"]]})")
            .dump() == "[4]");
}

TEST_CASE("Rules see whole points: what is fixed, defaults, members of objects", "[sweep]") {
  const std::string protocols =
      R"([{"kind": "ist", "local_steps": 5}, {"kind": "ist", "local_steps": 9, "exchange": "sharded"},
          {"kind": "local_sgd", "local_steps": 9}])";
  const auto steps = [&](const std::string& rule) {
    std::string text;
    for (const json& protocol : kept("/protocol", protocols, rule)) {
      text += protocol["kind"].get<std::string>() + protocol["local_steps"].dump() + " ";
    }
    return text;
  };
  CHECK(steps(R"({"/protocol": {"kind": "ist"}})") == "local_sgd9 ");
  CHECK(steps(R"({"/protocol": {"kind": "ist", "local_steps": {"from": 6}}})") == "ist5 local_sgd9 ");
  CHECK(steps(R"({"/protocol": [{"kind": "local_sgd"}, {"exchange": "sharded"}]})") == "ist5 ");
  CHECK(steps(R"({"/protocol/exchange": "server"})") == "ist9 local_sgd9 ");           // the default of ist
  CHECK(steps(R"({"/protocol/local_steps": 9, "/platform/workers": 4})") == "ist5 ");  // 4 is fixed
  CHECK(steps(R"({"/protocol/local_steps": 9, "/training/momentum": 0})") == "ist5 ");
  CHECK(steps(R"({"/protocol/local_steps": 5, "/training/evaluate_every_epochs": 1})") == "ist9 local_sgd9 ");
}

TEST_CASE("Points that are excluded need not be right", "[sweep]") {
  auto scenario = with_sweep(R"({"/training/momentum": [0, 0.9], "/training/nesterov": [false, true]})");
  CHECK(message_of(scenario).starts_with("/training/nesterov"));
  scenario["sweep"]["exclude"] = {{{"/training/momentum", 0}, {"/training/nesterov", true}}};
  CHECK(resolve(scenario).size() == 3);
}

TEST_CASE("No rules, and rules alone, are sweeps", "[sweep]") {
  CHECK(sweep_of(R"({"/training/seed": [1, 2], "exclude": []})").points.size() == 2);
  CHECK(sweep_of("{}").points.size() == 1);
  CHECK(read_sweep(base(), Checker(schema())).points.size() == 1);
  CHECK(resolve(with_sweep(R"({"zip": [{"/training/seed": [1]}]})"))[0].id == "0-seed1");
}

TEST_CASE("Whatever stands in a sweep, it spans points or is refused by place", "[sweep]") {
  const auto whole = json::parse(R"({
    "/protocol": {"named": {"DP": {"kind": "data_parallel"}, "IST": {"kind": "ist", "local_steps": 30}}},
    "zip": [{"/platform/workers": [2, 4], "/training/batch": {"from": 256, "to": 64, "points": 2, "scale": "log"}}],
    "/platform/bandwidth": {"from": "1Mbps", "to": "100Mbps", "points": 2, "scale": "log"},
    "/training": [{"epochs": 2}, {"rounds": 1}],
    "/data": [{"set": "fashion-mnist"}, {"set": "synthetic"}],
    "/training/seed": {"seeds": 2, "first": 10},
    "exclude": [{"/platform/workers": 4, "/protocol/kind": ["ist"]},
                {"/platform/bandwidth": {"from": "1Mbps", "to": "2Mbps"}, "/protocol": {"kind": "data_parallel"}}]})");
  REQUIRE(message_of(with_sweep(whole.dump())) == "no error");
  std::vector<json::json_pointer> places;
  const std::function<void(const json&, const json::json_pointer&)> visit =
      [&](const json& value, const json::json_pointer& place) {
        places.push_back(place);
        for_each_child(value, [&](const std::string& key, const json& member) {
          visit(member, value.is_array() ? place / std::stoul(key) : place / key);
        });
      };
  visit(whole, json::json_pointer());
  const auto junk =
      json::parse(R"([null, true, 0, -1, 3, 1.5, 1e300, -9007199254740992, 9007199254740992, "", "x",
      "1Mbps", "/", [], {}, [[]], [{}], [null], {"from": 1}, {"from": "0s", "to": 7, "points": 2}, {"seeds": 1},
      {"named": {"a": null}}, {"": ""}, {"/": {}}, {"kind": "ist"}, {"/training": 1}, [{"/training": 1}]])");
  int refused = 0;
  for (const auto& place : places) {
    for (const json& value : junk) {
      ScenarioDocument scenario = base();
      json sweep = whole;
      sweep[place] = value;
      scenario["sweep"] = sweep;
      INFO(sweep.dump());
      const std::string message = message_of(scenario);
      CHECK((message == "no error" || message.starts_with("/")));
      CHECK(message.find('\n') == std::string::npos);
      refused += message == "no error" ? 0 : 1;
    }
  }
  CHECK(refused > 1000);
}

TEST_CASE("The published schema knows all forms, and no others", "[sweep]") {
  const Checker checker(schema());
  const auto accepts = [&](const char* sweep) {
    try {
      checker.check(with_sweep(sweep));
    } catch (const InputError&) {
      return false;
    }
    return true;
  };
  for (const char* sweep :
       {R"({"/a": [1]})", R"({"/a": {"from": "1Mbps", "to": "1Gbps", "points": 3}})",
        R"({"/a": {"from": 1, "to": 2.5, "points": 3, "scale": "log"}})",
        R"({"/a": {"named": {"x": {"kind": "ist"}, "y": 2}}})", R"({"/a": {"seeds": 3, "first": 0}})",
        R"({"zip": [{"/a": [1], "/b": {"seeds": 1}}]})", R"({"exclude": []})",
        R"({"exclude": [{"/a": 1, "/b": ["x"], "/c": {"from": 1}, "/d": {"kind": "ist"}, "/e": true}]})"}) {
    INFO(sweep);
    CHECK(accepts(sweep));
  }
  for (const char* sweep :
       {R"({"a": [1]})", R"({"/a": 1})", R"({"/a": []})", R"({"/a": {}})", R"({"/a": {"from": 1, "to": 2}})",
        R"({"/a": {"from": 1, "to": 2, "points": 1}})",
        R"({"/a": {"from": 1, "to": 2, "points": 3, "scale": "ln"}})", R"({"/a": {"named": {}}})",
        R"({"/a": {"named": {"x": 1}, "from": 2}})", R"({"/a": {"seeds": 0}})", R"({"/a": {"seeds": "3"}})",
        R"({"zip": []})", R"({"zip": {"/a": [1]}})", R"({"zip": [{}]})", R"({"zip": [{"a": [1]}]})",
        R"({"exclude": {"/a": 1}})", R"({"exclude": [{}]})", R"({"exclude": [{"a": 1}]})",
        R"({"exclude": [{"/a": null}]})"}) {
    INFO(sweep);
    CHECK_FALSE(accepts(sweep));
  }
}

}  // namespace sweep_test
