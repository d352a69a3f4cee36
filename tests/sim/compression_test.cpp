// Compressed means: equal to exact ones where nothing is left out, conserved where something is, and their
// bytes, time and memory by closed forms.

#include <boost/random/normal_distribution.hpp>

#include "models/codec/codec.hpp"
#include "sim/averaging/averaging.hpp"
#include "tests/sim/runs.hpp"

using namespace isthmus;
using namespace isthmus::testing;

namespace compression_test {
namespace {

json with(json object, const json& options) {
  object.update(options);
  return object;
}

json scenario_of(const json& protocol, int workers = 3, long rounds = 6) {
  return scenario_with({{"platform", {{"workers", workers}}},
                        {"model", {{"kind", "mlp"}, {"hidden", {16}}, {"statistics", "running"}}},
                        {"training", {{"rounds", rounds}, {"batch", 6}}},
                        {"protocol", protocol}});
}

std::vector<double> test_losses(const json& protocol, int workers = 3, long rounds = 6) {
  const json run = complete_scenario(with(scenario_of(protocol, workers, rounds), {{"numerics", "live"}}));
  std::vector<double> losses;
  for (const json& row : run["history"]) losses.push_back(row["test_loss"].get<double>());
  return losses;
}

void check_near(const std::vector<double>& found, const std::vector<double>& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i] == Approx(expected[i]).epsilon(2e-4));
}

const json data_parallel = {{"kind", "data_parallel"}};
const json local_sgd = {{"kind", "local_sgd"}, {"local_steps", 3}};
const json diloco = {{"kind", "diloco"}, {"local_steps", 3}};

json by(const json& compression, const char* aggregate = "ring") {
  return {{"compression", compression}, {"aggregate", aggregate}};
}

const json all_of_top_k = {{"kind", "top_k"}, {"share", 1}, {"error_feedback", "none"}};
const json all_of_random_k = {{"kind", "random_k"}, {"share", 1}};

/// Values of one worker and step.
std::vector<float> values_of(int rank, int step, std::size_t count) {
  Random random(static_cast<std::uint64_t>(100 * step + rank));
  boost::random::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

/// Each worker makes the mean of `inputs(rank, step)`, again and again; what each gets.
template <typename Inputs>
json means(const json& options, int workers, int steps, const std::vector<Tensor>& tensors, Inputs inputs) {
  json scenario = scenario_of(data_parallel, workers, 1);
  scenario["numerics"] = "live";
  const json protocol = with({{"aggregate", "ring"}}, options);
  const json run = run_workers(scenario, [&](Worker& worker) {
    const AveragingOptions averaging(protocol);
    const auto mean = averaging.make(worker, tensors);
    json results = json::array();
    for (int step = 0; step < steps; ++step) {
      std::vector<float> values = inputs(worker.rank(), step);
      mean->mean(worker.communicator(), values, step + 1);
      results.push_back(values);
    }
    return results;
  });
  INFO(run["message"]);
  REQUIRE(run["outcome"] == "completed");
  return run["returned"];
}

std::vector<float> exact_mean(int workers, int step, std::size_t count) {
  std::vector<float> mean(count);
  for (int rank = 0; rank < workers; ++rank) {
    const std::vector<float> values = values_of(rank, step, count);
    for (std::size_t i = 0; i < count; ++i) mean[i] += values[i] / static_cast<float>(workers);
  }
  return mean;
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  return largest;
}

/// All that `compression` can be, with the aggregates that go with it.
std::vector<json> all_compressions() {
  std::vector<json> all;
  const auto add = [&](const std::string& kind) {
    for (const std::string& aggregate : possible_aggregates({{"compression", {{"kind", kind}}}})) {
      if (aggregate != "hierarchical") all.push_back(by({{"kind", kind}}, aggregate.c_str()));
    }
  };
  for (const CodecKind& codec : codec_kinds()) add(codec.kind.name);
  for (const AveragingKind& averaging : averaging_kinds()) add(averaging.kind.name);
  return all;
}

const std::vector<Tensor> some_tensors = {{7, 9}, {9, 1}, {1, 5}, {12, 4}};
constexpr std::size_t some_values = 7 * 9 + 9 + 5 + 12 * 4;

}  // namespace

