// Protocols after whose rounds workers differ: the mean of their replicas is tested.

#include "models/trainer.hpp"
#include "tests/sim/runs.hpp"

using namespace isthmus;
using namespace isthmus::testing;

namespace apart_test {
namespace {

constexpr long local_steps = 3;

/// Each worker trains, then takes the mean of its parameters and those of both neighbours on a ring.
class RingGossip final : public Protocol {
 public:
  RoundPlan round_plan() const override { return {.local_steps = local_steps}; }
  void run(Worker& worker) const override {
    Replica replica(worker);
    Communicator& comm = worker.communicator();
    const std::size_t size = replica.parameters().size();
    Buffer left = comm.buffer(size), right = comm.buffer(size);
    const int before = (worker.rank() + worker.size() - 1) % worker.size();
    const int after = (worker.rank() + 1) % worker.size();
    replica.initialise();
    for (const Round& round : worker.job().rounds()) {
      replica.train(round.local_steps);
      const Message outgoing[] = {{before, replica.parameters()}, {after, replica.parameters()}};
      const Message incoming[] = {{before, left.values()}, {after, right.values()}};
      comm.send_receive_all(outgoing, incoming);
      if (worker.live()) {
        const Values own = replica.parameters();
        for (std::size_t i = 0; i < size; ++i)
          own.data()[i] = (left.values().data()[i] + own.data()[i] + right.values().data()[i]) / 3;
      }
      worker.end_round_apart(round, replica.parameters());
    }
  }
  std::vector<RankPair> talking_pairs(int workers) const override { return all_pairs(workers); }
};

json scenario(const json& changes = json::object()) {
  json all = {{"numerics", "live"}, {"training", {{"rounds", 5}, {"evaluate_every_rounds", 2}}}};
  all.merge_patch(changes);
  return scenario_with(all);
}

json run_gossip(const json& document, int threads = 1) {
  return run_isolated([&] {
    const Prepared prepared(document, std::make_unique<RingGossip>());
    return as_json(simulate(prepared.scenario, prepared.job, *prepared.protocol, {.threads = threads}));
  });
}

/// The tests after rounds 2, 4 and 5 of a plain loop, which shares no protocol, recorder or simulation.
std::vector<BatchResult> tests_of_loop(const Job& job) {
  const auto workers = static_cast<std::size_t>(job.workers());
  std::vector<Trainer> trainers;
  for (int rank = 0; rank < job.workers(); ++rank) {
    trainers.emplace_back(job.dataset(), job.batches(rank), job.training(), job.total_steps());
    trainers.back().set_model(job.model());
    copy(job.initial_parameters(), trainers.back().parameters());
  }
  std::vector<BatchResult> tests;
  for (const Round& round : job.rounds()) {
    std::vector<std::vector<float>> trained;
    for (Trainer& trainer : trainers) {
      trainer.train(round.local_steps);
      trained.emplace_back(trainer.parameters().begin(), trainer.parameters().end());
    }
    std::vector<float> mean(trained[0].size());
    for (std::size_t i = 0; i < mean.size(); ++i) {
      double sum = 0;
      for (std::size_t rank = 0; rank < workers; ++rank) {
        const float mixed = (trained[(rank + workers - 1) % workers][i] + trained[rank][i] +
                             trained[(rank + 1) % workers][i]) /
                            3;
        trainers[rank].parameters().data()[i] = mixed;
        sum += mixed;
      }
      mean[i] = static_cast<float>(sum / static_cast<double>(workers));
    }
    if (round.evaluated)
      tests.push_back(evaluate(job.model(), mean, job.dataset(), job.training().evaluation_batch));
  }
  return tests;
}

}  // namespace

TEST_CASE("after rounds that leave workers apart, the mean of their replicas is tested") {
  const json run = run_gossip(scenario());
  REQUIRE(run["outcome"] == "completed");
  const json expected = run_isolated([&] {
    const Prepared prepared(scenario(), std::make_unique<RingGossip>());
    json rows = json::array();
    for (const BatchResult& test : tests_of_loop(prepared.job))
      rows.push_back({test.mean_loss(), test.accuracy()});
    return rows;
  });
  REQUIRE(run["history"].size() == 3);
  REQUIRE(expected.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(run["history"][i]["test_loss"].get<double>() == Approx(expected[i][0].get<double>()).epsilon(1e-9));
    CHECK(run["history"][i]["test_accuracy"] == expected[i][1]);
  }
}

TEST_CASE(
    "the test of a mean is off the clock, and the same whoever is first and with any number of threads") {
  const json run = run_gossip(scenario());
  const std::size_t parameters = 12 * 16 + 16 * 4;
  INFO(run.dump());
  // Two neighbours in five rounds, and nothing else.
  CHECK(run["workers"][0]["messages_sent"] == 10);
  CHECK(run["workers"][0]["bytes_sent"].get<std::size_t>() % (10 * sizeof(float)) == 0);
  CHECK(run["workers"][0]["bytes_sent"].get<std::size_t>() >= 10 * parameters * sizeof(float));
  json slow_first = {{"platform", {{"devices", {{"n-0", {{"speed", "1Mf"}}}}}}}};
  for (const json& other : {run_gossip(scenario(), 3), run_gossip(scenario(slow_first))}) {
    for (std::size_t i = 0; i < run["history"].size(); ++i) {
      for (const char* what : {"test_loss", "test_accuracy", "train_loss"})
        CHECK(other["history"][i][what] == run["history"][i][what]);
    }
  }
  const json charged = run_gossip(scenario({{"training", {{"charge_evaluation", true}}}}));
  CHECK(charged["history"][0]["test_loss"] == run["history"][0]["test_loss"]);
  CHECK(charged["workers"][1]["messages_sent"] == 13);  // its replica to worker 0 at each of three tests
  CHECK(charged["seconds"].get<double>() > run["seconds"].get<double>());
}

TEST_CASE("rounds that leave workers apart cost the same without values") {
  const json live = run_gossip(scenario());
  const json costs = run_gossip(scenario({{"numerics", "costs"}}));
  CHECK(costs["seconds"] == live["seconds"]);
  CHECK(costs["workers"][2]["bytes_sent"] == live["workers"][2]["bytes_sent"]);
  CHECK(costs["history"][0]["test_loss"].is_null());
}

TEST_CASE("consensus distance is the mean square of how far workers are from their mean") {
  const json document = scenario({{"training", {{"rounds", 1}, {"evaluate_every_rounds", 1}}}});
  const std::size_t size = Prepared(document).job.model().layout().size();
  const json run = run_workers(document, [&](Worker& worker) {
    const std::vector<float> values(size, static_cast<float>(worker.rank()));
    worker.note_divergence(*worker.job().rounds().begin(), values);
    return json();
  });
  // Of four workers with 0, 1, 2 and 3 everywhere.
  CHECK_CLOSE(run["history"][0]["consensus_distance"].get<double>(), 1.25 * static_cast<double>(size));

  const auto distances = [&](const json& protocol, int workers) {
    const json found = complete_scenario(scenario({{"protocol", protocol},
                                                   {"platform", {{"workers", workers}}},
                                                   {"training", {{"evaluate_every_rounds", 1}}}}));
    std::vector<double> all;
    for (const json& row : found["history"]) all.push_back(row["consensus_distance"].get<double>());
    return all;
  };
  const json local_sgd = {{"kind", "local_sgd"}, {"local_steps", 3}};
  for (const double alone : distances(local_sgd, 1)) CHECK(alone == 0);
  for (const double apart : distances(local_sgd, 4)) CHECK(apart > 0);
  // More steps apart, further apart; averaged after every step, together.
  CHECK(distances({{"kind", "local_sgd"}, {"local_steps", 6}}, 4).front() > distances(local_sgd, 4).front());
  for (const double together : distances({{"kind", "sparta"}, {"share", 1}}, 4)) CHECK(together < 1e-9);
  // Data parallel keeps all alike: nobody asks.
  const json synchronous = complete_scenario(scenario({{"protocol", {{"kind", "data_parallel"}}}}));
  CHECK(synchronous["history"][0]["consensus_distance"].is_null());
}

}  // namespace apart_test
