// `isthmus calibrate`: known constants come back from times computed with them, and the platform that is
// written takes these times.

#include <catch2/catch.hpp>
#include <sstream>

#include "tests/cli/program.hpp"

using namespace isthmus::testing;
using Catch::Matchers::Contains;
using nlohmann::json;

namespace calibrate_test {
namespace {

constexpr double latency = 5e-3, goodput = 11.77e6;

double seconds_of(double bytes) { return latency + bytes / goodput; }

double simulated(const fs::path& platform, double bytes) {
  const ProgramResult result = run_program({"collective", "--kind", "broadcast", "--algorithm", "tree",
                                            "--bytes", std::to_string(static_cast<long>(bytes)) + "B",
                                            "--platform", platform, "--workers", "2", "--json"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  return json::parse(result.out)["results"][0]["simulated_seconds"];
}

}  // namespace

TEST_CASE("calibrate: a star whose messages take the measured times") {
  const TemporaryFolder folder;
  std::ostringstream csv;
  csv.precision(15);
  csv << "\xEF\xBB\xBF"  // the byte order mark of spreadsheets
      << "bytes,seconds\n";
  for (const double bytes : {1e3, 1e4, 1e5, 1e6, 1e7}) {
    const double noise = bytes == 1e5 ? 1.01 : 1;
    csv << bytes << ',' << seconds_of(bytes) * noise << '\n';
  }
  write_text(folder / "times.csv", csv.str());
  const ProgramResult result =
      run_program({"calibrate", folder / "times.csv", "--out", folder / "star.xml", "--hosts", "4"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK_THAT(result.out, Contains("residual") && Contains("100000"));
  for (const double bytes : {4e3, 4e6})
    CHECK(simulated(folder / "star.xml", bytes) == Approx(seconds_of(bytes)).epsilon(0.01));
  CHECK_THAT(run_program({"platform", folder / "star.xml"}).out, Contains("n-3"));
}

TEST_CASE("calibrate: each pair of hosts by itself, and back as there unless measured") {
  const TemporaryFolder folder;
  std::ostringstream csv;
  csv.precision(15);
  csv << "from,to,bytes,seconds\n";
  for (const double bytes : {4e3, 4e5, 4e7}) {
    csv << "a,b," << bytes << ',' << seconds_of(bytes) << '\n';
    csv << "a,c," << bytes << ',' << 3 * seconds_of(bytes) << '\n';
    csv << "b,c," << bytes << ',' << 2 * seconds_of(bytes) << '\n';
  }
  write_text(folder / "times.csv", csv.str());
  const ProgramResult result =
      run_program({"calibrate", folder / "times.csv", "--out", folder / "pairs.xml"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(simulated(folder / "pairs.xml", 4e6) == Approx(seconds_of(4e6)));
  const ProgramResult platform = run_program({"platform", folder / "pairs.xml"});
  CHECK(platform.exit_code == 0);
  CHECK_THAT(platform.out, Contains("15 ms") && Contains("10 ms") && Contains("5 ms"));
}

TEST_CASE("calibrate: names with hyphens, of hosts and of the file, make a sound platform") {
  const TemporaryFolder folder;
  const fs::path file = folder / "a-->b---c.csv";
  const std::vector<std::string> hosts = {"a", "a-b", "b-c", "c"};
  std::string csv = "from,to,bytes,seconds\n";
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    for (std::size_t j = i + 1; j < hosts.size(); ++j) {
      for (const std::string sample : {",1000,1\n", ",2000,2\n"}) csv += hosts[i] + "," + hosts[j] + sample;
    }
  }
  write_text(file, csv);
  REQUIRE(run_program({"calibrate", file, "--out", folder / "pairs.xml"}).exit_code == 0);
  const ProgramResult platform = run_program({"platform", folder / "pairs.xml"});
  INFO(platform.err);
  CHECK_THAT(platform.out, Contains("Hosts: 4") && Contains("Links: 6"));
}

TEST_CASE("calibrate: bad files end in one line") {
  const TemporaryFolder folder;
  const auto error = [&](const std::string& text) {
    write_text(folder / "times.csv", text);
    const ProgramResult result = run_program({"calibrate", folder / "times.csv"});
    CHECK(result.exit_code == 2);
    return result.err;
  };
  CHECK_THAT(error("size,seconds\n1,2\n"), Contains("times.csv:1") && Contains("bytes"));
  CHECK_THAT(error("bytes,seconds\n1,2\nmany,3\n"), Contains("times.csv:3") && Contains("many"));
  CHECK_THAT(error("bytes,seconds\n1,-2\n"), Contains("times.csv:2"));
  CHECK_THAT(error("bytes,seconds\n10,2\n10,3\n"), Contains("two different sizes"));
  CHECK_THAT(error("bytes,seconds\n10,2\n1000,1\n"), Contains("do not grow"));
  CHECK_THAT(error("bytes,seconds\n"), Contains("no measured times"));
  for (const std::string name : {"a-->b", "a<b", "a\"b", "a b", ""}) {
    CHECK_THAT(
        error("from,to,bytes,seconds\na," + name + ",1,2\n"),
        Contains("times.csv:2: found \"" + name + "\" in column \"to\"; allowed in the name of a host"));
  }
  CHECK_THAT(error("from,to,bytes,seconds\na,a,1,2\n"), Contains("from a host to itself"));
  CHECK_THAT(run_program({"calibrate", folder / "none.csv"}).err, Contains("cannot be read"));
}

TEST_CASE("calibrate: a device's figures come back from a table of steps") {
  const TemporaryFolder folder;
  const fs::path shipped = fs::path(ISTHMUS_SOURCE_DIR) / "platforms/devices/v100-sxm2.json";
  json truth = json::parse(read_text(shipped));
  truth["kernel_seconds"]["value"] = 14e-6;
  truth["operation_seconds"]["value"] = 30e-6;
  write_text(folder / "truth.json", truth.dump());
  /// What a step takes there, with PyTorch.
  const auto seconds_on = [&](const fs::path& device, const json& model, int batch) {
    const json scenario = {
        {"name", "one"},
        {"platform", {{"file", fs::path(ISTHMUS_SOURCE_DIR) / "platforms/star-8.xml"}, {"workers", 1}}},
        {"data", {{"set", "synthetic"}, {"shape", {1, 28, 28}}, {"classes", 10}, {"samples", 2000}}},
        {"model", model},
        {"training", {{"batch", batch}, {"momentum", 0.9}}},
        {"protocol", {{"kind", "data_parallel"}}}};
    write_text(folder / "one.json", scenario.dump());
    const ProgramResult step =
        run_program({"device", device, "--scenario", folder / "one.json", "--eager", "--json"});
    INFO(step.err);
    REQUIRE(step.exit_code == 0);
    return json::parse(step.out)["steps"][0]["seconds"].get<double>();
  };
  std::ostringstream csv;
  csv << "model,shape,batch,seconds,training\n";
  for (const int width : {64, 512, 2048, 4096}) {
    for (const int batch : {16, 100, 1000}) {
      const json model = {{"kind", "mlp"}, {"hidden", {width, width}}};
      csv << R"("{""kind"": ""mlp"", ""hidden"": [)" << width << ", " << width << R"(]}",1x28x28,)" << batch
          << ',' << seconds_on(folder / "truth.json", model, batch) << R"(,"{""momentum"": 0.9}")" << '\n';
    }
  }
  write_text(folder / "steps.csv", csv.str());
  const ProgramResult result = run_program({"calibrate", "--device", folder / "steps.csv", "--start",
                                            "v100-sxm2", "--out", folder / "fitted.json"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const json fitted = json::parse(read_text(folder / "fitted.json"));
  CHECK(fitted["operation_seconds"]["value"].get<double>() == Approx(30e-6).epsilon(0.02));
  CHECK_THAT(fitted["kernel_seconds"]["source"].get<std::string>(), Contains("fitted to 9 steps of"));
  CHECK(fitted["memory_bytes"] == truth["memory_bytes"]);
  CHECK_THAT(result.out, Contains("of 9 steps") && Contains("of 3 steps") &&
                             Contains("mlp hidden=[512,512], 1x28x28, batch 100"));
  // It is a device like any other.
  const json other = {{"kind", "mlp"}, {"hidden", {1000, 300, 3000}}};
  CHECK(seconds_on(folder / "fitted.json", other, 300) ==
        Approx(seconds_on(folder / "truth.json", other, 300)).epsilon(0.02));
}

TEST_CASE("calibrate: this machine becomes a device") {
  const TemporaryFolder folder;
  const ProgramResult result =
      run_program({"calibrate", "--device", "--steps", "10", "--rounds", "1", "--out", folder / "mine.json"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK_THAT(result.out, Contains("of 8 steps") && Contains("of 2 steps") && Contains("left out"));
  const ProgramResult shown = run_program({"device", folder / "mine.json"});
  INFO(shown.err);
  CHECK(shown.exit_code == 0);
  CHECK_THAT(shown.out, Contains("one core of") && Contains("fitted to 8 steps on this machine") &&
                            !Contains("guessed"));
}

TEST_CASE("calibrate: tables of steps that make no sense are refused by place") {
  const TemporaryFolder folder;
  const std::string good = "\"{\"\"kind\"\": \"\"mlp\"\", \"\"hidden\"\": [64]}\",1x28x28,16,0.001\n";
  const auto refused = [&](const std::string& text, const std::string& message) {
    write_text(folder / "steps.csv", text);
    const ProgramResult result =
        run_program({"calibrate", "--device", folder / "steps.csv", "--start", "v100-sxm2"});
    INFO(result.err);
    CHECK(result.exit_code == 2);
    CHECK_THAT(result.err, Contains(message));
  };
  const std::string head = "model,shape,batch,seconds\n";
  refused("model,shape,seconds\n", "steps.csv:1: has no column \"batch\"");
  refused(head + good, "has the times of 1 steps; needed are 10 or more");
  refused(head + "{},1x28x28,16,0\n", "in column \"seconds\"");
  refused(head + "{},1x28x28,1.5,1\n", "found \"1.5\" in column \"batch\"");
  refused(head + "{},28x28,16,1\n", "found the shape \"28x28\"; expected channels, height and width");
  refused(head + "{,1x28x28,16,1\n", "steps.csv:2");
  refused(head + "\"{\"\"kind\"\": \"\"mlq\"\"}\",1x28x28,16,1\n", "did you mean \"mlp\"");
  write_text(folder / "steps.csv", head + good);
  CHECK_THAT(run_program({"calibrate", "--device", folder / "steps.csv"}).err, Contains("--start"));
  CHECK_THAT(run_program({"calibrate", "--device", "--start", "t4"}).err, Contains("--start"));
  CHECK_THAT(run_program({"calibrate", "--device", "--steps", "3"}).err, Contains("10 or more"));
}

}  // namespace calibrate_test