TEST_CASE("compression that leaves nothing out changes nothing") {
  // Added in rank order, as by the server: to the bit.
  CHECK(test_losses(with(data_parallel, by(all_of_top_k))) ==
        test_losses(with(data_parallel, {{"aggregate", "server"}})));
  for (const char* aggregate : {"ring", "tree", "server", "sharded", "halving_doubling"}) {
    CHECK(test_losses(with(data_parallel, by(all_of_random_k, aggregate))) ==
          test_losses(with(data_parallel, {{"aggregate", aggregate}})));
  }
  const std::vector<double> exact = test_losses(data_parallel);
  for (const char* aggregate : {"server", "sharded"})
    check_near(test_losses(with(data_parallel, by(all_of_top_k, aggregate))), exact);
  for (const char* feedback : {"residual", "ef21"})
    check_near(test_losses(with(data_parallel, by(with(all_of_top_k, {{"error_feedback", feedback}})))),
               exact);
  check_near(test_losses(with(data_parallel, by({{"kind", "power_sgd"}, {"rank", 100}}))), exact);
  check_near(test_losses(with(data_parallel, by({{"kind", "power_sgd"}, {"start_round", 100}}))), exact);
}

TEST_CASE("compression of a round's change: local SGD, post-local SGD, DiLoCo and slow momentum") {
  const json slow = with(local_sgd, {{"slow_momentum", 0.5}});
  const json post = {{"kind", "post_local_sgd"}, {"local_steps", 3}, {"switch_at", 0.3}};
  for (const json& protocol : {local_sgd, diloco, slow, post}) {
    INFO(protocol);
    const std::vector<double> exact = test_losses(protocol);
    for (const json& all : {all_of_top_k, all_of_random_k, json{{"kind", "power_sgd"}, {"rank", 100}}})
      check_near(test_losses(with(protocol, by(all))), exact);
    CHECK(test_losses(with(protocol, by({{"kind", "top_k"}, {"share", 0.1}}))) != exact);
  }
}

TEST_CASE("SparseLoCo of everything, not quantised, is DiLoCo without momentum, as it is, it learns") {
  const json outer = {{"outer_optimizer", {{"kind", "sgd"}, {"learning_rate", 0.4}}}};
  const json chunks = {{"kind", "top_k"}, {"share", 1}, {"chunk", 64}, {"residual_decay", 0.95}};
  check_near(test_losses(with(with(diloco, outer), by(chunks))), test_losses(with(diloco, outer)));
  const json as_it_is = with(chunks, {{"share", 1.0 / 16}, {"values", "lookup"}});
  const std::vector<double> losses = test_losses(with(with(diloco, outer), by(as_it_is)), 3, 12);
  CHECK(losses.back() < losses.front());
}

TEST_CASE("alone, what leaves nothing out is SGD") {
  const std::vector<double> sgd = test_losses(data_parallel, 1);
  check_near(test_losses(with(data_parallel, by(all_of_top_k)), 1), sgd);
  CHECK(test_losses(with(data_parallel, by({{"kind", "perm_k"}})), 1) == sgd);
}

TEST_CASE("majority vote: what most say, ties 0 or drawn, bytes of bits") {
  constexpr std::size_t count = 200;
  const auto votes = [&](const json& options, int workers, const std::vector<float>& said) {
    const json found = means(options, workers, 1, {{count, 1}}, [&](int rank, int) {
      return std::vector<float>(count, said[static_cast<std::size_t>(rank)]);
    });
    return found[0][0].get<std::vector<float>>();
  };
  const json vote = {{"kind", "majority_vote"}};
  for (const char* aggregate : {"ring", "server", "sharded"}) {
    CHECK(votes(by(vote, aggregate), 3, {0.1F, -7, 0.2F}) == std::vector<float>(count, 1));
    CHECK(votes(by(vote, aggregate), 4, {0.1F, -7, -0.2F, -1}) == std::vector<float>(count, -1));
    CHECK(votes(by(vote, aggregate), 2, {0.1F, -7}) == std::vector<float>(count, 0));
  }
  const std::vector<float> drawn = votes(by(with(vote, {{"ties", "random"}}), "server"), 2, {0.1F, -7});
  const auto for_it = std::ranges::count(drawn, 1.0F), against = std::ranges::count(drawn, -1.0F);
  CHECK(for_it + against == static_cast<long>(count));
  CHECK(std::min(for_it, against) > 70);

  const auto sent = [&](int workers, const json& more, std::size_t rank) {
    const json run =
        complete_scenario(scenario_of(with(data_parallel, by(with(vote, more), "server")), workers, 1));
    return run["workers"][rank]["bytes_sent"].get<std::size_t>();
  };
  // 192 + 16 + 16 + 64 bits of a perceptron whose tensors fill bytes.
  CHECK(sent(3, json::object(), 1) == 288 / 8);
  CHECK(sent(3, json::object(), 0) == 2 * 288 / 8);
  CHECK(sent(4, json::object(), 0) == 3 * 2 * 288 / 8);
  CHECK(sent(4, {{"ties", "random"}}, 0) == 3 * 288 / 8);
}

