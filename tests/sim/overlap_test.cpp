// Data parallel with buckets, whose all-reduce overlaps the backward pass, against theory that is computed
// here anew: FLOPs layer by layer, a pipeline of buckets, and the ring's closed form.

#include "sim/protocols/gradient_mean.hpp"
#include "tests/sim/runs.hpp"

using namespace isthmus;
using namespace isthmus::testing;

namespace overlap_test {
namespace {

constexpr double latency = 1e-3, bandwidth = 1e6, speed = 1e9;  // of the small scenario
constexpr int workers = 4, layers = 16, width = 64, batch = 8, rounds = 3;

/// Square layers without biases or norms: every bucket of as many layers is the same.
json square_layers(const json& protocol = json::object()) {
  std::vector<int> hidden(layers - 1, width);
  json scenario = scenario_with({{"data", {{"dimensions", width}, {"classes", width}, {"samples", 640}}},
                                 {"model",
                                  {{"kind", "mlp"},
                                   {"hidden", hidden},
                                   {"bias", false},
                                   {"batch_norm", false},
                                   {"output_batch_norm", false}}},
                                 {"training", {{"batch", batch}, {"rounds", rounds}}}});
  scenario["protocol"] = {{"kind", "data_parallel"}};
  scenario["protocol"].update(protocol);
  return scenario;
}

constexpr double layer_bytes = 4.0 * width * width;

/// Buckets of so many layers.
json buckets_of(int layers_per_bucket) {
  const std::string bytes = std::to_string(static_cast<int>(layer_bytes) * layers_per_bucket) + "B";
  return {{"bucket", bytes}, {"first_bucket", bytes}};
}

double ring_seconds(double bytes) { return 2 * (workers - 1) * (latency + bytes / workers / bandwidth); }

/// Of one step: a linear layer takes 2 batch width^2 FLOPs forward and twice that backward (once in the first
/// layer, whose input needs no gradient), a ReLU one per element, softmax 5 per class, plain SGD 2 per
/// parameter.
struct Step {
  double matrix = 2.0 * batch * width * width, elements = 1.0 * batch * width;
  double forward = layers * matrix + (layers - 1) * elements + 5 * elements;
  double update = 2.0 * layers * width * width;
  /// Until the gradient of a layer (0 is the first) is known.
  double known_after(int layer) const {
    double flops = forward;
    for (int i = layers - 1; i >= layer; --i) {
      if (i < layers - 1) flops += elements;
      flops += i == 0 ? matrix : 2 * matrix;
    }
    return flops;
  }
};

double overlapped_seconds(int layers_per_bucket, double device_speed = speed) {
  const Step step;
  double communicates_until = 0;
  for (int end = layers; end > 0; end -= layers_per_bucket) {
    const int first = std::max(0, end - layers_per_bucket);
    communicates_until = std::max(communicates_until, step.known_after(first) / device_speed) +
                         ring_seconds((end - first) * layer_bytes);
  }
  return communicates_until + step.update / device_speed;
}

}  // namespace

TEST_CASE("overlap: rounds take what a pipeline of buckets takes, at any ratio of compute to communication") {
  for (const double device_speed : {1e6, 1e7, 3e7, 1e8, 1e9, 1e12}) {
    for (const int layers_per_bucket : {1, 2, 3, 8, 16, 100}) {
      json scenario = square_layers(buckets_of(layers_per_bucket));
      scenario["platform"]["speed"] = std::to_string(static_cast<long>(device_speed)) + "f";
      INFO(layers_per_bucket << " layers in a bucket, " << device_speed << " FLOP/s");
      const json run = complete_scenario(scenario);
      CHECK_CLOSE(run["seconds"].get<double>(), rounds * overlapped_seconds(layers_per_bucket, device_speed));

      const Prepared prepared(scenario);
      const Forecast forecast = closed_form(prepared.scenario.protocol, prepared.job, {.latency_seconds = latency, .bandwidth_bytes_per_second = bandwidth});
      CHECK_CLOSE(run["seconds"].get<double>(),
                  rounds * forecast.round_seconds(forecast.workers[0], device_speed));
    }
  }
}

TEST_CASE("overlap: the backward pass and communication take the longer of the two") {
  // With layers many and buckets small, all but the first layer's compute and the last one's bucket overlap.
  const Step step;
  const double communication = layers * ring_seconds(layer_bytes);
  for (const double ratio : {0.1, 0.5, 0.9, 1.1, 2.0, 10.0}) {
    const double backward_flops = step.known_after(0) - step.forward;
    const double device_speed = std::round(backward_flops / (ratio * communication));
    const double backward = backward_flops / device_speed;
    json scenario = square_layers(buckets_of(1));
    scenario["platform"]["speed"] = std::to_string(static_cast<long>(device_speed)) + "f";
    const double outside = (step.forward + step.update) / device_speed;
    const double seconds = complete_scenario(scenario)["seconds"].get<double>() / rounds;
    INFO(ratio);
    CHECK(seconds - outside >= std::max(backward, communication) * (1 - 1e-6));
    CHECK(seconds - outside <=
          std::max(backward, communication) + 1.01 * std::max(backward, communication) / layers * 2);

    scenario["protocol"]["overlap"] = false;
    CHECK_CLOSE(complete_scenario(scenario)["seconds"].get<double>() / rounds,
                outside + backward + communication);
  }
}

TEST_CASE("overlap: the best bucket is where the first one's compute balances the others' latencies") {
  // Where communication is the longer: T(k) = forward + backward / k + communication + k latencies for k
  // buckets, which is least at k = sqrt(backward / latencies of a ring).
  const Step step;
  constexpr double ring_latencies = 2 * (workers - 1) * latency;
  for (const int best : {2, 4, 8}) {
    const double backward = best * best * ring_latencies;
    const double device_speed = std::round(2 * layers * step.matrix / backward);
    std::map<double, int> by_seconds;
    for (const int buckets : {1, 2, 4, 8, 16}) {
      json scenario = square_layers(buckets_of(layers / buckets));
      scenario["platform"]["speed"] = std::to_string(static_cast<long>(device_speed)) + "f";
      scenario["platform"]["bandwidth"] = "100kBps";
      by_seconds[complete_scenario(scenario)["seconds"]] = buckets;
    }
    CHECK(by_seconds.begin()->second == best);
  }
}

TEST_CASE("overlap changes times alone: bytes, FLOPs and numbers stay the same to the bit") {
  for (const int n : {1, 2, 3, 4}) {
    for (const char* aggregate : {"ring", "ring_chunked", "tree", "sharded", "server"}) {
      INFO(n << " workers, " << aggregate);
      json scenario = square_layers(buckets_of(3));
      scenario["numerics"] = "live";
      scenario["training"]["momentum"] = 0.9;
      scenario["platform"]["workers"] = n;
      scenario["platform"]["speed"] = "10Mf";
      scenario["protocol"]["aggregate"] = aggregate;
      const json overlapped = complete_scenario(scenario, 3);
      scenario["protocol"]["overlap"] = false;
      const json plain = complete_scenario(scenario);
      for (std::size_t row = 0; row < rounds; ++row) {
        for (const char* number : {"train_loss", "test_loss", "bytes_sent", "samples"})
          CHECK(overlapped["history"][row][number] == plain["history"][row][number]);
      }
      for (std::size_t rank = 0; rank < static_cast<std::size_t>(n); ++rank) {
        const json &a = overlapped["workers"][rank], &b = plain["workers"][rank];
        for (const char* count : {"bytes_sent", "bytes_received", "messages_sent", "memory"})
          CHECK(a[count] == b[count]);
        CHECK_CLOSE(a["flops"].get<double>(), b["flops"].get<double>());
        CHECK_CLOSE(a["compute"].get<double>(), b["compute"].get<double>());
        CHECK_CLOSE(a["compute"].get<double>() + a["communication"].get<double>() + a["idle"].get<double>(),
                    overlapped["seconds"].get<double>());
        if (n > 1) CHECK(a["communication"].get<double>() < b["communication"].get<double>());
      }
      if (n == 1) CHECK_CLOSE(overlapped["seconds"].get<double>(), plain["seconds"].get<double>());
      if (n > 1) CHECK(overlapped["seconds"] < plain["seconds"]);
    }
  }
}

TEST_CASE("overlap: what goes wrong beside the worker is the run's outcome") {
  json scenario = square_layers(buckets_of(1));
  const Prepared prepared(scenario);
  const MemoryUse need = closed_form(prepared.scenario.protocol, prepared.job, {}).workers[0].memory;
  scenario["platform"]["memory"] = std::to_string(need.total() - 1) + "B";
  const json too_little = run_scenario(scenario);
  CHECK(too_little["outcome"] == "out_of_memory");
  CHECK(too_little["out_of_memory"]["need"]["buffers"] == need[MemoryPart::buffers]);
  scenario["platform"]["memory"] = std::to_string(need.total()) + "B";
  CHECK(run_scenario(scenario)["outcome"] == "completed");
}

TEST_CASE("buckets: whole blocks from the last to the first, closed once they are full") {
  ParameterLayout layout;
  std::vector<int> axes;
  for (const int size : {10, 20, 5, 40, 1}) axes.push_back(layout.add_axis("a", size));
  for (std::size_t i = 0; i < axes.size(); ++i) layout.add("block" + std::to_string(i), axes[i]);
  layout.add("statistics", axes[0], 0, 1, false);
  const auto buckets = [&](double first_values, double values) {
    return gradient_buckets(layout, {.bucket_bytes = 4 * values, .first_bucket_bytes = 4 * first_values});
  };
  using Extents = std::vector<Extent>;
  CHECK(buckets(1000, 1000) == Extents{{0, 76}});
  CHECK(buckets(1, 1000) == Extents{{75, 1}, {0, 75}});
  CHECK(buckets(1000, 1) == Extents{{75, 1}, {35, 40}, {30, 5}, {10, 20}, {0, 10}});
  CHECK(buckets(2, 25) == Extents{{35, 41}, {10, 25}, {0, 10}});
  CHECK(buckets(2, 26) == Extents{{35, 41}, {0, 35}});
  CHECK(buckets(41, 36) == Extents{{35, 41}, {0, 35}});
}

}  // namespace overlap_test
