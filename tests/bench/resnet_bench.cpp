// SGD steps (momentum 0.9) of residual networks, one thread.
//   build/tests/bench/benchmarks --benchmark_filter=resnet
#include <benchmark/benchmark.h>

#include "models/data/split.hpp"
#include "models/model.hpp"
#include "models/threads.hpp"
#include "models/trainer.hpp"

namespace isthmus {
namespace {

void train_steps(benchmark::State& state, const nlohmann::json& shape, const nlohmann::json& model_options,
                 int batch, Precision precision = Precision::fp32) {
  if (precision == Precision::bf16 && !has_bf16()) return state.SkipWithError("this CPU has no bf16");
  use_one_thread();
  const Dataset data = make_data_source({{"set", "synthetic"},
                                         {"shape", shape},
                                         {"classes", 10},
                                         {"samples", 512},
                                         {"test_samples", 16},
                                         {"difficulty", 0.5},
                                         {"seed", 1}})
                           ->load();
  nlohmann::json options = {
      {"kind", "resnet"},         {"block", "basic"},       {"pre_activation", true},
      {"convolution", "fastest"}, {"statistics", "batch"},  {"stem_kernel", 3},
      {"stem_stride", 1},         {"stem_max_pool", false}, {"hidden", nlohmann::json::array()}};
  options.update(model_options);
  const auto model = make_model(options, data.description);
  TrainingOptions training;
  training.batch = batch;
  training.optimizer = {{"kind", "sgd"}, {"momentum", 0.9}};
  training.precision = precision;
  Trainer trainer(data,
                  BatchStream(split_samples({}, data.train_labels, 1, 1)[0], random_stream(1, "batches")),
                  training, 1000);
  trainer.set_model(*model);
  copy(model->initial_parameters(random_stream(1, "parameters")), trainer.parameters());
  trainer.train(1);  // primitives are made here
  for (auto _ : state) benchmark::DoNotOptimize(trainer.train(1));
  state.counters["FLOP/s"] =
      benchmark::Counter(model->costs(batch).gradient_flops(), benchmark::Counter::kIsIterationInvariantRate);
}

void resnet20_step(benchmark::State& state) {
  train_steps(state, {1, 28, 28},
              {{"name", "resnet20"}, {"convolution", state.range(0) ? "fastest" : "direct"}}, 64);
}
BENCHMARK(resnet20_step)->ArgName("winograd")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

void resnet18_step(benchmark::State& state) {
  train_steps(state, {3, 32, 32},
              {{"name", "resnet18"}, {"convolution", state.range(0) ? "fastest" : "direct"}}, 32);
}
BENCHMARK(resnet18_step)->ArgName("winograd")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

void resnet20_bf16_step(benchmark::State& state) {
  train_steps(state, {1, 28, 28}, {{"name", "resnet20"}}, 64, Precision::bf16);
}
BENCHMARK(resnet20_bf16_step)->Unit(benchmark::kMillisecond);

void resnet18_bf16_step(benchmark::State& state) {
  train_steps(state, {3, 32, 32}, {{"name", "resnet18"}}, 32, Precision::bf16);
}
BENCHMARK(resnet18_bf16_step)->Unit(benchmark::kMillisecond);

// How a step's cost follows FLOPs where there are few channels.
void resnet_width_step(benchmark::State& state) {
  const auto width = state.range(0);
  train_steps(state, {3, 32, 32}, {{"widths", {width, width, width}}, {"sections", {2, 2, 2}}}, 64);
}
BENCHMARK(resnet_width_step)
    ->ArgName("width")
    ->ArgsProduct({{1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 24, 32, 64}})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace isthmus