TEST_CASE("majority vote of one, and of workers who say the same, is the sign of its momentum") {
  constexpr float momentum = 0.9F;
  const json options = by({{"kind", "majority_vote"}, {"momentum", momentum}});
  for (const int workers : {1, 3}) {
    const json found = means(options, workers, 5, some_tensors,
                             [](int, int step) { return values_of(0, step, some_values); });
    std::vector<float> m(some_values);
    for (int step = 0; step < 5; ++step) {
      const std::vector<float> g = values_of(0, step, some_values);
      for (std::size_t i = 0; i < some_values; ++i) {
        m[i] = momentum * m[i] + (1 - momentum) * g[i];
        REQUIRE(found[0][static_cast<std::size_t>(step)][i] == (m[i] < 0 ? -1 : 1));
      }
    }
  }
}

TEST_CASE("DeMo that keeps all of no momentum is exact, and its signs are those of the mean") {
  const json all = {{"kind", "demo"}, {"kept", 1 << 20}, {"decay", 0}, {"sign", false}};
  check_near(test_losses(with(data_parallel, by(all))), test_losses(data_parallel));
  const json signs = means(by(with(all, {{"sign", true}})), 1, 1, some_tensors,
                           [](int, int) { return values_of(0, 0, some_values); });
  const std::vector<float> values = values_of(0, 0, some_values);
  for (std::size_t i = 0; i < some_values; ++i) CHECK(signs[0][0][i] == (values[i] < 0 ? -1 : 1));
}

TEST_CASE("DeMo: nothing of a momentum is lost, coefficients are means over those who sent them") {
  constexpr int workers = 3, steps = 60;
  const json few = {{"kind", "demo"}, {"kept", 4}, {"tile", 8}, {"decay", 1}, {"sign", false}};
  // All workers the same: what comes back is what each sent, in the end all of it.
  const json found = means(by(few), workers, steps, some_tensors, [](int, int step) {
    return step == 0 ? values_of(0, 0, some_values) : std::vector<float>(some_values);
  });
  std::vector<float> sum(some_values);
  for (const json& step : found[0]) {
    for (std::size_t i = 0; i < some_values; ++i) sum[i] += step[i].get<float>();
  }
  CHECK(largest_difference(sum, values_of(0, 0, some_values)) < 1e-4);
  // A cosine is one coefficient, whoever has it: the others' silence counts for nothing.
  const auto cosine = [](std::size_t i) {
    return static_cast<float>(std::cos(3.14159265358979 * (2 * static_cast<double>(i) + 1) * 3 / 16));
  };
  const json alone = means(by(with(few, {{"kept", 1}})), workers, 1, {{8, 1}}, [&](int rank, int) {
    std::vector<float> values(8);
    for (std::size_t i = 0; i < 8; ++i) values[i] = rank == 1 ? cosine(i) : 0;
    return values;
  });
  for (std::size_t i = 0; i < 8; ++i) CHECK(alone[0][0][i].get<float>() == Approx(cosine(i)).margin(1e-5));
}

TEST_CASE("DGC without momentum is top-k with a residual") {
  const json top_k = {{"kind", "top_k"}, {"share", 0.1}};
  CHECK(test_losses(with(data_parallel, by(with(top_k, {{"error_feedback", "dgc"}, {"dgc_momentum", 0}})))) ==
        test_losses(with(data_parallel, by(top_k))));
}

