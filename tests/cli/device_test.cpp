// `isthmus device`: what it shows of a device, what it predicts, and what it says of bad arguments.

#include <catch2/catch.hpp>
#include <set>

#include "tests/cli/program.hpp"

using namespace isthmus::testing;
using Catch::Matchers::Contains;
using nlohmann::json;

namespace device_command_test {

TEST_CASE("device shows figures and their sources, and list names it") {
  const ProgramResult shown = run_program({"device", "v100-sxm2"});
  INFO(shown.err);
  CHECK(shown.exit_code == 0);
  for (const char* text : {"NVIDIA Tesla V100", "fp32 peak", "15.7 TFLOP/s", "memory bandwidth", "900 GB/s",
                           "kernel ", "7.3 us", "16 GiB", "300 W", "128x128 128x64", "DeepBench", "vendor"})
    CHECK_THAT(shown.out, Contains(text));
  CHECK_THAT(run_program({"list"}).out, Contains("v100-sxm2") && Contains("Raspberry Pi 4"));
}

TEST_CASE("device predicts products, in several precisions") {
  const ProgramResult result = run_program({"device", "v100-sxm2", "--product", "2048x16x2048", "512x16x512",
                                            "--precision", "fp32", "fp16", "--json"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const json document = json::parse(result.out);
  CHECK(document["profile"]["multiprocessors"]["value"] == 80);
  REQUIRE(document["products"].size() == 4);
  const json& first = document["products"][0];
  CHECK(first["precision"] == "fp32");
  CHECK(first["seconds"].get<double>() == Approx(41.9e-6).epsilon(0.2));  // measured
  CHECK(first["seconds"].get<double>() ==
        Approx(first["launch_seconds"].get<double>() + first["compute_seconds"].get<double>() +
               first["memory_seconds"].get<double>()));
  CHECK(first["bound"] == "compute");
  CHECK(document["products"][3]["precision"] == "fp16");
  CHECK(document["products"][3]["bound"] == "launch");

  const std::vector<std::string> eager = {"device", "t4", "--product", "64x64x64", "--eager"};
  CHECK_THAT(run_program(eager).out, Contains("64x64x64") && Contains("launch") && Contains("7"));
}

TEST_CASE("device predicts a scenario's steps, kernel by kernel, as check and the simulator have them") {
  const std::string quickstart = source_path("scenarios/quickstart.json");
  const ProgramResult result =
      run_program({"device", "v100-sxm2", "--scenario", quickstart, "--eager", "--json"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const json steps = json::parse(result.out)["steps"];
  REQUIRE(steps.size() == 1);  // one network for three protocols
  double flops = 0;
  for (const json& kernel : steps[0]["kernels"])
    flops += kernel["count"].get<double>() * kernel["flops"].get<double>();
  CHECK(flops == steps[0]["flops"]);
  CHECK(steps[0]["kernels"][0]["kind"] == "copy");  // of the mini-batch
  const json& first = steps[0]["kernels"][1];
  CHECK(first["kind"] == "product");
  CHECK(first["product"] == json::array({128, 512, 784}));
  CHECK(first["flops"] == 2.0 * 128 * 512 * 784);
  CHECK_THAT(run_program({"device", "v100-sxm2", "--scenario", quickstart}).out,
             Contains("A local step of run 0-data_parallel in fp32") && Contains("128x512x784"));

  const TemporaryFolder folder;
  const ProgramResult run = run_program({"run", quickstart, "--set", "/numerics=\"costs\"", "--set",
                                         "/training/epochs=1", "--out", folder / "out"});
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  const json of_run = read_json_file(folder / "out" / "runs" / "1-local_sgd" / "run.json");
  CHECK(of_run["provenance"]["devices"].contains("v100-sxm2"));
  CHECK(of_run["summary"]["energy_joules"].get<double>() > 0);
  const auto rows = read_cells(folder / "out" / "runs" / "1-local_sgd" / "workers.csv");
  REQUIRE(rows[0][2] == "compute_seconds");
  // 117 steps of a worker's quarter of 60,000 samples, 128 at a time.
  CHECK(std::stod(rows[1][2]) == Approx(117 * steps[0]["seconds"].get<double>()).epsilon(1e-9));

  const ProgramResult checked = run_program({"check", quickstart, "--details"});
  CHECK_THAT(checked.out, Contains("device    v100-sxm2, fp32: a step of the whole model takes ") &&
                              Contains("launching kernels ") &&
                              Contains("a step of worker 0 has 16 % of that work"));
}

TEST_CASE("a sweep over devices trains once") {
  const TemporaryFolder folder;
  json scenario = small_study("devices");
  scenario["platform"].erase("speed");
  scenario["sweep"] = {{"/platform/device", {"v100-sxm2", "raspberry-pi-5", "t4"}}};
  scenario["protocol"] = {{"kind", "local_sgd"}, {"local_steps", 2}};
  write_text(folder / "scenario.json", scenario.dump());
  const ProgramResult result = run_program({"run", folder / "scenario.json", "--out", folder / "out"});
  INFO(result.err << result.out);
  REQUIRE(result.exit_code == 0);
  std::set<std::string> trajectories, accuracies;
  std::set<double> seconds;
  for (const auto& entry : fs::directory_iterator(folder / "out" / "runs")) {
    const json run = read_json_file(entry.path() / "run.json");
    trajectories.insert(run["provenance"]["trajectory"].get<std::string>());
    accuracies.insert(run["summary"]["final_test_accuracy"].dump());
    seconds.insert(run["summary"]["simulated_seconds"].get<double>());
  }
  CHECK(trajectories.size() == 1);
  CHECK(accuracies.size() == 1);
  CHECK(seconds.size() == 3);
}

TEST_CASE("device finds files, and says what it cannot read") {
  const TemporaryFolder folder;
  write_text(folder / "mine.json",
             R"({"description": "mine", "precisions": {"fp32": {"peak_flops_per_second":
                 {"value": 1e12, "source": "mine"}}}})");
  const ProgramResult own =
      run_program({"device", folder / "mine.json", "--product", "1000x1000x1000", "--json"});
  INFO(own.err);
  REQUIRE(own.exit_code == 0);
  CHECK(json::parse(own.out)["products"][0]["seconds"] == 2e9 / 1e12);

  const auto message = [](const std::vector<std::string>& arguments) {
    const ProgramResult result = run_program(arguments);
    CHECK(result.exit_code == 2);
    CHECK(result.out.empty());
    return result.err;
  };
  CHECK_THAT(message({"device", "v100-smx2"}), Contains("isthmus: v100-smx2: no such device; did you mean "
                                                        "\"v100-sxm2\"? "));
  CHECK_THAT(message({"device", "t4", "--product", "64x64"}),
             Contains("isthmus: --product: found \"64x64\"; expected ROWSxCOLUMNSxDEPTH"));
  CHECK_THAT(message({"device", "t4", "--product", "0x64x64"}),
             Contains("isthmus: --product: found \"0x64x64\""));
  CHECK_THAT(message({"device", "t4", "--precision", "fp8"}),
             Contains("isthmus: --precision: found \"fp8\"") && Contains("allowed: fp32, tf32, bf16, fp16"));
  CHECK_THAT(message({"device", "t4", "--precision", "bf16"}),
             Contains("isthmus: t4: has no figures for the precision \"bf16\"; allowed: fp32, fp16"));
  write_text(folder / "mine.json", R"({"description": "mine"})");
  CHECK_THAT(message({"device", folder / "mine.json"}), Contains("mine.json: /precisions: missing; "));
}

}  // namespace device_command_test
