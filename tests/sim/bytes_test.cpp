// Bytes of the protocols, counted by the ledger, against the closed forms of the papers, written out here.

#include "models/partition/neurons.hpp"
#include "tests/sim/runs.hpp"

using namespace isthmus;
using namespace isthmus::testing;

namespace bytes_test {
namespace {

using Widths = std::vector<long>;

struct Shape {
  Widths hidden;
  bool bias = false;
  bool running = false;  // running statistics, of the output's batch norm too
};

constexpr long inputs = 12, classes = 4;  // of the small scenario
constexpr long rounds = 3;

/// How much of `total` comes to `index` when it is dealt out one by one.
long share(long total, long n, long index) { return total / n + (index < total % n ? 1 : 0); }

/// Neurons of a layer of `width` that rest with `home` and are dealt to `worker`: homes are consecutive
/// slices, and the first neuron of all slices goes to worker 0, the next to worker 1, ...
long overlap(long width, long n, long home, long worker) {
  long first = 0;
  for (long h = 0; h < home; ++h) first += share(width, n, h);
  long count = 0;
  for (long place = first; place < first + share(width, n, home); ++place)
    count += place % n == worker ? 1 : 0;
  return count;
}

/// Parameters that lie on `own[i]` neurons of layer i, where their other ends are `all[i]` of layer i, and on
/// `own_classes` outputs. Hidden-to-hidden weights count with the later layer.
long parameters(const Shape& network, const Widths& own, const Widths& all, long own_classes) {
  long sum = 0;
  for (std::size_t i = 0; i < own.size(); ++i) {
    sum += own[i] * (i == 0 ? inputs : all[i - 1]);  // weights from the layer before
    sum += own[i] *
           (2 + (network.bias ? 1 : 0) + (network.running ? 2 : 0));  // scale, shift; bias; mean, variance
  }
  sum += own.back() * classes;
  return sum + own_classes * ((network.bias ? 1 : 0) + (network.running ? 2 : 0));
}

Widths part_widths(const Shape& network, long n, long worker) {
  Widths widths;
  for (const long width : network.hidden) widths.push_back(share(width, n, worker));
  return widths;
}

long part(const Shape& network, long n, long worker) {
  const Widths widths = part_widths(network, n, worker);
  return parameters(network, widths, widths, classes);
}

/// What of a worker's part rests with `home`.
long part_at_home(const Shape& network, long n, long home, long worker) {
  Widths own;
  for (const long width : network.hidden) own.push_back(overlap(width, n, home, worker));
  return parameters(network, own, part_widths(network, n, worker), share(classes, n, home));
}

json scenario_of(const Shape& network, int n, const json& protocol) {
  static const TemporaryPlatform platform(star(16));
  return scenario_with({{"platform", {{"file", platform.options().file.string()}, {"workers", n}}},
                        {"model",
                         {{"kind", "mlp"},
                          {"hidden", network.hidden},
                          {"bias", network.bias},
                          {"statistics", network.running ? "running" : "batch"}}},
                        {"training", {{"rounds", rounds}}},
                        {"protocol", protocol}});
}

json ist(const std::string& exchange) {
  return {{"kind", "ist"}, {"local_steps", 2}, {"exchange", exchange}};
}

template <typename Check>
void for_all_shapes(const Check& check) {
  const std::vector<Widths> all_widths = {{16},     {64},     {17},         {100},       {36, 36},
                                          {16, 23}, {31, 18}, {16, 17, 19}, {64, 64, 64}};
  int at = 0;
  for (const int n : {1, 2, 3, 4, 5, 6, 7, 8, 13, 16}) {
    for (std::size_t i = 0; i < all_widths.size(); ++i, ++at) {
      // Every network with any number of workers; with and without bias and statistics in all ways for those
      // that divide worst, and in turn for the others.
      const bool all_ways = all_widths[i] == Widths{17} || all_widths[i] == Widths{31, 18};
      for (const int way : {0, 1, 2, 3}) {
        if (!all_ways && way != at % 4) continue;
        const bool bias = way % 2 == 1, running = way / 2 == 1;
        INFO(n << " workers, hidden " << json(all_widths[i]).dump() << ", bias " << bias
               << ", running statistics " << running);
        check(n, Shape{all_widths[i], bias, running});
      }
    }
  }
}

std::uint64_t bytes(long values) { return static_cast<std::uint64_t>(4 * values); }

}  // namespace

TEST_CASE("bytes of IST by a server: all parts but worker 0's, down and up") {
  for_all_shapes([](int n, const Shape& network) {
    const json run = complete_scenario(scenario_of(network, n, ist("server")));
    long others = 0, all = 0;
    for (int worker = 0; worker < n; ++worker) {
      const long values = part(network, n, worker);
      all += values;
      if (worker == 0) continue;
      others += values;
      CHECK(run["workers"][static_cast<std::size_t>(worker)]["bytes_sent"] == bytes(rounds * values));
      CHECK(run["workers"][static_cast<std::size_t>(worker)]["bytes_received"] == bytes(rounds * values));
    }
    CHECK(run["workers"][0]["bytes_sent"] == bytes(rounds * others));
    CHECK(run["workers"][0]["bytes_received"] == bytes(rounds * others));
    CHECK(total(run, "messages_sent") == static_cast<std::uint64_t>(rounds * 2 * (n - 1)));
    CHECK(run["paper_bytes"] == static_cast<double>(bytes(rounds * 2 * all)));
    CHECK(run["history"].back()["bytes_sent"] == total(run, "bytes_sent"));
  });
}

TEST_CASE("bytes of sharded IST: all parts but what is at home") {
  for_all_shapes([](int n, const Shape& network) {
    const json run = complete_scenario(scenario_of(network, n, ist("sharded")));
    for (int worker = 0; worker < n; ++worker) {
      INFO("worker " << worker);
      long out = 0, in = 0;
      for (int peer = 0; peer < n; ++peer) {
        if (peer == worker) continue;
        out += part_at_home(network, n, worker, peer);
        in += part_at_home(network, n, peer, worker);
      }
      REQUIRE(in == part(network, n, worker) - part_at_home(network, n, worker, worker));
      CHECK(run["workers"][static_cast<std::size_t>(worker)]["bytes_sent"] == bytes(rounds * (out + in)));
      CHECK(run["workers"][static_cast<std::size_t>(worker)]["bytes_received"] == bytes(rounds * (out + in)));
    }
  });
}

TEST_CASE("bytes of IST where all divides evenly: the formula of the paper") {
  for (const long n : {2L, 3L, 4L}) {
    const long h1 = n * n * 4, h2 = n * n * 5;
    const long subnet = (inputs * h1 + h1 * h2 / n + h2 * classes + 2 * (h1 + h2)) / n;
    const Shape network{{h1, h2}};
    const json server = complete_scenario(scenario_of(network, static_cast<int>(n), ist("server")));
    CHECK(total(server, "bytes_sent") == bytes(rounds * 2 * (n - 1) * subnet));
    const json sharded = complete_scenario(scenario_of(network, static_cast<int>(n), ist("sharded")));
    for (const json& worker : sharded["workers"]) {
      CHECK(worker["bytes_sent"] == bytes(rounds * 2 * (n - 1) * subnet / n));
    }
    CHECK(server["paper_bytes"] == static_cast<double>(bytes(rounds * 2 * n * subnet)));
    CHECK(sharded["paper_bytes"] == server["paper_bytes"]);
  }
}

TEST_CASE("bytes of IST with the partition of the other exchange") {
  for (const int n : {2, 3, 5}) {
    const Shape network{{16, 23}, true, true};
    json protocol = ist("sharded");
    protocol["partition"] = "uniform";
    const json uniform = scenario_of(network, n, protocol);
    const Prepared prepared(uniform);
    const ParameterLayout& layout = prepared.job.model().layout();
    const auto homes = neuron_homes(layout, axes_of(layout, AxisKind::neurons), n);
    std::uint64_t expected = 0;
    for (std::uint64_t round = 1; round <= rounds; ++round) {
      const Partition partition = draw_neurons(layout, axes_of(layout, AxisKind::neurons), n,
                                               NeuronDeal::uniform, prepared.job.training().seed, round);
      for (int worker = 0; worker < n; ++worker) {
        const Selection& own = partition.part(worker);
        CHECK(static_cast<long>(own.size()) == part(network, n, worker));
        expected += 2 * 4 * (own.size() - intersection(own, homes[static_cast<std::size_t>(worker)]).size());
      }
    }
    CHECK(total(complete_scenario(uniform), "bytes_sent") == expected);
    // By a server only the sizes of the parts count, and they are the same.
    protocol = ist("server");
    protocol["partition"] = "stratified";
    long others = 0;
    for (int worker = 1; worker < n; ++worker) others += part(network, n, worker);
    CHECK(total(complete_scenario(scenario_of(network, n, protocol)), "bytes_sent") ==
          bytes(rounds * 2 * others));
  }
}

TEST_CASE("bytes of data parallel and local SGD: 2 (n - 1) vectors a round, however they travel") {
  for (const int n : {1, 2, 3, 4, 7, 8, 16}) {
    for (const Shape& network : {Shape{{16, 17}}, Shape{{33}, true, true}}) {
      const long trained =
          parameters({network.hidden, network.bias, false}, network.hidden, network.hidden, classes);
      const long all = parameters(network, network.hidden, network.hidden, classes);
      for (const std::string form : {"ring", "tree", "server", "sharded"}) {
        INFO(form << " on " << n);
        const json gradients =
            complete_scenario(scenario_of(network, n, {{"kind", "data_parallel"}, {"aggregate", form}}));
        CHECK(total(gradients, "bytes_sent") == bytes(rounds * 2 * (n - 1) * trained));
        CHECK(gradients["paper_bytes"] == static_cast<double>(bytes(rounds * 2 * n * trained)));
        const json values = complete_scenario(
            scenario_of(network, n, {{"kind", "local_sgd"}, {"local_steps", 5}, {"aggregate", form}}));
        CHECK(total(values, "bytes_sent") == bytes(rounds * 2 * (n - 1) * all));
        CHECK(values["paper_bytes"] == static_cast<double>(bytes(rounds * 2 * n * all)));
        for (int worker = 0; worker < n; ++worker) {
          const json& ledger = values["workers"][static_cast<std::size_t>(worker)];
          if (form == "server")
            CHECK(ledger["bytes_sent"] == bytes(rounds * all * (worker == 0 ? n - 1 : 1)));
          if (form == "ring") {
            const long left_out = share(all, n, worker) + share(all, n, (worker + 1) % n);
            CHECK(ledger["bytes_sent"] == bytes(rounds * (2 * all - left_out)));
          }
        }
      }
    }
  }
}

}  // namespace bytes_test