TEST_CASE("compressed means are the same to the bit on every worker") {
  for (const json& options : all_compressions()) {
    for (const int workers : {1, 2, 5}) {
      INFO(options << " of " << workers);
      const json found = means(options, workers, 3, some_tensors,
                               [](int rank, int step) { return values_of(rank, step, some_values); });
      for (const json& each : found) CHECK(each == found[0]);
    }
  }
}

TEST_CASE("unbiased compression is right in the mean over many draws") {
  constexpr int workers = 3, steps = 3000;
  const std::vector<float> expected = exact_mean(workers, 0, some_values);
  for (const json& options :
       {by({{"kind", "qsgd"}}), by({{"kind", "qsgd"}}, "sharded"), by({{"kind", "random_k"}, {"share", 0.2}}),
        by({{"kind", "ternary"}, {"clip", 0}}), by({{"kind", "perm_k"}})}) {
    INFO(options);
    const json found = means(options, workers, steps, some_tensors,
                             [](int rank, int) { return values_of(rank, 0, some_values); });
    std::vector<float> mean(some_values);
    for (const json& step : found[0]) {
      for (std::size_t i = 0; i < some_values; ++i) mean[i] += step[i].get<float>() / steps;
    }
    CHECK(largest_difference(mean, expected) < 0.25);
  }
}

TEST_CASE("PermK takes each value from one worker, and all have the same share") {
  constexpr int workers = 4;
  constexpr std::size_t count = 40;
  const json found = means(by({{"kind", "perm_k"}}), workers, 2, {{count, 1}}, [](int rank, int) {
    return std::vector<float>(count, static_cast<float>(rank + 1));
  });
  std::vector<int> of_worker(workers + 1);
  for (const json& value : found[0][0]) ++of_worker.at(value.get<std::size_t>());
  CHECK(of_worker == std::vector<int>{0, 10, 10, 10, 10});
  CHECK(found[0][0] != found[0][1]);
}

TEST_CASE("nothing is lost: what was left out comes with the next means") {
  constexpr int workers = 3, steps = 40;
  const std::vector<float> expected = exact_mean(workers, 0, some_values);
  for (const json& options :
       {by({{"kind", "top_k"}, {"share", 0.1}}), by({{"kind", "top_k"}, {"share", 0.1}}, "server"),
        by({{"kind", "top_k"}, {"share", 0.1}}, "sharded"), by({{"kind", "int8"}}),
        by({{"kind", "random_k"}, {"share", 0.5}, {"error_feedback", "residual"}}),
        by({{"kind", "fp8"}}, "sharded")}) {
    INFO(options);
    const json found = means(options, workers, steps, some_tensors, [](int rank, int step) {
      return step == 0 ? values_of(rank, 0, some_values) : std::vector<float>(some_values);
    });
    std::vector<float> sum(some_values);
    for (const json& step : found[0]) {
      for (std::size_t i = 0; i < some_values; ++i) sum[i] += step[i].get<float>();
    }
    CHECK(largest_difference(sum, expected) < 1e-5);
  }
}

TEST_CASE("EF21 comes to the mean of what stays the same") {
  constexpr int workers = 3;
  const json found = means(by({{"kind", "top_k"}, {"share", 0.25}, {"error_feedback", "ef21"}}), workers, 8,
                           some_tensors, [](int rank, int) { return values_of(rank, 0, some_values); });
  const std::vector<float> expected = exact_mean(workers, 0, some_values);
  CHECK(largest_difference(found[0][0].get<std::vector<float>>(), expected) > 0.1);
  CHECK(largest_difference(found[0][7].get<std::vector<float>>(), expected) < 1e-5);
}

TEST_CASE("PowerSGD: a mean of rank one is found at once, with feedback nothing is lost") {
  const std::vector<Tensor> matrix = {{12, 8}};
  const auto outer_product = [](int rank, int) {
    const std::vector<float> u = values_of(9, 9, 12), v = values_of(8, 8, 8);
    std::vector<float> values;
    for (const float a : u) {
      for (const float b : v) values.push_back(a * b * static_cast<float>(rank + 1));
    }
    return values;
  };
  const json rank_one = means(by({{"kind", "power_sgd"}, {"rank", 1}}), 3, 1, matrix, outer_product);
  CHECK(largest_difference(rank_one[0][0].get<std::vector<float>>(), outer_product(1, 0)) < 1e-5);

  // The sum of the means and of what is left over is the sum of what went in; it is fed zeros until little is
  // left.
  const json found =
      means(by({{"kind", "power_sgd"}, {"rank", 2}}), 3, 60, some_tensors, [](int rank, int step) {
        return step == 0 ? values_of(rank, 0, some_values) : std::vector<float>(some_values);
      });
  std::vector<float> sum(some_values);
  for (const json& step : found[0]) {
    for (std::size_t i = 0; i < some_values; ++i) sum[i] += step[i].get<float>();
  }
  CHECK(largest_difference(sum, exact_mean(3, 0, some_values)) < 1e-3);
}

