// What all-reduce moves, needs and takes, against the textbook formulas written out here and against its own
// closed forms.

#include "sim/collectives/all_reduce.hpp"

#include "tests/sim/runs.hpp"

using namespace isthmus;
using namespace isthmus::testing;

namespace all_reduce_test {
namespace {

const std::vector<std::string> forms = {"ring", "tree", "server", "sharded"};
const std::vector<int> worker_counts = {1, 2, 3, 4, 5, 6, 7, 8, 9, 16};

/// Passes everything on, and notes who sent to whom.
class Watched final : public Communicator {
 public:
  explicit Watched(Communicator& inner) : inner_(inner) {}
  int rank() const override { return inner_.rank(); }
  int size() const override { return inner_.size(); }
  Request post_send(int to, ConstPayload payload) override {
    pairs_.insert({rank(), to});
    return inner_.post_send(to, payload);
  }
  Request post_receive(int from, Payload into) override { return inner_.post_receive(from, into); }
  Request post_to_inbox(int to, ConstPayload payload) override { return inner_.post_to_inbox(to, payload); }
  Request post_from_inbox(Payload into) override { return inner_.post_from_inbox(into); }
  const NumberFormat& format() const override { return inner_.format(); }
  Buffer buffer(std::size_t count) override { return inner_.buffer(count); }
  const std::set<RankPair>& pairs() const { return pairs_; }

 private:
  void wait(std::span<Request> requests) override { inner_.wait_all(requests); }
  std::size_t wait_for_one(std::span<Request> requests) override { return inner_.wait_any(requests); }

