// Values that travel in 16 bits: half the bytes, really rounded, and replicas that stay the same to the bit.

#include <limits>

#include "models/codec/number_format.hpp"
#include "sim/collectives/all_reduce.hpp"
#include "tests/sim/runs.hpp"

using namespace isthmus;
using namespace isthmus::testing;

namespace wire_format_test {

TEST_CASE("wire formats round to the nearest number of theirs, ties to even") {
  // fp16 has 11 bits, bf16 has 8: 1 + 2^-11 and 1 + 2^-8 lie half way.
  std::vector<float> values = {1.0F,  1 + 0x1p-11F, 1 + 3 * 0x1p-11F, 1 + 0x1p-8F, 1 + 3 * 0x1p-8F, 65519,
                               65520, 1e-10F};
  std::vector<float> half = values, brain = values;
  number_format_named("fp16").round(half);
  number_format_named("bf16").round(brain);
  const float infinity = std::numeric_limits<float>::infinity();
  CHECK(half == std::vector<float>{1, 1, 1 + 0x1p-9F, 1 + 0x1p-8F, 1 + 3 * 0x1p-8F, 65504, infinity, 0});
  CHECK(brain[0] == 1);
  CHECK(brain[3] == 1);
  CHECK(brain[4] == 1 + 0x1p-6F);
  CHECK(brain[6] == 65536);
  CHECK(std::abs(brain[7] / 1e-10F - 1) < 0x1p-8F);
  std::vector<float> same = values;
  number_format_named("fp32").round(same);
  CHECK(same == values);
}

TEST_CASE("wire formats: half the bytes, the time of half the bytes, as forecast") {
  for (const char* protocol : {"data_parallel", "local_sgd", "ist", "resist"}) {
    if (std::string(protocol) == "resist") continue;  // needs a residual network
    json options = {{"kind", protocol}};
    if (std::string(protocol) != "data_parallel") options["local_steps"] = 2;
    json scenario = scenario_with({{"protocol", options}, {"training", {{"rounds", 2}}}});
    const json full = complete_scenario(scenario);
    for (const char* format : {"fp16", "bf16"}) {
      scenario["protocol"]["wire_format"] = format;
      const json run = complete_scenario(scenario);
      INFO(protocol << " " << format);
      CHECK(2 * total(run, "bytes_sent") == total(full, "bytes_sent"));
      CHECK(2 * total(run, "bytes_received") == total(full, "bytes_received"));
      CHECK(2 * run["paper_bytes"].get<double>() == full["paper_bytes"].get<double>());
      const Prepared prepared(scenario);
      const Forecast predicted = closed_form(prepared.scenario.protocol, prepared.job, {1e-3, 1e6});
      if (!predicted.varies) {
        for (std::size_t rank = 0; rank < predicted.workers.size(); ++rank)
          CHECK(run["workers"][rank]["bytes_sent"] == 2 * predicted.workers[rank].bytes_sent);
      }
    }
  }
}

TEST_CASE("wire formats: the mean is the same to the bit on every worker, and close to that of fp32") {
  for (const std::string name : {"ring", "ring_chunked", "tree", "halving_doubling", "server", "sharded"}) {
    for (const auto& [format, precision] :
         {std::pair{"fp16", 0x1p-10}, {"bf16", 0x1p-7}, {"fp32", 0x1p-22}}) {
      INFO(name << " " << format);
      json scenario = scenario_with({{"protocol", {{"kind", "data_parallel"}, {"wire_format", format}}},
                                     {"numerics", "live"},
                                     {"training", {{"rounds", 1}}}});
      constexpr std::size_t count = 1003;
      const json bits = run_isolated([&] {
        std::vector<std::vector<float>> means(4);
        auto protocol = std::make_unique<TestProtocol>([&](Worker& worker) {
          std::vector<float> values(count);
          for (std::size_t i = 0; i < count; ++i)
            values[i] =
                1 + static_cast<float>((i * 37 + static_cast<std::size_t>(worker.rank()) * 11) % 101) / 101;
          mean(*all_reduce_named(name), worker.communicator(), values);
          means[static_cast<std::size_t>(worker.rank())] = values;
        });
        const Prepared prepared(scenario, std::move(protocol));
        static_cast<void>(simulate(prepared.scenario, prepared.job, *prepared.protocol, {}));
        double worst = 0;
        for (std::size_t i = 0; i < count; ++i) {
          double exact = 0;
          for (std::size_t rank = 0; rank < 4; ++rank)
            exact += (1 + static_cast<double>((i * 37 + rank * 11) % 101) / 101) / 4;
          worst = std::max(worst, std::abs(means[0][i] / exact - 1));
        }
        const bool same = means[0] == means[1] && means[0] == means[2] && means[0] == means[3];
        return json{{"same", same}, {"worst", worst}};
      });
      CHECK(bits["same"] == true);
      CHECK(bits["worst"].get<double>() < 4 * precision);
      if (std::string(format) != "fp32")
        CHECK(bits["worst"].get<double>() > precision / 64);  // it is rounded
    }
  }
}

}  // namespace wire_format_test
