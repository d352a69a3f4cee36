#include "sim/calibration/steps.hpp"

#include <algorithm>
#include <boost/random/uniform_01.hpp>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "models/error.hpp"
#include "models/random.hpp"
#include "models/threads.hpp"
#include "models/trainer.hpp"
#include "sim/core/job.hpp"
#include "sim/core/replica.hpp"
#include "sim/platform/device_files.hpp"
#include "sim/study/plan.hpp"

namespace isthmus {

namespace fs = std::filesystem;

namespace {

using nlohmann::json;

constexpr double seconds_each_time = 0.02;  ///< that a step is measured for, at least

/// Seconds that this thread has had of a CPU.
double cpu_seconds() {
  std::timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// {"kind": "mlp", "hidden": [512]} -> "mlp hidden=[512]"
std::string text_of(const json& model) {
  std::string text = model.value("name", model.value("kind", ""));
  for (const auto& [option, value] : model.items()) {
    if (option != "kind" && option != "name") text += ' ' + option + '=' + value.dump();
  }
  std::erase(text, '"');
  return text;
}

std::vector<int> read_shape(const std::string& text, const std::string& place) {
  std::vector<int> shape(3);
  int used = 0;
  if (std::sscanf(text.c_str(), "%dx%dx%d%n", &shape[0], &shape[1], &shape[2], &used) == 3 &&
      static_cast<std::size_t>(used) == text.size())
    return shape;
  throw InputError(place, "found the shape \"" + text +
                              "\"; expected channels, height and width of a sample, such as 1x28x28, or "
                              "784x1x1 for 784 numbers");
}

/// Of one step, by one measurement.
double measured_seconds(const CalibrationStep& step) {
  use_one_thread();
  const Job job(step.data, step.model, step.training, 1, {}, true);
  constexpr long endless = 1'000'000'000;
  Trainer trainer(job.dataset(), job.batches(0), job.training(), endless);
  trainer.set_model(job.model());
  copy(job.initial_parameters(), trainer.parameters());
  trainer.train(1);  // makes the code
  double least = 0, all = 0;
  for (int times = 0; times < 2 || all < seconds_each_time; ++times) {
    const double begin = cpu_seconds();
    trainer.train(1);
    const double seconds = cpu_seconds() - begin;
    least = times == 0 ? seconds : std::min(least, seconds);
    all += seconds;
  }
  return least;
}

/// Numbers between two others, as often between 1 and 2 as between 2 and 4.
class Draw {
 public:
  explicit Draw(std::string_view purpose) : random_(random_stream(1, purpose)) {}

  int between(double least, double most) {
    return static_cast<int>(std::lround(least * std::pow(most / least, uniform_(random_))));
  }
  int power_of_two(double least, double most) {
    return 1 << static_cast<int>(std::lround(std::log2(between(least, most))));
  }

 private:
  Random random_;
  boost::random::uniform_01<double> uniform_;
};

CalibrationStep perceptron(int index) {
  Draw draw("perceptron " + std::to_string(index));
  std::vector<int> hidden(static_cast<std::size_t>(1 + index % 3));
  for (int& width : hidden) width = draw.between(32, 2048);
  if (index / 3 % 2 == 0) std::ranges::fill(hidden, hidden.front());
  const int inputs = index % 4 == 3 ? draw.between(32, 2000) : 784;
  const int batch = index / 6 % 2 == 0 ? draw.power_of_two(8, 256) : draw.between(8, 256);
  return calibration_step({{"kind", "mlp"}, {"hidden", hidden}, {"batch_norm", index / 12 % 2 == 0}},
                          std::to_string(inputs) + "x1x1", batch, json::object(), "");
}

CalibrationStep residual_network(int index) {
  Draw draw("residual network " + std::to_string(index));
  const int width = index % 2 == 0 ? 8 * draw.between(1, 8) : draw.between(8, 64);
  std::vector<int> sections(3);
  for (int& blocks : sections) blocks = draw.between(1, 2);
  // Wide ones in small batches, for the time it takes.
  const int most = std::clamp(4096 / width, 32, 128);
  const int batch = index / 2 % 2 == 0 ? draw.power_of_two(8, most) : draw.between(8, most);
  return calibration_step({{"kind", "resnet"},
                           {"widths", {width, 2 * width, 4 * width}},
                           {"sections", sections},
                           {"pre_activation", index / 4 % 2 == 0}},
                          index / 8 % 2 == 0 ? "1x28x28" : "3x32x32", batch, json::object(), "");
}

}  // namespace

CalibrationStep calibration_step(const json& model, const std::string& shape, long batch, const json& options,
                                 const std::string& place) {
  thread_local const Checker checker(complete_schema());
  static const fs::path platforms = shipped_devices().at("v100-sxm2").parent_path().parent_path();
  json training = options;
  training["batch"] = batch;
  ScenarioDocument scenario = {
      {"name", "calibration"},
      {"platform", {{"file", "star-8.xml"}, {"workers", 1}}},
      {"data",
       {{"set", "synthetic"}, {"shape", read_shape(shape, place)}, {"classes", 10}, {"samples", 512}}},
      {"protocol", {{"kind", "data_parallel"}}}};
  scenario["model"] = model;
  scenario["training"] = training;
  try {
    const Point point = std::move(resolve_points(scenario, checker, platforms).front());
    const Scenario& resolved = point.scenario;
    const Job job(resolved.data, resolved.model, resolved.training, 1, {}, false);
    return {.name = text_of(model) + ", " + shape + ", batch " + std::to_string(batch),
            .data = resolved.data,
            .model = resolved.model,
            .training = resolved.training,
            .work = step_work(job, job.model())};
  } catch (const InputError& error) {
    throw InputError(place + ": " + error.place(), error.text());
  }
}

std::vector<CalibrationStep> steps_for_own_machine(int count) {
  std::vector<CalibrationStep> steps;
  for (int i = 0; i < count; ++i) {
    const int fives = i / 5, in_five = i % 5;
    steps.push_back(in_five < 3 ? perceptron(3 * fives + in_five)
                                : residual_network(2 * fives + in_five - 3));
  }
  return steps;
}

void measure(std::vector<CalibrationStep>& steps, int rounds,
             const std::function<void(std::size_t, std::size_t)>& progress) {
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const double seconds = measured_seconds(steps[i]);
      steps[i].seconds = round == 0 ? seconds : std::min(steps[i].seconds, seconds);
      progress(static_cast<std::size_t>(round) * steps.size() + i + 1,
               static_cast<std::size_t>(rounds) * steps.size());
    }
  }
}

}  // namespace isthmus
