// Protocols that must train the same numbers, in live runs of a small network.

#include "models/trainer.hpp"
#include "tests/sim/runs.hpp"

using namespace isthmus;
using namespace isthmus::testing;

namespace equivalence_test {
namespace {

json live(const json& protocol, int workers, const json& changes = json::object()) {
  json scenario = scenario_with({{"numerics", "live"},
                                 {"platform", {{"workers", workers}}},
                                 {"training", {{"rounds", 6}, {"batch", 6}}},
                                 {"protocol", protocol}});
  scenario.merge_patch(changes);
  return scenario;
}

const json without_norm = {{"model", {{"batch_norm", false}}}};

json ist(const std::string& exchange, const std::string& partition = "stratified") {
  return {{"kind", "ist"}, {"local_steps", 5}, {"exchange", exchange}, {"partition", partition}};
}

/// One number of each row of a history.
void check_near(const std::vector<double>& found, const std::vector<double>& expected, double tolerance) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    INFO("row " << i);
    CHECK(found[i] == Approx(expected[i]).epsilon(tolerance));
  }
}

void check_same_training(const json& found, const json& expected, double tolerance) {
  for (const char* name : {"train_loss", "test_loss"})
    check_near(column(found, name), column(expected, name), tolerance);
}

void check_bit_identical_training(const json& found, const json& expected) {
  for (const char* name : {"train_loss", "test_loss", "test_accuracy"})
    CHECK(column(found, name) == column(expected, name));
}

/// The test loss after each round of a plain loop, which shares no protocol or simulation.
template <typename Round>
std::vector<double> losses_of_loop(const Job& job, const Round& round,
                                   const std::function<Values()>& parameters) {
  std::vector<double> losses;
  for (const isthmus::Round& each : job.rounds()) {
    round(each);
    const Values now = parameters();
    losses.push_back(
        evaluate(job.model(), {now.begin(), now.end()}, job.dataset(), job.training().evaluation_batch)
            .mean_loss());
  }
  return losses;
}

/// One worker that takes all workers' mini-batches as one.
std::vector<double> losses_on_joined_batches(const json& scenario) {
  const Prepared prepared(scenario);
  const Job& job = prepared.job;
  std::vector<BatchStream> streams;
  for (int rank = 0; rank < job.workers(); ++rank) streams.push_back(job.batches(rank));
  const auto batch = static_cast<std::size_t>(job.training().batch);
  const auto joined = static_cast<Index>(batch * streams.size());
  const auto network = job.model().network(static_cast<int>(joined));
  std::vector<float> parameters = job.initial_parameters(), gradients(job.model().layout().trainable_size());
  const auto sgd = make_optimizer(job.training().optimizer);
  const auto step = [&](const Round&) {
    Matrix inputs(joined, job.dataset().train_inputs.cols());
    std::vector<int> labels, indices(batch);
    for (BatchStream& stream : streams) {
      stream.next(indices);
      for (const int sample : indices) {
        inputs.row(static_cast<Index>(labels.size())) = job.dataset().train_inputs.row(sample);
        labels.push_back(job.dataset().train_labels[static_cast<std::size_t>(sample)]);
      }
    }
    network->gradient(parameters, {ConstMatrixMap(inputs.data(), inputs.rows(), inputs.cols()), labels},
                      gradients);
    if (const auto largest = job.training().clip_gradient_norm) clip_norm(gradients, *largest);
    sgd->step(parameters, gradients, job.training().learning_rate);
  };
  return losses_of_loop(job, step, [&] { return Values(parameters); });
}

/// SGD with nothing around it.
std::vector<double> losses_of_plain_sgd(const json& scenario, bool reset_each_round) {
  const Prepared prepared(scenario);
  const Job& job = prepared.job;
  Trainer trainer(job.dataset(), job.batches(0), job.training(), job.total_steps(), job.augmenter(0));
  trainer.set_model(job.model());
  copy(job.initial_parameters(), trainer.parameters());
  const auto train = [&](const Round& round) {
    if (reset_each_round) trainer.optimizer().reset();
    trainer.train(round.local_steps);
  };
  return losses_of_loop(job, train, [&] { return trainer.parameters(); });
}

const std::vector<std::string> forms = {"ring", "tree", "server", "sharded"};

json data_parallel(const std::string& form) { return {{"kind", "data_parallel"}, {"aggregate", form}}; }

json local_sgd(int steps, const std::string& form = "ring") {
  return {{"kind", "local_sgd"}, {"local_steps", steps}, {"aggregate", form}};
}

}  // namespace

TEST_CASE("data parallel on n workers is one worker on the joined batch") {
  for (const int n : {1, 2, 3, 5, 8}) {
    for (const json& training :
         {json{{"momentum", 0}}, json{{"momentum", 0.9}, {"nesterov", true}, {"weight_decay", 0.01}},
          json{{"optimizer", {{"kind", "adam"}}}},
          json{{"optimizer", {{"kind", "adamw"}, {"weight_decay", 0.1}}}, {"clip_gradient_norm", 0.3}}}) {
      json scenario = live(data_parallel("ring"), n, without_norm);
      scenario["training"].update(training);
      INFO(n << " workers, " << training.dump());
      const json run = complete_scenario(scenario);
      check_near(column(run, "test_loss"), losses_on_joined_batches(scenario), 1e-5);
      CHECK(column(run, "test_loss").front() != column(run, "test_loss").back());
    }
  }
}

