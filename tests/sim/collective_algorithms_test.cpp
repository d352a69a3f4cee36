// Every algorithm of every kind of collective: what it makes of the values against plain sums, what it sends,
// needs and takes against its own closed forms, and the pipelined ones against formulas written out here.

#include "sim/collectives/collective.hpp"
#include "sim/collectives/slices.hpp"
#include "tests/sim/runs.hpp"

using namespace isthmus;
using namespace isthmus::testing;

namespace collective_algorithms_test {
namespace {

constexpr double latency = 1e-3, bandwidth = 1e6;  // of the small scenario

/// Small integers: fp32 adds them without rounding.
float value(int rank, std::size_t i) {
  return static_cast<float>((rank * 31 + static_cast<int>(i) * 7) % 101 - 50);
}

/// Chunks of 400 bytes, so that small messages have several; two sites whatever n is, of unequal size if n is
/// odd.
CollectiveOptions options_for(int n) {
  CollectiveOptions options{.chunk_bytes = 400, .chunks_in_flight = 3};
  for (int rank = 0; rank < n; ++rank) options.sites.push_back(rank < (n + 1) / 2 ? 0 : 1);
  return options;
}

json star_of(int n) {
  static const TemporaryPlatform platform(star(16));
  return scenario_with({{"platform", {{"file", platform.options().file.string()}, {"workers", n}}},
                        {"training", {{"rounds", 1}}}});
}

/// What a rank must end with in the slices that count; slices that are scratch are left out.
std::map<std::size_t, float> expected(CollectiveKind kind, int rank, int n, std::size_t count) {
  std::map<std::size_t, float> result;
  const std::size_t size = count / static_cast<std::size_t>(n);
  for (int index = 0, i = 0; index < n; ++index) {
    for (std::size_t k = 0; k < slice_size(count, n, index); ++k, ++i) {
      const auto at = static_cast<std::size_t>(i);
      float sum = 0;
      for (int each = 0; each < n; ++each) sum += value(each, at);
      using enum CollectiveKind;
      switch (kind) {
        case all_reduce:
          result[at] = sum;
          break;
        case broadcast:
          result[at] = value(0, at);
          break;
        case reduce:
          if (rank == 0) result[at] = sum;
          break;
        case all_gather:
          result[at] = value(index, at);
          break;
        case reduce_scatter:
          if (index == rank) result[at] = sum;
          break;
        case all_to_all:
          result[at] = value(index, static_cast<std::size_t>(rank) * size + k);
          break;
      }
    }
  }
  return result;
}

json run(const CollectiveAlgorithm& algorithm, int n, std::size_t count, const CollectiveOptions& options) {
  const json result = run_workers(star_of(n), [&](Worker& worker) {
    algorithm.make(options)->run(worker.communicator(), Values::phantom(count));
    return json();
  });
  INFO(result["message"]);
  REQUIRE(result["outcome"] == "completed");
  return result;
}

std::string name_of(const CollectiveAlgorithm& algorithm) {
  return collective_kind_names()[static_cast<std::size_t>(algorithm.kind)] + " " + algorithm.name;
}

}  // namespace

TEST_CASE("collectives: every algorithm gives what its kind promises") {
  for (const CollectiveAlgorithm& algorithm : collective_algorithms()) {
    for (const int n : {1, 2, 5, 8, 11}) {
      for (const std::size_t each : {1, 300}) {
        const std::size_t uneven = algorithm.kind == CollectiveKind::all_to_all ? 0 : each / 2;
        const std::size_t count = each * static_cast<std::size_t>(n) + uneven;
        INFO(name_of(algorithm) << ", " << n << " workers, " << count << " values");
        const json result = run_isolated([&] {
          json scenario = star_of(n);
          scenario["numerics"] = "live";
          scenario["data"] = {
              {"set", "synthetic"}, {"dimensions", 2}, {"classes", 2}, {"samples", 16}, {"test_samples", 2}};
          scenario["model"] = {{"kind", "mlp"}, {"hidden", {1}}};
          scenario["training"] = {{"rounds", 1}, {"batch", 1}};
          long wrong = 0, compared = 0;
          auto protocol = std::make_unique<TestProtocol>([&](Worker& worker) {
            std::vector<float> values(count);
            for (std::size_t i = 0; i < count; ++i) values[i] = value(worker.rank(), i);
            algorithm.make(options_for(n))->run(worker.communicator(), values);
            for (const auto& [at, right] : expected(algorithm.kind, worker.rank(), n, count)) {
              ++compared;
              wrong += values[at] != right;
            }
          });
          const Prepared prepared(scenario, std::move(protocol));
          json ran = as_json(simulate(prepared.scenario, prepared.job, *prepared.protocol, {}));
          ran["wrong"] = wrong;
          ran["compared"] = compared;
          return ran;
        });
        INFO(result["message"]);
        REQUIRE(result["outcome"] == "completed");
        CHECK(result["compared"].get<long>() >= static_cast<long>(count));
        CHECK(result["wrong"] == 0);
      }
    }
  }
}

TEST_CASE("collectives: bytes, buffers and pairs are those of the closed forms") {
  for (const CollectiveAlgorithm& algorithm : collective_algorithms()) {
    for (const int n : {1, 2, 5, 8, 13}) {
      for (const std::size_t each : {1, 350}) {
        const std::size_t uneven = algorithm.kind == CollectiveKind::all_to_all ? 0 : each / 2;
        const std::size_t count = each * static_cast<std::size_t>(n) + uneven;
        INFO(name_of(algorithm) << ", " << n << " workers, " << count << " values");
        const auto options = options_for(n);
        const json result = run(algorithm, n, count, options);
        const auto collective = algorithm.make(options);
        for (int rank = 0; rank < n; ++rank) {
          INFO("rank " << rank);
          const json& worker = result["workers"][static_cast<std::size_t>(rank)];
          CHECK(worker["bytes_sent"] == 4 * collective->values_sent(rank, n, count));
          CHECK(worker["memory"]["buffers"] == 4 * collective->buffer_values(rank, n, count));
        }
        // A star's links tell who sent and who received, and each pair was announced.
        std::set<std::string> used, announced;
        for (const auto& [link, facts] : result["links"].items()) used.insert(link);
        for (const auto& [from, to] : collective->talking_pairs(n)) {
          announced.insert("star_link_" + std::to_string(from) + "_UP");
          announced.insert("star_link_" + std::to_string(to) + "_DOWN");
        }
        CHECK(std::ranges::includes(announced, used));
        if (each > 1) CHECK(used == announced);
      }
    }
  }
}

TEST_CASE("collectives: seconds without contention are those of the closed forms") {
  for (const CollectiveAlgorithm& algorithm : collective_algorithms()) {
    const bool by_sites = algorithm.name == "hierarchical";
    for (const int n : {1, 2, 3, 6, 8}) {
      if (by_sites && n % 2 == 1) continue;  // sites of unequal size use a tree, which fits powers of two
      for (const std::size_t each : {6, 300, 30000}) {  // chunks that divide evenly, or far less than one
        const std::size_t count = each * static_cast<std::size_t>(n);
        const auto options = options_for(n);
        INFO(name_of(algorithm) << ", " << n << " workers, " << count << " values");
        CHECK_CLOSE(
            run(algorithm, n, count, options)["seconds"].get<double>(),
            algorithm.make(options)->seconds(n, 4.0 * static_cast<double>(count), {latency, bandwidth}));
      }
    }
  }
}

TEST_CASE("chunked ring: latency is paid once while chunks cover it, once per chunks in flight otherwise") {
  const auto seconds = [](int n, double chunk, int in_flight, std::size_t count) {
    CollectiveOptions options{.chunk_bytes = chunk, .chunks_in_flight = in_flight};
    const CollectiveAlgorithm& algorithm =
        *std::ranges::find(collective_algorithms(), "ring_chunked", &CollectiveAlgorithm::name);
    return run(algorithm, n, count, options)["seconds"].get<double>();
  };
  // 4 workers, slices of 400 kB in 100 chunks of 4 kB, each 4 ms on the wire and 1 ms under way: two in
  // flight do.
  CHECK_CLOSE(seconds(4, 4000, 2, 400000), 6 * 0.4 + latency);
  // The plain ring pays it in every step.
  const CollectiveAlgorithm& ring = collective_algorithms().front();
  REQUIRE(ring.name == "ring");
  CHECK_CLOSE(run(ring, 4, 400000, {})["seconds"].get<double>(), 6 * (0.4 + latency));
  // Chunks of 400 bytes take 0.4 ms: with two in flight the link idles; two chunks take 1.4 ms.
  CHECK_CLOSE(seconds(4, 400, 2, 400000), 6 * 1000 / 2 * 1.4e-3 + 0.4e-3);
  // One in flight: every chunk pays.
  CHECK_CLOSE(seconds(4, 400, 1, 400000), 6 * 1000 * 1.4e-3);
}

TEST_CASE("Gloo's broadcast takes k (k + 1) / 2 times what one message takes, the other tree k times") {
  const auto seconds = [](const std::string& name, int n) {
    const auto algorithm =
        std::ranges::find_if(collective_algorithms(), [&](const CollectiveAlgorithm& each) {
          return each.kind == CollectiveKind::broadcast && each.name == name;
        });
    return run(*algorithm, n, 250000, {})["seconds"].get<double>();
  };
  const double message = 250000 * 4 / bandwidth;
  for (const int k : {1, 2, 3, 4}) {
    const auto steps = static_cast<double>(k);
    CHECK_CLOSE(seconds("tree_at_once", 1 << k), steps * latency + steps * (steps + 1) / 2 * message);
    CHECK_CLOSE(seconds("tree", 1 << k), steps * (latency + message));
  }
}

TEST_CASE("hierarchical all-reduce spares the link between sites") {
  const auto seconds = [](const std::string& name) {
    json scenario = scenario_with({{"training", {{"rounds", 1}}}});
    scenario["platform"] = {{"file", source_file("platforms/two-sites.xml").string()},
                            {"workers", {"east-0", "west-0", "east-1", "west-1"}}};
    const json result = run_workers(scenario, [&](Worker& worker) {
      make_collective(CollectiveKind::all_reduce, name, {.sites = {0, 1, 0, 1}})
          ->run(worker.communicator(), Values::phantom(1000000));
      return json();
    });
    REQUIRE(result["outcome"] == "completed");
    return result["seconds"].get<double>();
  };
  // Halves of 2 MB inside at 125 MB/s, 50 us + 50 us. Between: each half as two quarters, two flows
  // sharing 12.5 MB/s, 10.1 ms one way.
  const double inside = 100e-6 + 2e6 / 125e6, between = 10.1e-3 + 2 * 1e6 / 12.5e6;
  CHECK_CLOSE(seconds("hierarchical"), 2 * inside + 2 * between);
  CHECK(seconds("hierarchical") < seconds("ring"));
}

TEST_CASE("collectives: one worker alone takes no time, on whatever network") {
  for (const CollectiveAlgorithm& algorithm : collective_algorithms()) {
    CollectiveOptions options;
    options.sites = {0};
    INFO(algorithm.name);
    CHECK(algorithm.make(options)->seconds(1, 1e6, LinkModel()) == 0);
  }
}

}  // namespace collective_algorithms_test
