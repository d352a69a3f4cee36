// Results of the collectives against plain sums of small integers, which fp32 adds without rounding.

#include "sim/collectives/collectives.hpp"

#include "models/slices.hpp"
#include "sim/collectives/all_reduce.hpp"
#include "tests/sim/runs.hpp"

using namespace isthmus;
using namespace isthmus::testing;

namespace collectives_test {
namespace {

using Vector = std::vector<float>;

float value(int rank, std::size_t i) {
  return static_cast<float>((rank * 31 + static_cast<int>(i) * 7) % 101 - 50);
}

Vector values_of(int rank, std::size_t count) {
  Vector values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = value(rank, i);
  return values;
}

Vector sum_of(const std::vector<int>& ranks, std::size_t count) {
  Vector sum(count);
  for (const int rank : ranks) {
    for (std::size_t i = 0; i < count; ++i) sum[i] += value(rank, i);
  }
  return sum;
}

std::vector<int> first_ranks(int n) {
  std::vector<int> ranks;
  for (int rank = 0; rank < n; ++rank) ranks.push_back(rank);
  return ranks;
}

/// Offset and length of slice `index` in n: the first count % n slices have one more.
std::pair<std::size_t, std::size_t> slice(std::size_t count, int n, int index) {
  std::size_t offset = 0, length = 0;
  for (int i = 0; i <= index; ++i) {
    offset += length;
    length = count / static_cast<std::size_t>(n) +
             (static_cast<std::size_t>(i) < count % static_cast<std::size_t>(n));
  }
  return {offset, length};
}

Vector part(const Vector& whole, int n, int index) {
  const auto [offset, length] = slice(whole.size(), n, index);
  return {whole.begin() + static_cast<long>(offset), whole.begin() + static_cast<long>(offset + length)};
}

std::vector<std::size_t> counts_for(int n) {
  const auto workers = static_cast<std::size_t>(n);
  std::set<std::size_t> counts = {1, workers, 3 * workers, 3 * workers + 1, 5 * workers - 1};
  if (n > 2) counts.insert(workers - 1);
  return {counts.begin(), counts.end()};
}

const TemporaryPlatform star_of_16(star(16));  // made, and removed, by no child

/// Real values, as little else as can be.
json live_on(int n) {
  return scenario_with({{"platform", {{"file", star_of_16.options().file.string()}, {"workers", n}}},
                        {"data", {{"dimensions", 2}, {"classes", 2}, {"samples", 16}, {"test_samples", 2}}},
                        {"model", {{"kind", "mlp"}, {"hidden", {1}}}},
                        {"training", {{"rounds", 1}, {"batch", 1}}},
                        {"numerics", "live"}});
}

const std::vector<int> worker_counts = {1, 2, 3, 4, 5, 6, 7, 8, 9, 16};

/// Calls check(n, count, run) for what `body` returns on each number of workers and of values.
template <typename Body, typename Check>
void for_all_sizes(const Body& body, const Check& check) {
  for (const int n : worker_counts) {
    for (const std::size_t count : counts_for(n)) {
      INFO(n << " workers, " << count << " values");
      const json run =
          run_workers(live_on(n), [&](Worker& worker) { return body(worker.communicator(), count); });
      INFO(run["message"]);
      REQUIRE(run["outcome"] == "completed");
      REQUIRE(run["returned"].size() == static_cast<std::size_t>(n));
      CHECK(total(run, "bytes_sent") == total(run, "bytes_received"));
      check(n, count, run);
    }
  }
}

std::set<int> roots(int n) { return {0, n / 2, n - 1}; }

}  // namespace

TEST_CASE("broadcast and reduce, from every kind of root") {
  const auto body = [](Communicator& comm, std::size_t count) {
    json results = json::array();
    for (const int root : roots(comm.size())) {
      Vector values = values_of(comm.rank(), count), sum = values;
      broadcast(comm, values, root);
      reduce(comm, sum, root);
      results.push_back({root, values, sum});
    }
    return results;
  };
  for_all_sizes(body, [](int n, std::size_t count, const json& run) {
    for (int rank = 0; rank < n; ++rank) {
      for (const json& result : run["returned"][static_cast<std::size_t>(rank)]) {
        const int root = result[0];
        CHECK(result[1].get<Vector>() == values_of(root, count));
        if (rank == root) CHECK(result[2].get<Vector>() == sum_of(first_ranks(n), count));
      }
    }
    // Each goes to (or comes from) everybody but the root once.
    const auto times = roots(n).size() * static_cast<std::size_t>(n - 1);
    CHECK(total(run, "bytes_sent") == 2 * times * count * 4);
    CHECK(total(run, "messages_sent") == 2 * times);
  });
}

TEST_CASE("all-gather and reduce-scatter") {
  const auto body = [](Communicator& comm, std::size_t count) {
    Vector whole(count, -1), sums = values_of(comm.rank(), count);
    const auto [offset, length] = slice(count, comm.size(), comm.rank());
    for (std::size_t i = offset; i < offset + length; ++i) whole[i] = value(comm.rank(), i);
    all_gather(comm, whole);
    reduce_scatter(comm, sums);
    return json{whole, part(sums, comm.size(), comm.rank())};
  };
  for_all_sizes(body, [](int n, std::size_t count, const json& run) {
    Vector gathered;
    for (int rank = 0; rank < n; ++rank) {
      const Vector own = part(values_of(rank, count), n, rank);
      gathered.insert(gathered.end(), own.begin(), own.end());
    }
    for (int rank = 0; rank < n; ++rank) {
      const json& result = run["returned"][static_cast<std::size_t>(rank)];
      CHECK(result[0].get<Vector>() == gathered);
      CHECK(result[1].get<Vector>() == part(sum_of(first_ranks(n), count), n, rank));
    }
    // Each slice makes n - 1 hops.
    CHECK(total(run, "bytes_sent") == 2 * static_cast<std::size_t>(n - 1) * count * 4);
  });
}

TEST_CASE("all-reduce: every form gives the sum and the mean, the same bits on every rank") {
  const std::vector<std::string> forms = {"ring", "tree", "server", "sharded"};
  const auto body = [&](Communicator& comm, std::size_t count) {
    json results = json::array();
    for (const std::string& form : forms) {
      Vector sum = values_of(comm.rank(), count), mean = sum, uneven = sum;
      for (std::size_t i = 0; i < count; ++i) uneven[i] = std::sin(uneven[i]);
      all_reduce_named(form)->run(comm, sum);
      isthmus::mean(*all_reduce_named(form), comm, mean);
      all_reduce_named(form)->run(comm, uneven);
      results.push_back({sum, mean, uneven});
    }
    return results;
  };
  for_all_sizes(body, [&](int n, std::size_t count, const json& run) {
    const Vector sum = sum_of(first_ranks(n), count);
    for (std::size_t form = 0; form < forms.size(); ++form) {
      INFO(forms[form]);
      const json& first = run["returned"][0][form];
      CHECK(first[0].get<Vector>() == sum);
      for (std::size_t i = 0; i < count; ++i) {
        CHECK(first[1][i].get<float>() == Approx(sum[i] / static_cast<float>(n)).epsilon(1e-6));
        double exact = 0;
        for (int rank = 0; rank < n; ++rank) exact += std::sin(value(rank, i));
        CHECK(first[2][i].get<float>() == Approx(exact).margin(1e-5));
      }
      for (int rank = 1; rank < n; ++rank)
        CHECK(run["returned"][static_cast<std::size_t>(rank)][form] == first);
    }
  });
}

TEST_CASE("groups: a collective among some ranks leaves the others alone") {
  const std::vector<int> odd = {7, 1, 5, 3},
                         even = {2, 0, 6};  // ranks in an order of their own; 4 is in neither
  constexpr std::size_t count = 10;
  const json run = run_workers(live_on(8), [&](Worker& worker) {
    Vector values = values_of(worker.rank(), count), from_root = values;
    if (worker.rank() == 4) {
      try {
        Group(worker.communicator(), odd);
      } catch (const std::invalid_argument&) {
        return json{values, from_root, "refused"};
      }
    }
    Group group(worker.communicator(), worker.rank() % 2 == 1 ? odd : even);
    all_reduce_named("ring")->run(group, values);
    broadcast(group, from_root, 2);
    return json{values, from_root, group.rank()};
  });
  REQUIRE(run["outcome"] == "completed");
  for (int rank = 0; rank < 8; ++rank) {
    INFO("rank " << rank);
    const json& result = run["returned"][static_cast<std::size_t>(rank)];
    if (rank == 4) {
      CHECK(result == json{values_of(4, count), values_of(4, count), "refused"});
      CHECK(run["workers"][4]["bytes_sent"] == 0);
      continue;
    }
    const std::vector<int>& group = rank % 2 == 1 ? odd : even;
    CHECK(result[0].get<Vector>() == sum_of(group, count));
    CHECK(result[1].get<Vector>() == values_of(group[2], count));
    CHECK(group[result[2].get<std::size_t>()] == rank);
  }
}

}  // namespace collectives_test