TEST_CASE("bytes of compressed means are the closed forms'") {
  const json model = {{"kind", "mlp"}, {"hidden", {16}}};
  const std::vector<std::size_t> tensors = {12 * 16, 16, 16, 16 * 4};  // of batch norm two
  const auto sent = [&](const json& options, int workers) {
    json scenario = scenario_of(with(data_parallel, options), workers, 1);
    scenario["model"] = model;
    const json run = complete_scenario(scenario);
    std::vector<std::uint64_t> bytes;
    for (const json& worker : run["workers"]) bytes.push_back(worker["bytes_sent"]);
    return bytes;
  };
  for (const char* kind : {"top_k", "qsgd", "sign", "ternary", "int8", "e3m0", "fp8", "lookup"}) {
    const auto codec = make_codec({{"kind", kind}});
    std::size_t payload = 0;
    for (const std::size_t size : tensors) payload += codec->bytes(size);
    for (const int workers : {1, 2, 3, 8}) {
      INFO(kind << " on " << workers);
      const auto others = static_cast<std::uint64_t>(workers - 1);
      for (const std::uint64_t bytes : sent(by({{"kind", kind}}), workers)) CHECK(bytes == others * payload);
      const auto by_server = sent(by({{"kind", kind}}, "server"), workers);
      for (std::size_t rank = 0; rank < by_server.size(); ++rank)
        CHECK(by_server[rank] == (rank == 0 ? others * payload : payload));
      if (workers == 1) continue;
      // Each shard once to its owner and n - 1 times from there; cutting adds what each piece has of its own.
      for (const std::uint64_t bytes : sent(by({{"kind", kind}}, "sharded"), workers)) {
        const double pieces = 2.0 * static_cast<double>(others) / workers * static_cast<double>(payload);
        CHECK(static_cast<double>(bytes) > 0.8 * pieces);
        CHECK(static_cast<double>(bytes) < pieces + 2.0 * workers * 4 * 24);
      }
    }
  }
  // Two workers' ring sends all there is once.
  for (const std::uint64_t bytes : sent(by({{"kind", "random_k"}, {"share", 0.25}}), 2))
    CHECK(bytes == 4 * (48 + 4 + 4 + 16));
  for (const std::uint64_t bytes : sent(by({{"kind", "perm_k"}}), 4)) CHECK(bytes == 4 * 288 / 4 * 3);
  for (const std::uint64_t bytes : sent(by({{"kind", "power_sgd"}, {"rank", 2}}), 2))
    CHECK(bytes == 4 * (2 * (12 + 16) + 2 * (16 + 4) + 32));
}

TEST_CASE("PowerSGD's megabytes of an epoch of ResNet18 are its paper's") {
  for (const auto& [rank, mebibytes] : {std::pair{1, 4.2}, {2, 7.5}, {4, 14.2}}) {
    const json run = complete_scenario(
        {{"name", "power"},
         {"platform", {{"file", source_file("platforms/star-8.xml").string()}, {"workers", 2}}},
         {"data",
          {{"set", "synthetic"},
           {"shape", {3, 32, 32}},
           {"classes", 10},
           {"samples", 4},
           {"test_samples", 1}}},
         {"model",
          {{"kind", "resnet"},
           {"block", "basic"},
           {"sections", {2, 2, 2, 2}},
           {"widths", {64, 128, 256, 512}},
           {"pre_activation", false}}},
         {"training", {{"batch", 1}, {"rounds", 1}, {"learning_rate", 0.1}}},
         {"numerics", "costs"},
         {"protocol", with(data_parallel, by({{"kind", "power_sgd"}, {"rank", rank}}))}});
    // Two workers' ring sends all there is once; an epoch has 24 steps.
    const auto bytes = run["workers"][0]["bytes_sent"].get<double>();
    CHECK(bytes == 4 * (rank * 36325 + 9610));
    CHECK(std::round(bytes * 24 / 1048576 * 10) / 10 == Approx(mebibytes));
  }
}