TEST_CASE("data parallel and local SGD train the same however values travel") {
  for (const int n : {2, 3, 8}) {
    const json gradients = complete_scenario(live(data_parallel("ring"), n));
    const json parameters = complete_scenario(live(local_sgd(3), n));
    for (const std::string& form : forms) {
      INFO(form << " on " << n);
      check_same_training(complete_scenario(live(data_parallel(form), n)), gradients, 1e-5);
      check_same_training(complete_scenario(live(local_sgd(3, form), n)), parameters, 1e-5);
    }
  }
}

TEST_CASE("local SGD with one local step is data parallel without momentum") {
  for (const int n : {1, 2, 4, 7}) {
    for (const std::string& form : forms) {
      INFO(form << " on " << n);
      check_same_training(complete_scenario(live(local_sgd(1, form), n)),
                          complete_scenario(live(data_parallel(form), n)), 1e-5);
    }
  }
  // And with more local steps it is something else.
  const json twice = complete_scenario(live(local_sgd(2), 4, {{"training", {{"rounds", 3}}}}));
  const json once = complete_scenario(live(data_parallel("ring"), 4));
  CHECK(column(twice, "test_loss").back() != Approx(column(once, "test_loss").back()).epsilon(1e-5));
}

TEST_CASE("on one worker every protocol is plain SGD, to the bit") {
  const json momentum = {{"training", {{"momentum", 0.9}}}};
  for (const json& changes :
       {json::object(), momentum, without_norm, json{{"model", {{"statistics", "running"}}}}}) {
    INFO(changes.dump());
    for (const std::string exchange : {"server", "sharded"}) {
      const json scenario = live(ist(exchange), 1, changes);
      CHECK(column(complete_scenario(scenario), "test_loss") == losses_of_plain_sgd(scenario, true));
    }
    const json one_step = live(data_parallel("ring"), 1, changes), many = live(local_sgd(5), 1, changes);
    CHECK(column(complete_scenario(one_step), "test_loss") == losses_of_plain_sgd(one_step, false));
    CHECK(column(complete_scenario(many), "test_loss") == losses_of_plain_sgd(many, false));
  }
}

TEST_CASE("local SGD keeps or resets momentum as it is told") {
  json scenario = live(local_sgd(3), 1, {{"training", {{"momentum", 0.9}, {"optimizer_state", "reset"}}}});
  const auto reset = column(complete_scenario(scenario), "test_loss");
  CHECK(reset == losses_of_plain_sgd(scenario, true));
  scenario["training"]["optimizer_state"] = "keep";
  CHECK(column(complete_scenario(scenario), "test_loss") == losses_of_plain_sgd(scenario, false));
  CHECK(reset != losses_of_plain_sgd(scenario, false));
}

TEST_CASE("IST by a server and sharded IST with the same partition train the same numbers, to the bit") {
  for (const int n : {1, 2, 3, 5, 8}) {
    for (const char* partition : {"stratified", "uniform"}) {
      for (const json& changes :
           {json{{"model", {{"hidden", {17, 9}}}}},
            json{{"model", {{"hidden", {16}}, {"bias", true}, {"statistics", "running"}}}}}) {
        INFO(n << " workers, " << partition << ", " << changes.dump());
        const json server = complete_scenario(live(ist("server", partition), n, changes));
        check_bit_identical_training(complete_scenario(live(ist("sharded", partition), n, changes)), server);
        CHECK(column(server, "test_loss").front() != column(server, "test_loss").back());
      }
    }
  }
  CHECK(column(complete_scenario(live(ist("server", "uniform"), 4)), "test_loss") !=
        column(complete_scenario(live(ist("server", "stratified"), 4)), "test_loss"));
}

TEST_CASE("seeds and splits matter, whom a protocol runs on does not") {
  for (const json& protocol : {data_parallel("ring"), local_sgd(3), ist("server")}) {
    INFO(protocol.dump());
    const auto loss = [&](const json& changes) {
      return column(complete_scenario(live(protocol, 4, changes)), "test_loss");
    };
    const auto usual = loss(json::object());
    CHECK(loss({{"training", {{"seed", 2}}}}) != usual);
    CHECK(loss({{"data", {{"seed", 2}}}}) != usual);
    CHECK(loss({{"data", {{"split", "shared"}}}}) != usual);
    CHECK(loss({{"data", {{"split", "by_label"}, {"alpha", 0.1}}}}) != usual);
    CHECK(loss({{"platform", {{"bandwidth", "10kbps"}, {"latency", "3s"}}}}) == usual);
    CHECK(loss({{"platform",
                 {{"workers", {"n-7", "n-2", "n-3", "n-0"}}, {"devices", {{"n-2", {{"speed", "1Mf"}}}}}}}}) ==
          usual);
    CHECK(loss({{"network", {{"model", "lv08"}}}}) == usual);
  }
}

TEST_CASE("training learns") {
  const json longer = {{"training", {{"rounds", 60}}}, {"data", {{"difficulty", 0.2}}}};
  for (const json& protocol : {data_parallel("ring"), local_sgd(3), ist("sharded")}) {
    const json run = complete_scenario(live(protocol, 4, longer));
    INFO(protocol.dump());
    CHECK(run["history"].back()["test_accuracy"] > 0.8);
    CHECK(run["history"].back()["train_loss"] < run["history"][0]["train_loss"]);
  }
}

}  // namespace equivalence_test