  Communicator& inner_;
  std::set<RankPair> pairs_;
};

json costs_on(int n, const std::string& sharing = "SPLITDUPLEX") {
  static const TemporaryPlatform full(star(16)), half(star(16, "SHARED"));
  const auto file = (sharing == "SHARED" ? half : full).options().file.string();
  return scenario_with({{"platform", {{"file", file}, {"workers", n}}}, {"training", {{"rounds", 1}}}});
}

/// One all-reduce of phantoms; each worker returns the pairs it saw.
json all_reduce(const std::string& form, int n, std::size_t count, const json& scenario) {
  INFO(form << ", " << n << " workers, " << count << " values");
  json run = run_workers(scenario, [&](Worker& worker) {
    Watched comm(worker.communicator());
    all_reduce_named(form)->run(comm, Values::phantom(count));
    return json(comm.pairs());
  });
  INFO(run["message"]);
  REQUIRE(run["outcome"] == "completed");
  return run;
}

std::size_t slice_length(std::size_t count, int n, int index) {
  const auto parts = static_cast<std::size_t>(n);
  return count / parts + (static_cast<std::size_t>(index % n) < count % parts ? 1 : 0);
}

int ceil_log2(int n) {
  int steps = 0;
  while ((1 << steps) < n) ++steps;
  return steps;
}

/// Children in a binomial tree: the rank with each of its trailing zero bits set, as far as there are ranks.
int binomial_children(int rank, int n) {
  int children = 0;
  for (int bit = 1; bit < n && rank % (2 * bit) == 0; bit *= 2) children += rank + bit < n ? 1 : 0;
  return children;
}

/// The textbook's values sent by a rank.
std::size_t values_sent(const std::string& form, int rank, int n, std::size_t count) {
  if (n == 1) return 0;
  const std::size_t own = slice_length(count, n, rank), others = static_cast<std::size_t>(n - 1);
  if (form == "ring") return 2 * count - own - slice_length(count, n, rank + 1);
  if (form == "tree") return count * static_cast<std::size_t>((rank > 0) + binomial_children(rank, n));
  if (form == "server") return rank == 0 ? others * count : count;
  return count - own + others * own;
}

double seconds(const std::string& form, int n, double bytes, double latency, double bandwidth) {
  if (n == 1) return 0;
  if (form == "ring") return 2 * (n - 1) * (latency + bytes / n / bandwidth);
  if (form == "tree") return 2 * ceil_log2(n) * (latency + bytes / bandwidth);
  if (form == "server") return 2 * (latency + (n - 1) * bytes / bandwidth);
  return 2 * (latency + (n - 1) * bytes / n / bandwidth);
}

std::size_t buffer_values(const std::string& form, int rank, int n, std::size_t count) {
  if (n == 1) return 0;
  if (form == "ring") return slice_length(count, n, 0);
  if (form == "tree") return binomial_children(rank, n) > 0 ? count : 0;
  if (form == "server") return rank == 0 ? static_cast<std::size_t>(n - 1) * count : 0;
  return static_cast<std::size_t>(n - 1) * slice_length(count, n, rank);
}

std::set<RankPair> talkers(const std::string& form, int n) {
  std::set<RankPair> pairs;
  for (const auto& [from, to] : all_pairs(n)) {
    const bool ring = to == (from + 1) % n, star = from == 0 || to == 0;
    const int low = std::min(from, to), high = std::max(from, to);
    const bool tree = (high & (high - 1)) == low;  // without its lowest bit it is its parent
    if (form == "sharded" || (form == "ring" ? ring : form == "tree" ? tree : star)) pairs.insert({from, to});
  }
  return pairs;
}

}  // namespace

TEST_CASE("all-reduce: bytes, messages, buffers and pairs are those of the textbook") {
  for (const std::string& form : forms) {
    for (const int n : worker_counts) {
      const auto workers = static_cast<std::size_t>(n);
      for (const std::size_t count : std::set<std::size_t>{1, workers, 2 * workers + 1, 1000}) {
        const json run = all_reduce(form, n, count, costs_on(n));
        INFO(form << ", " << n << " workers, " << count << " values");
        const auto made = all_reduce_named(form);
        const Collective& all_reduce = *made;
        std::set<RankPair> talked;
        for (int rank = 0; rank < n; ++rank) {
          INFO("rank " << rank);
          const json& worker = run["workers"][static_cast<std::size_t>(rank)];
          CHECK(worker["bytes_sent"] == 4 * values_sent(form, rank, n, count));
          CHECK(all_reduce.values_sent(rank, n, count) == values_sent(form, rank, n, count));
          CHECK(worker["memory"]["buffers"] == 4 * buffer_values(form, rank, n, count));
          CHECK(all_reduce.buffer_values(rank, n, count) == buffer_values(form, rank, n, count));
          for (const auto& pair :
               run["returned"][static_cast<std::size_t>(rank)].get<std::vector<RankPair>>()) {
            talked.insert(pair);
          }
        }
        CHECK(total(run, "bytes_sent") == total(run, "bytes_received"));
        CHECK(total(run, "bytes_sent") == 4 * 2 * (workers - 1) * count);  // the same for every form
        const auto announced = all_reduce.talking_pairs(n);
        CHECK(announced.size() == talkers(form, n).size());
        CHECK(std::set<RankPair>(announced.begin(), announced.end()) == talkers(form, n));
        if (count >= workers) {
          CHECK(talked == talkers(form, n));
          const std::uint64_t messages =
              form == "ring" || form == "sharded" ? 2 * workers * (workers - 1) : 2 * (workers - 1);
          CHECK(total(run, "messages_sent") == messages);
        } else {
          CHECK(std::ranges::includes(talkers(form, n), talked));
        }
      }
    }
  }
}

TEST_CASE("all-reduce: seconds on a full-duplex star are those of the textbook") {
  constexpr double latency = 1e-3, bandwidth = 1e6;  // of the small scenario
  for (const std::string& form : forms) {
    for (const int n : worker_counts) {
      for (const std::size_t slice : {std::size_t{1}, std::size_t{250}, std::size_t{100000}}) {
        const std::size_t count = slice * static_cast<std::size_t>(n);
        const double bytes = 4.0 * static_cast<double>(count);
        const json run = all_reduce(form, n, count, costs_on(n));
        INFO(form << ", " << n << " workers, " << count << " values");
        CHECK_CLOSE(run["seconds"].get<double>(), seconds(form, n, bytes, latency, bandwidth));
        CHECK_CLOSE(all_reduce_named(form)->seconds(n, bytes, {latency, bandwidth}),
                    seconds(form, n, bytes, latency, bandwidth));
      }
    }
  }
}

TEST_CASE("all-reduce over half-duplex links: a ring's two directions share each worker's link") {
  constexpr double latency = 1e-3, bandwidth = 1e6;
  for (const int n : {2, 3, 5, 8}) {
    const std::size_t count = 500 * static_cast<std::size_t>(n);
    const json run = all_reduce("ring", n, count, costs_on(n, "SHARED"));
    CHECK_CLOSE(run["seconds"].get<double>(), 2 * (n - 1) * (latency + 2 * 500 * 4 / bandwidth));
    // In each of its two phases a server sends or receives, never both.
    CHECK_CLOSE(all_reduce("server", n, count, costs_on(n, "SHARED"))["seconds"].get<double>(),
                seconds("server", n, 4.0 * static_cast<double>(count), latency, bandwidth));
  }
}

TEST_CASE("all-reduce: there is no other form") {
  CHECK_THROWS_AS(all_reduce_named("Ring"), std::invalid_argument);
}

}  // namespace all_reduce_test