TEST_CASE("compression: memory of what is remembered, and of the server's") {
  const auto optimizer_bytes = [](const json& options, std::size_t rank) {
    const json run = complete_scenario(scenario_of(with(data_parallel, options), 3, 1));
    return run["workers"][rank]["memory"]["optimizer"].get<std::size_t>();
  };
  const std::size_t p = Prepared(scenario_of(data_parallel)).job.model().layout().trainable_size();
  const json top_k = {{"kind", "top_k"}};
  const std::size_t plain = optimizer_bytes(json::object(), 0);
  CHECK(optimizer_bytes(by(with(top_k, {{"error_feedback", "none"}})), 0) == plain);
  CHECK(optimizer_bytes(by(top_k), 0) == plain + 4 * p);
  CHECK(optimizer_bytes(by(with(top_k, {{"error_feedback", "ef21"}})), 0) == plain + 8 * p);
  CHECK(optimizer_bytes(by(with(top_k, {{"error_feedback", "dgc"}})), 0) == plain + 8 * p);
  CHECK(optimizer_bytes(by(top_k, "server"), 0) == plain + 8 * p);
  CHECK(optimizer_bytes(by(top_k, "server"), 1) == plain + 4 * p);
  CHECK(optimizer_bytes(by({{"kind", "power_sgd"}, {"error_feedback", false}}), 0) > plain);
}

TEST_CASE("compression: what is remembered may not fit") {
  const json top_k = {{"kind", "top_k"}, {"error_feedback", "none"}};
  const auto outcome = [&](const json& compression, std::size_t memory) {
    json scenario = scenario_of(with(data_parallel, by(compression)), 3, 1);
    scenario["platform"]["memory"] = std::to_string(memory) + "B";
    return run_scenario(scenario);
  };
  const json fits = outcome(top_k, 1 << 30);
  REQUIRE(fits["outcome"] == "completed");
  std::size_t peak = 0;
  for (const auto& [part, bytes] : fits["workers"][0]["memory"].items()) peak += bytes.get<std::size_t>();
  CHECK(outcome(top_k, peak)["outcome"] == "completed");
  const json too_much = outcome({{"kind", "top_k"}}, peak);
  REQUIRE(too_much["outcome"] == "out_of_memory");
  CHECK(too_much["out_of_memory"]["need"]["optimizer"].get<std::size_t>() > 0);
}

TEST_CASE("compression takes its devices time, and costs what live runs take") {
  for (const json& options : all_compressions()) {
    INFO(options);
    json scenario = scenario_of(with(data_parallel, options), 4, 3);
    const json costs = complete_scenario(scenario);
    scenario["numerics"] = "live";
    const json live = complete_scenario(scenario);
    CHECK(costs["seconds"] == live["seconds"]);
    CHECK(total(costs, "bytes_sent") == total(live, "bytes_sent"));
    scenario["platform"].erase("speed");
    scenario["platform"]["device"] = "v100-sxm2";
    scenario["numerics"] = "costs";
    const json on_device = complete_scenario(scenario);
    scenario["platform"]["issue"] = "bare";
    scenario["platform"]["bandwidth"] = "1000TBps";
    scenario["platform"]["latency"] = "0s";
    const json no_network = complete_scenario(scenario);
    CHECK(no_network["workers"][1]["communication"].get<double>() > 1e-6);  // what codecs take
    CHECK(on_device["seconds"].get<double>() > no_network["seconds"].get<double>());
  }
}

