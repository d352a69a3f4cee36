#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "models/error.hpp"
#include "scenario_kinds.hpp"
#include "sim/scenario/checker.hpp"
#include "sim/scenario/messages.hpp"
#include "sim/scenario/resolve.hpp"
#include "sim/scenario/schema_view.hpp"
#include "sim/study/plan.hpp"

using namespace isthmus;
using nlohmann::json;

namespace scenario_test {
namespace {

const json& schema() {
  static const json assembled = test::stand_in_schema();
  return assembled;
}

/// A folder of this process (tests run side by side) with a platform file, gone at the end of the test.
class Folder {
 public:
  Folder()
      : path_(std::filesystem::temp_directory_path() /
              ("isthmus_scenario_test." + std::to_string(getpid()))) {
    std::filesystem::create_directories(path_);
    std::ofstream(path_ / "star-8.xml") << "<platform/>\n";
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

json table() {
  std::ifstream file(ISTHMUS_SOURCE_DIR "/tests/cli/broken_scenarios.json");
  return json::parse(file);
}

ScenarioDocument base() { return ScenarioDocument::parse(table()["base"].dump()); }

std::vector<Point> resolve(const ScenarioDocument& scenario) {
  const Folder folder;
  return resolve_points(scenario, Checker(schema()), folder.path());
}

/// Order matters in a sweep, so patches work on text that keeps it.
std::string broken_text(const ScenarioDocument& start, const ScenarioDocument& test_case) {
  if (test_case.contains("text")) return test_case["text"];
  if (test_case["patch"].is_array()) return start.patch(test_case["patch"]).dump();
  ScenarioDocument patched = start;
  patched.merge_patch(test_case["patch"]);
  return patched.dump();
}

template <typename Function>
std::string message_of(const Function& function) {
  try {
    function();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("Each broken scenario gives one message that names the place", "[scenario]") {
  std::ifstream file(ISTHMUS_SOURCE_DIR "/tests/cli/broken_scenarios.json");
  const auto cases = ScenarioDocument::parse(file);
  const Folder folder;
  REQUIRE(cases["cases"].size() >= 70);
  for (const auto& test_case : cases["cases"]) {
    if (test_case.value("program", false)) continue;  // of the program's own kinds: see tests/cli
    const auto message = message_of([&] {
      const auto scenario = parse_scenario(broken_text(cases["base"], test_case), "broken.json");
      resolve_points(scenario, Checker(schema()), folder.path());
    });
    INFO(test_case["name"].get<std::string>() << "\n  " << message);
    const auto pointer = test_case["pointer"].get<std::string>();
    CHECK(message.starts_with(pointer.empty() ? "broken.json:" : pointer + ":"));
    CHECK(message.find(test_case["message"].get<std::string>()) != std::string::npos);
    CHECK(message.find('\n') == std::string::npos);
    CHECK(message.find("constraint") == std::string::npos);  // words of validators
  }
}

TEST_CASE("A point has all defaults, those of its kinds only", "[scenario]") {
  auto scenario = base();
  scenario.erase("training");
  scenario.erase("network");
  scenario["$schema"] = "scenario.schema.json";
  const auto points = resolve(scenario);
  REQUIRE(points.size() == 1);
  const Point& point = points[0];
  CHECK(point.id == "0-data_parallel");
  CHECK(point.swept.empty());
  const json& configuration = point.configuration;
  CHECK_FALSE(configuration.contains("$schema"));
  CHECK(configuration["protocol"] == json{{"kind", "data_parallel"}, {"aggregate", "ring"}});
  CHECK(configuration["data"] == json{{"set", "fashion-mnist"}, {"split", "iid"}, {"in_memory", true}});
  CHECK(configuration["model"] ==
        json{{"kind", "mlp"}, {"hidden", {512, 512}}, {"bias", false}, {"batch_norm", "batch"}});
  CHECK(configuration["network"] ==
        json{{"model", "textbook"}, {"message_overhead", "0s"}, {"collective_overhead", "0s"}, {"flows", 1}});
  CHECK(configuration["training"]["schedule"] == json{{"kind", "constant"}, {"warm_up", 0}});
  CHECK(configuration["training"]["epochs"] == 1);
  CHECK_FALSE(configuration["training"].contains("rounds"));
  CHECK(configuration["numerics"] == "live");
  // A configuration is a scenario again, with the same meaning.
  CHECK(resolve(ScenarioDocument(configuration))[0].configuration == configuration);
}

TEST_CASE("Every field arrives in the resolved scenario", "[scenario]") {
  auto scenario = base();
  scenario["platform"]["workers"] = {"b", "a"};
  scenario["platform"]["speed"] = "5Gf";
  scenario["platform"]["memory"] = "16GiB";
  scenario["platform"]["links"] = {{"up*", {{"bandwidth", "8Mbps"}}}, {"down", {{"latency", "0s"}}}};
  scenario["platform"]["devices"] = {{"a", {{"speed", "2Gf"}, {"memory", "1GB"}}}};
  scenario["network"] = {{"model", "smpi"}, {"latency_factor", 1.5}, {"bandwidth_factor", 0.9},
                         {"weight_s", 100}, {"tcp_gamma", "0B"},     {"crosstraffic", true}};
  scenario["data"] = {{"set", "synthetic"}, {"split", "by_label"}};
  scenario["numerics"] = "costs";
  scenario["training"] = {
      {"batch", 32},
      {"rounds", 7},
      {"learning_rate", 0.5},
      {"momentum", 0.9},
      {"nesterov", true},
      {"weight_decay", 0.1},
      {"seed", 9007199254740992},
      {"evaluate_every_rounds", 3},
      {"evaluation_batch", 10},
      {"charge_evaluation", true},
      {"target_accuracy", 1},
      {"optimizer_state", "keep"},
      {"schedule", {{"kind", "step"}, {"milestones", {0.5, 0.75}}, {"factor", 0.2}, {"warm_up", 0.1}}}};
  const Scenario resolved = resolve(scenario)[0].scenario;

  CHECK(resolved.name == "base");
  CHECK(resolved.platform.file.is_absolute());
  CHECK(resolved.platform.file.filename() == "star-8.xml");
  CHECK(resolved.platform.workers == 2);
  CHECK(resolved.platform.hosts == std::vector<std::string>{"b", "a"});
  CHECK(resolved.platform.all_links.bandwidth_bytes_per_second == 12.5e6);
  CHECK(resolved.platform.all_links.latency_seconds == 1e-3);
  CHECK(resolved.platform.all_devices.speed_flops == 5e9);
  CHECK(resolved.platform.all_devices.memory_bytes == 16ULL << 30U);
  CHECK(resolved.platform.links.at("up*").bandwidth_bytes_per_second == 1e6);
  CHECK_FALSE(resolved.platform.links.at("up*").latency_seconds.has_value());
  CHECK(resolved.platform.links.at("down").latency_seconds == 0.0);
  CHECK(resolved.platform.devices.at("a").memory_bytes == 1000000000U);
  CHECK(resolved.network.model == NetworkOptions::Model::smpi);
  CHECK(resolved.network.latency_factor == 1.5);
  CHECK(resolved.network.bandwidth_factor == 0.9);
  CHECK(resolved.network.weight_s == 100);
  CHECK(resolved.network.tcp_gamma_bytes == 0.0);
  CHECK(resolved.network.crosstraffic == true);
  CHECK(resolved.data["alpha"] == 0.5);
  CHECK_FALSE(resolved.live);
  const TrainingOptions& training = resolved.training;
  CHECK(training.batch == 32);
  CHECK_FALSE(training.epochs.has_value());
  CHECK(training.rounds == 7);
  CHECK(training.learning_rate == 0.5);
  CHECK(training.optimizer ==
        json{{"kind", "sgd"}, {"momentum", 0.9}, {"nesterov", true}, {"weight_decay", 0.1}});
  CHECK(training.seed == 9007199254740992U);
  CHECK(training.evaluate_every_rounds == 3);
  CHECK_FALSE(training.evaluate_every_epochs.has_value());
  CHECK(training.evaluation_batch == 10);
  CHECK(training.charge_evaluation);
  CHECK(training.target_accuracy == 1.0);
  CHECK(training.optimizer_state == OptimizerState::keep);
  CHECK(training.schedule.kind == Schedule::Kind::step);
  CHECK(training.schedule.milestones == std::vector<double>{0.5, 0.75});
  CHECK(training.schedule.factor == 0.2);
  CHECK(training.schedule.warm_up == 0.1);
}

TEST_CASE("A sweep is the product of its axes in written order, the last varying fastest", "[scenario]") {
  auto scenario = base();
  scenario.erase("protocol");
  scenario["sweep"] = ScenarioDocument::parse(R"({
    "/protocol": [{"kind": "ist", "local_steps": 5}, {"kind": "data_parallel"}],
    "/platform/links/back~1bone/latency": ["1ms", "20ms", "100ms"],
    "/model/hidden/1": [64, 32] })");
  const auto points = resolve(scenario);
  REQUIRE(points.size() == 12);
  CHECK(points[0].id == "00-ist-1ms-hidden64");
  CHECK(points[3].id == "03-ist-20ms-hidden32");
  CHECK(points[11].id == "11-data_parallel-100ms-hidden32");
  CHECK(points[3].swept[1] == std::pair<std::string, json>("/platform/links/back~1bone/latency", "20ms"));
  CHECK(points[3].configuration["model"]["hidden"] == json{512, 32});
  CHECK(points[3].scenario.platform.links.at("back/bone").latency_seconds == 0.02);
  CHECK_FALSE(points[3].configuration.contains("sweep"));
}

TEST_CASE("A sweep's point is named only where it matters", "[scenario]") {
  auto scenario = base();
  scenario["sweep"] =
      ScenarioDocument::parse(R"({"/training/momentum": [0, 0.9], "/training/seed": [1, 2]})");
  scenario["training"]["bacth"] = 1;
  CHECK(message_of([&] { resolve(scenario); }).find("point") == std::string::npos);
  scenario["training"].erase("bacth");
  scenario["training"]["nesterov"] = true;
  CHECK(message_of([&] { resolve(scenario); }) ==
        "/training/nesterov: found true; Nesterov's momentum needs \"momentum\" greater than 0 "
        "(at the point /training/momentum = 0, /training/seed = 1 of the sweep)");
}

TEST_CASE("Ids are fit for folders", "[scenario]") {
  const SweptValues values = {
      {"/training/momentum", 0.9}, {"/data", json{{"set", "fashion-mnist"}}}, {"/x", "a/../ä"}};
  CHECK(point_id(7, 101, {values, {}}, "") == "007-momentum0.9-fashion-mnist-a-..");
  CHECK(point_id(7, 8, {values, {{"/data", "My clothes"}}}, "") == "7-momentum0.9-My-clothes-a-..");
  CHECK(point_id(0, 1, {}, "ist") == "0-ist");
  CHECK(point_id(0, 2, {{{"/x", std::string(500, 'y')}}, {}}, "").size() == 62);
}

TEST_CASE("Settings reach places that are not there yet", "[scenario]") {
  auto scenario = base();
  apply_setting(scenario, "/platform/workers=8");
  apply_setting(scenario, "/platform/bandwidth=1Gbps");
  apply_setting(scenario,
                "/platform/links/up="
                R"({"latency": "5ms"})");
  apply_setting(scenario, "/model/hidden/0=7");
  apply_setting(scenario, R"(/sweep/~1training~1seed=[1,2])");
  CHECK(scenario["platform"]["workers"] == 8);
  CHECK(scenario["platform"]["bandwidth"] == "1Gbps");
  CHECK(scenario["platform"]["links"]["up"]["latency"] == "5ms");
  CHECK(scenario["model"]["hidden"][0] == 7);
  CHECK(resolve(scenario).size() == 2);

  const auto refused = [&](const std::string& setting) {
    return message_of([&] { apply_setting(scenario, setting); });
  };
  CHECK(refused("workers=8") == "--set workers=8: expected /pointer=value, such as /platform/workers=8");
  CHECK(refused("/platform/workers").find("expected /pointer=value") != std::string::npos);
  CHECK(refused("=8").find("expected /pointer=value") != std::string::npos);
  CHECK(refused("/a~b=8").find("expected /pointer=value") != std::string::npos);
  CHECK(refused("/name/x=8") == R"(--set /name/x=8: /name is "base", so there is no "x" in it)");
  CHECK(refused("/model/hidden/2=8").find("/model/hidden is an array of 2 items") != std::string::npos);
  CHECK(refused("/na\nme=1") == "--set /na me=1: expected /pointer=value, such as /platform/workers=8");
  CHECK(refused("/name=\xff").find("no UTF-8") != std::string::npos);
  CHECK(refused("/name=" + std::string(5000, 'x')).find("5000 bytes") != std::string::npos);
}

TEST_CASE("Scenario files are read with their order, or refused by name", "[scenario]") {
  const Folder folder;
  const auto file = folder.path() / "scenario.json";
  std::ofstream(file) << "\xEF\xBB\xBF{\"z\": 1, \"a\": 2}";
  CHECK(read_scenario(file).dump() == R"({"z":1,"a":2})");
  std::ofstream(file) << "{\n  \"z\" 1}";
  CHECK(message_of([&] { read_scenario(file); }).starts_with(file.string() + ":2:7: syntax error"));
  CHECK(message_of([&] { read_scenario(folder.path() / "none.json"); }).find("no such file") !=
        std::string::npos);
  CHECK(message_of([&] { read_scenario(folder.path()); }).find("is a directory") != std::string::npos);
}

TEST_CASE("The assembled schema is complete and stable", "[scenario]") {
  CHECK(schema_text(schema()) == schema_text(test::stand_in_schema()));
  CHECK(schema_text(schema()).ends_with("}\n"));
  const json& protocol = schema()["properties"]["protocol"];
  CHECK(protocol["properties"]["kind"]["enum"] ==
        json{"data_parallel", "local_sgd", "post_local_sgd", "ist", "resist"});
  const json& ist = protocol["allOf"][3]["then"];
  CHECK(ist["additionalProperties"] == false);
  CHECK(ist["required"] == json::array({"local_steps"}));
  CHECK(ist["properties"]["local_steps"]["maximum"] == 2147483647);
  const json& idx = schema()["properties"]["data"]["allOf"][1]["then"];
  CHECK(idx["properties"].contains("split"));
}

TEST_CASE("A kind's quantities are checked by their definition", "[scenario]") {
  auto scenario = base();
  scenario["data"] = {{"set", "synthetic"}, {"bytes_per_sample", "1e60GiB"}};
  CHECK(message_of([&] {
          resolve(scenario);
        }).starts_with("/data/bytes_per_sample: found \"1e60GiB\"; must be"));
}

TEST_CASE("An option that is only with another one is filled in there, and refused elsewhere", "[scenario]") {
  const json schema = json::parse(R"({
    "type": "object",
    "properties": {
      "a_size": {"type": "integer", "default": 3, "onlyWith": {"form": ["b", "c"]}},
      "form": {"enum": ["a", "b", "c"], "default": "b", "onlyWith": {"whole": [true]}},
      "whole": {"type": "boolean", "default": true}}})");
  const auto filled = [&](json document) {
    SchemaView(schema).fill_defaults(document);
    return document;
  };
  CHECK(filled(json::object()) == json{{"whole", true}, {"form", "b"}, {"a_size", 3}});
  CHECK(filled({{"form", "a"}}) == json{{"whole", true}, {"form", "a"}});
  CHECK(filled({{"whole", false}}) == json{{"whole", false}});
  const Checker checker(schema);
  CHECK_NOTHROW(checker.check({{"a_size", 4}}));
  CHECK_NOTHROW(checker.check({{"a_size", 4}, {"form", "c"}}));
  CHECK(message_of([&] {
          checker.check({{"a_size", 4}, {"form", "a"}});
        }) == R"(/a_size: only "form": "b" or "c" has it; found "form": "a")");
  CHECK(message_of([&] {
          checker.check({{"a_size", 4}, {"whole", false}});
        }) == R"(/a_size: only "form": "b" or "c" has it; found no "form")");
}

TEST_CASE("A keyword that would not be checked is refused", "[scenario]") {
  CHECK_NOTHROW(Checker(complete_schema()));
  CHECK_NOTHROW(read_network_options({{"model", "lv08"}}));
  CHECK_THROWS_AS(Checker(json{{"properties", {{"a", {{"multipleOf", 2}}}}}}), std::logic_error);
  CHECK_THROWS_AS(Checker(json{{"items", {{"oneOf", json::array()}}}}), std::logic_error);
  CHECK_NOTHROW(Checker(json{{"properties", {{"multipleOf", {{"default", {{"oneOf", 1}}}}}}}}));
}

TEST_CASE("Alternatives are judged as wholes, the message is about the one that was meant", "[scenario]") {
  const json schema = json::parse(R"({
    "errorMessage": "expected a size or a name",
    "anyOf": [{"type": "object", "properties": {"size": {"type": "integer", "minimum": 1}},
               "additionalProperties": false},
              {"type": "object", "properties": {"name": {"type": "string"}}, "additionalProperties": false,
               "required": ["name"]}]})");
  const Checker checker(json{{"properties", {{"a", schema}}}});
  const auto message = [&](const json& value) { return message_of([&] { checker.check({{"a", value}}); }); };
  CHECK(message({{"size", 2}}) == "no error");
  CHECK(message({{"name", "x"}}) == "no error");
  CHECK(message({{"size", 0}}) == "/a/size: found 0; must be at least 1");
  CHECK(message({{"name", 7}}) == "/a/name: found 7 (a number); expected a string");
  CHECK(message({{"nmae", "x"}}) ==
        R"(/a: found {"nmae":"x"} (an object); did you mean "name"? expected a size or a name)");
  CHECK(message(3) == "/a: found 3 (a number); expected a size or a name");
}

TEST_CASE("What was right at one place is judged anew at another", "[scenario]") {
  const Checker checker(json{{"properties", {{"a", {{"minimum", 1}}}, {"b", {{"minimum", 3}}}}}});
  CHECK_NOTHROW(checker.check({{"a", 2}}));
  CHECK_NOTHROW(checker.check({{"a", 2}, {"b", 4}}));
  CHECK(message_of([&] { checker.check({{"a", 2}, {"b", 2}}); }) == "/b: found 2; must be at least 3");
}

TEST_CASE("An error has its place and text as fields", "[scenario]") {
  auto scenario = base();
  scenario["sweep"] = ScenarioDocument::parse(R"({"/training/batch": [1, 0]})");
  try {
    resolve(scenario);
    FAIL("no error");
  } catch (const InputError& error) {
    CHECK(error.place() == "/training/batch");
    CHECK(error.text() == "found 0; must be at least 1 (at the point /training/batch = 0 of the sweep)");
    CHECK(error.what() == error.place() + ": " + error.text());
  }
}

TEST_CASE("The nearest name is suggested only if it is near", "[scenario]") {
  CHECK(nearest("bacth", {"batch", "epochs"}) == "batch");
  CHECK(nearest("epoch", {"batch", "epochs"}) == "epochs");
  CHECK_FALSE(nearest("zzz", {"batch", "epochs"}).has_value());
  CHECK_FALSE(nearest("", {"batch"}).has_value());
}

}  // namespace scenario_test
