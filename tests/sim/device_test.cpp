// Devices with a profile: what a simulated step takes is what the device's model says of its kernels.

#include "models/device/device_model.hpp"
#include "sim/platform/device_files.hpp"
#include "tests/sim/runs.hpp"

using namespace isthmus;
using namespace isthmus::testing;

namespace device_test {
namespace {

/// The file of a device, which lives as long as this object. Members of the document are given as values.
class DeviceProfileFile {
 public:
  explicit DeviceProfileFile(const json& figures, const std::string& name = "made-up") {
    folder_ = std::filesystem::temp_directory_path() / ("isthmus-device-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
    path_ = folder_ / (name + ".json");
    json document = {{"description", "made up for a test"}};
    for (const auto& [key, value] : figures.items()) {
      if (key == "fp32") continue;
      document[key] = {{"value", value}, {"source", "made up"}};
    }
    document["precisions"]["fp32"] = json::object();
    for (const auto& [key, value] : figures.at("fp32").items())
      document["precisions"]["fp32"][key] = {{"value", value}, {"source", "made up"}};
    std::ofstream(path_) << document.dump();
  }
  DeviceProfileFile(const DeviceProfileFile&) = delete;
  DeviceProfileFile& operator=(const DeviceProfileFile&) = delete;
  ~DeviceProfileFile() { std::filesystem::remove(path_); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path folder_, path_;
};

constexpr double peak = 3e9;
const json flat = {{"fp32", {{"peak_flops_per_second", peak}}}};

json on_device(const std::string& device, const json& protocol, const json& more = json::object()) {
  json scenario =
      scenario_with({{"protocol", protocol}, {"platform", {{"speed", nullptr}, {"device", device}}}});
  scenario.merge_patch(more);
  return scenario;
}

const std::vector<json> protocols = {{{"kind", "data_parallel"}},
                                     {{"kind", "data_parallel"}, {"bucket", "1kB"}, {"first_bucket", "100B"}},
                                     {{"kind", "data_parallel"}, {"overlap", false}},
                                     {{"kind", "local_sgd"}, {"local_steps", 3}},
                                     {{"kind", "ist"}, {"local_steps", 2}},
                                     {{"kind", "ist"}, {"local_steps", 2}, {"exchange", "sharded"}}};

std::string message_of(const json& scenario) {
  try {
    run_scenario(scenario);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

/// Seconds in which a worker of the scenario computes a local step.
double step_seconds(const json& scenario, const DeviceModel& model) {
  const Prepared prepared(scenario);
  return model.seconds(step_work(prepared.job, prepared.job.model())).seconds();
}

}  // namespace

TEST_CASE("device: without launches and with endless bandwidth it takes FLOPs / peak") {
  const DeviceProfileFile file(flat);
  for (const json& protocol : protocols) {
    for (const bool charged : {false, true}) {
      const json training = {{"training", {{"charge_evaluation", charged}, {"evaluation_batch", 25}}}};
      INFO(protocol << " " << charged);
      const json by_profile = complete_scenario(on_device(file.path(), protocol, training));
      json by_speed = scenario_with({{"protocol", protocol}, {"platform", {{"speed", "3Gf"}}}});
      by_speed.merge_patch(training);
      by_speed = complete_scenario(by_speed);
      CHECK(std::abs(by_profile["seconds"].get<double>() / by_speed["seconds"].get<double>() - 1) < 1e-14);
      for (std::size_t rank = 0; rank < 4; ++rank) {
        CHECK(by_profile["workers"][rank]["flops"] == by_speed["workers"][rank]["flops"]);
        CHECK(by_profile["workers"][rank]["compute"].get<double>() ==
              Approx(by_speed["workers"][rank]["compute"].get<double>()).epsilon(1e-12));
      }
    }
  }
}

TEST_CASE("device: a worker computes for as long as its model says, whatever the host's own speed") {
  const DeviceModel v100(find_device("v100-sxm2").profile, DevicePrecision::fp32, Issue::eager);
  const json scenario = on_device("v100-sxm2", {{"kind", "local_sgd"}, {"local_steps", 5}});
  const double step = step_seconds(scenario, v100);
  // 2 rounds of 5 steps, in which each operation waits for the framework.
  const json run = complete_scenario(scenario);
  for (const json& worker : run["workers"]) CHECK_CLOSE(worker["compute"].get<double>(), 10 * step);
  CHECK(step > 10 * v100.profile().operation_seconds);

  json bare = scenario;
  bare["platform"]["issue"] = "bare";
  const double bare_step = step_seconds(scenario, DeviceModel(v100.profile()));
  CHECK_CLOSE(complete_scenario(bare)["workers"][0]["compute"].get<double>(), 10 * bare_step);
  CHECK(bare_step < step / 4);

  json half = bare;
  half["platform"]["precision"] = "fp16";
  CHECK_CLOSE(complete_scenario(half)["workers"][0]["compute"].get<double>(),
              10 * step_seconds(scenario, DeviceModel(v100.profile(), DevicePrecision::fp16)));
}

TEST_CASE("device: overlapped or not, a step's computing takes the same") {
  // Buckets are known piece by piece, and the pieces add up: also where operations wait to be issued.
  for (const char* issue : {"eager", "bare"}) {
    std::vector<double> seconds;
    for (const json& protocol : {protocols[0], protocols[1], protocols[2]}) {
      const json run =
          complete_scenario(on_device("v100-sxm2", protocol, {{"platform", {{"issue", issue}}}}));
      seconds.push_back(run["workers"][0]["compute"].get<double>());
    }
    CHECK_CLOSE(seconds[0], seconds[1]);
    CHECK_CLOSE(seconds[0], seconds[2]);
  }
}

TEST_CASE("device: computing is told apart by what it waits for") {
  json figures = flat;
  figures["kernel_seconds"] = 1e-6;
  figures["memory_bandwidth_bytes_per_second"] = 8e9;
  const DeviceProfileFile file(figures);
  for (const char* kind : {"data_parallel", "ist"}) {
    CAPTURE(kind);
    json protocol = {{"kind", kind}};
    if (std::string(kind) == "ist") protocol["local_steps"] = 3;
    const json run = complete_scenario(on_device(file.path(), protocol));
    for (const json& worker : run["workers"]) {
      double all = 0;
      for (const char* bound : {"launch_bound", "compute_bound", "memory_bound"}) {
        CHECK(worker[bound].get<double>() > 0);
        all += worker[bound].get<double>();
      }
      CHECK_CLOSE(all, worker["compute"].get<double>());
    }
  }
  const json flat_run = complete_scenario(scenario_with({{"protocol", {{"kind", "data_parallel"}}}}));
  CHECK(flat_run["workers"][0]["launch_bound"].get<double>() == 0);
}

TEST_CASE("device: sums of an all-reduce take the time of the memory") {
  json figures = flat;
  const auto seconds_at = [&](double bandwidth) {
    figures["memory_bandwidth_bytes_per_second"] = bandwidth;
    const DeviceProfileFile file(figures);
    const json run =
        run_workers(on_device(file.path(), {{"kind", "data_parallel"}}, {{"training", {{"rounds", 1}}}}),
                    [](Worker& worker) {
                      all_reduce_named("ring")->run(worker.communicator(), Values::phantom(4000));
                      return json();
                    });
    REQUIRE(run["outcome"] == "completed");
    return run["seconds"].get<double>();
  };
  // Three sums of a quarter of the values: read two, write one.
  const double slow = seconds_at(1e6), fast = seconds_at(2e6);
  CHECK(slow - fast == Approx(3 * 1000 * 12.0 / 2e6).epsilon(1e-9));
}

TEST_CASE("device: its memory is the limit unless another is given") {
  json figures = flat;
  figures["memory_bytes"] = 5000;
  const DeviceProfileFile file(figures);
  json scenario = on_device(file.path(), {{"kind", "data_parallel"}});
  const json run = run_scenario(scenario);
  CHECK(run["outcome"] == "out_of_memory");
  CHECK(run["out_of_memory"]["limit"] == 5000);
  scenario["platform"]["memory"] = "1GiB";
  CHECK(run_scenario(scenario)["outcome"] == "completed");
}

TEST_CASE("device: energy of the time it computes, and of the time it waits") {
  json figures = flat;
  figures["idle_watts"] = 10;
  figures["busy_watts"] = 100;
  const DeviceProfileFile file(figures);
  json scenario = on_device(file.path(), {{"kind", "local_sgd"}, {"local_steps", 3}});
  // One of them has no watts.
  scenario["platform"]["devices"]["n-3"]["speed"] = "3Gf";
  const json run = complete_scenario(scenario);
  const double all = run["seconds"];
  for (std::size_t rank = 0; rank < 3; ++rank) {
    const double busy = run["workers"][rank]["compute"];
    CHECK_CLOSE(run["workers"][rank]["joules"].get<double>(), 100 * busy + 10 * (all - busy));
  }
  CHECK(run["workers"][3]["joules"].is_null());
}

TEST_CASE("device: the most exact word on what a host is wins") {
  const DeviceProfileFile file(flat);
  const auto compute = [](const json& scenario) {
    std::vector<double> seconds;
    const json run = complete_scenario(scenario);
    for (const json& worker : run["workers"]) seconds.push_back(worker["compute"]);
    return seconds;
  };
  json scenario = scenario_with({{"protocol", {{"kind", "local_sgd"}, {"local_steps", 2}}}});
  const double at_1_gf = compute(scenario)[0];
  // One host of its own kind among those of a speed ...
  scenario["platform"]["devices"]["n-1"]["device"] = file.path();
  std::vector<double> mixed = compute(scenario);
  CHECK_CLOSE(mixed[0], at_1_gf);
  CHECK_CLOSE(mixed[1], at_1_gf / 3);
  // ... and one of a speed of its own among those of a kind.
  scenario["platform"].erase("speed");
  scenario["platform"]["device"] = file.path();
  scenario["platform"]["devices"] = {{"n-1", {{"speed", "1Gf"}}}};
  mixed = compute(scenario);
  CHECK_CLOSE(mixed[0], at_1_gf / 3);
  CHECK_CLOSE(mixed[1], at_1_gf);
}

TEST_CASE("device: a platform file may name the kind of a host") {
  const TemporaryPlatform platform(
      R"(<zone id="z" routing="Full"><host id="a" speed="1Gf"><prop id="device" value="v100-sxm2"/></host>
  <host id="b" speed="7Gf"><prop id="device" value="v100-sxm2"/><prop id="memory" value="1GiB"/></host>
  <link id="l" bandwidth="1GBps" latency="1us"/><route src="a" dst="b"><link_ctn id="l"/></route></zone>)");
  const json scenario = scenario_with(
      {{"platform", {{"file", platform.options().file.string()}, {"workers", 2}, {"speed", nullptr}}}});
  const json run = complete_scenario(scenario);
  CHECK_CLOSE(run["workers"][0]["compute"].get<double>(), run["workers"][1]["compute"].get<double>());
  CHECK(run["workers"][0]["memory_limit"] == std::uint64_t{1} << 34);
  CHECK(run["workers"][1]["memory_limit"] == std::uint64_t{1} << 30);
}

TEST_CASE("device: what makes no sense is refused by place") {
  json scenario = on_device("v100", {{"kind", "data_parallel"}});
  CHECK_THAT(message_of(scenario), Catch::Contains("/platform/device") && Catch::Contains("v100-sxm2"));
  scenario = on_device("v100-sxm2", {{"kind", "data_parallel"}}, {{"platform", {{"speed", "1Gf"}}}});
  CHECK_THAT(message_of(scenario), Catch::Contains("/platform/speed") && Catch::Contains("one of the two"));
  scenario = on_device("v100-sxm2", {{"kind", "data_parallel"}}, {{"platform", {{"precision", "bf16"}}}});
  CHECK_THAT(message_of(scenario), Catch::Contains("/platform/device") && Catch::Contains("fp32, fp16"));
  scenario = on_device("v100-sxm2", {{"kind", "data_parallel"}}, {{"platform", {{"precision", "fp8"}}}});
  CHECK_THAT(message_of(scenario), Catch::Contains("/platform/precision"));
}

}  // namespace device_test
