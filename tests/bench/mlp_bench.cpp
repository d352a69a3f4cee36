// SGD steps of the IST paper's kind of network, one thread.
//   build/tests/bench/benchmarks --benchmark_filter=mlp
#include <benchmark/benchmark.h>

#include "models/data/split.hpp"
#include "models/mlp.hpp"
#include "models/threads.hpp"
#include "models/trainer.hpp"

namespace isthmus {
namespace {

Dataset random_data(Index inputs, int classes) {
  const auto source = make_data_source({{"set", "synthetic"},
                                        {"dimensions", inputs},
                                        {"classes", classes},
                                        {"samples", 4096},
                                        {"test_samples", 16},
                                        {"difficulty", 0.5},
                                        {"seed", 1}});
  return source->load();
}

void mlp_step(benchmark::State& state) {
  use_one_thread();
  const Index width = state.range(0);
  const Dataset data = random_data(784, 10);
  const Mlp model(784, {.hidden = {width, width}, .classes = 10}, data.description.sample_bytes());
  TrainingOptions options;
  Trainer trainer(data,
                  BatchStream(split_samples({}, data.train_labels, 1, 1)[0], random_stream(1, "batches")),
                  options, 1000);
  trainer.set_model(model);
  copy(model.initial_parameters(random_stream(1, "parameters")), trainer.parameters());
  for (auto _ : state) benchmark::DoNotOptimize(trainer.train(1));
  const CostProfile costs = model.costs(options.batch);
  state.counters["FLOP/s"] =
      benchmark::Counter(costs.gradient_flops(), benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(mlp_step)->Arg(128)->Arg(256)->Arg(512)->Arg(1024)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace isthmus