TEST_CASE("compression: what does not go together is refused by name") {
  const auto refusal = [](const json& options) {
    return input_error_of([&] { Prepared prepared(scenario_of(with(data_parallel, options))); });
  };
  CHECK(refusal(by({{"kind", "top_k"}}, "tree")) ==
        "/protocol/aggregate: found \"tree\"; what compression by top_k sends does not travel so; "
        "allowed: \"ring\", \"server\", \"sharded\"");
  CHECK_THAT(refusal(by({{"kind", "perm_k"}}, "server")), Catch::Contains("perm_k"));
  CHECK_THAT(refusal(by({{"kind", "top_q"}})), Catch::Contains("did you mean \"top_k\""));
  CHECK_THAT(refusal(by({{"kind", "top_k"}, {"share", 0}})), Catch::Contains("/protocol/compression/share"));
  CHECK_THAT(refusal(by({{"kind", "top_k"}, {"dgc_momentum", 0.5}})), Catch::Contains("error_feedback"));
}

TEST_CASE("IST and ResIST: parcels travel by codecs") {
  const json residual = {{"kind", "resnet"}, {"sections", {1, 1, 3}}, {"widths", {4, 4, 4}}};
  const json images = {{"dimensions", nullptr}, {"shape", {1, 8, 8}}};
  for (const char* exchange : {"server", "sharded", "peer"}) {
    const bool is_resist = std::string(exchange) == "peer";
    const json protocol = {
        {"kind", is_resist ? "resist" : "ist"}, {"local_steps", 3}, {"exchange", exchange}};
    const auto run = [&](const json& compression, const char* numerics) {
      json scenario = scenario_of(with(protocol, compression), 3, 4);
      scenario["numerics"] = numerics;
      if (is_resist) {
        scenario["model"] = residual;
        scenario["data"].merge_patch(images);
      }
      return complete_scenario(scenario);
    };
    const auto loss = [&](const json& compression) {
      return run(compression, "live")["history"].back()["test_loss"].get<double>();
    };
    INFO(exchange);
    const double exact = loss(json::object());
    const auto int8 = [](int bits) { return json{{"compression", {{"kind", "int8"}, {"bits", bits}}}}; };
    CHECK(loss(int8(16)) == Approx(exact).epsilon(3e-3));
    CHECK(loss(int8(16)) != exact);
    CHECK(std::abs(loss(int8(2)) - exact) > std::abs(loss(int8(8)) - exact));
    const json whole = run(json::object(), "costs"), coded = run(int8(8), "costs"),
               live = run(int8(8), "live");
    CHECK(total(coded, "bytes_sent") == total(live, "bytes_sent"));
    CHECK(coded["seconds"] == live["seconds"]);
    CHECK(coded["paper_bytes"].get<double>() < 0.6 * whole["paper_bytes"].get<double>());
    if (!is_resist) {  // a byte a value, and four for each block or less
      CHECK(total(coded, "bytes_sent") * 4 > total(whole, "bytes_sent"));
      CHECK(total(coded, "bytes_sent") * 2 < total(whole, "bytes_sent"));
    }
  }
  CHECK_THAT(input_error_of([&] {
               Prepared prepared(
                   scenario_of({{"kind", "ist"}, {"local_steps", 3}, {"compression", {{"kind", "top_k"}}}}));
             }),
             Catch::Contains("/protocol/compression/kind"));
}

TEST_CASE("compression that is not charged takes its devices no time") {
  for (const json& options : all_compressions()) {
    INFO(options);
    json scenario = scenario_of(with(data_parallel, options), 3, 2);
    scenario["platform"].erase("speed");
    scenario["platform"]["device"] = "v100-sxm2";
    const double charged = complete_scenario(scenario)["seconds"];
    scenario["protocol"]["charge_compression"] = false;
    CHECK(complete_scenario(scenario)["seconds"].get<double>() < charged);
  }
}

TEST_CASE("compression: auto tries what goes with it") {
  for (const char* kind : {"top_k", "perm_k", "random_k"}) {
    const Scenario resolved =
        Prepared::resolve(scenario_of(with(data_parallel, by({{"kind", kind}}, "auto")), 4));
    const auto possible = possible_aggregates(resolved.protocol);
    CHECK(std::ranges::count(possible, resolved.protocol["aggregate"].get<std::string>()) == 1);
  }
}

TEST_CASE("without error feedback top-k is worse") {
  const json top_k = {{"kind", "top_k"}, {"share", 0.02}};
  const double with_feedback = test_losses(with(data_parallel, by(top_k)), 4, 60).back();
  const double without =
      test_losses(with(data_parallel, by(with(top_k, {{"error_feedback", "none"}}))), 4, 60).back();
  CHECK(with_feedback < without);
}

}  // namespace compression_test
