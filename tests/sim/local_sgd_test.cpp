// Local SGD with averaged momentum and slow momentum, and post-local SGD, against loops over plain trainers.

#include "models/trainer.hpp"
#include "tests/sim/runs.hpp"

using namespace isthmus;
using namespace isthmus::testing;

namespace local_sgd_test {
namespace {

constexpr long rounds = 6;

/// The learning rate drops at 0.4 of training: of 6 rounds of 3 steps, at the last step of the third round.
const json schedule = {{"kind", "step"}, {"milestones", {0.4}}, {"factor", 0.3}};
constexpr double milestone = 0.4, factor = 0.3, rate = 0.1;

json live(const json& protocol, int workers = 2, const json& training = json::object()) {
  json scenario = scenario_with({{"numerics", "live"},
                                 {"platform", {{"workers", workers}}},
                                 {"model", {{"kind", "mlp"}, {"hidden", {16}}, {"statistics", "running"}}},
                                 {"training", {{"rounds", rounds}, {"batch", 6}, {"schedule", schedule}}},
                                 {"protocol", protocol}});
  scenario["training"].update(training);
  return scenario;
}

json local_sgd(int steps, const json& options = json::object()) {
  json protocol = {{"kind", "local_sgd"}, {"local_steps", steps}};
  protocol.update(options);
  return protocol;
}

json slow(double momentum, double learning_rate) {
  return {{"slow_momentum", momentum}, {"slow_learning_rate", learning_rate}};
}

json post_local(int steps, double switch_at, const json& options = json::object()) {
  json protocol = {{"kind", "post_local_sgd"}, {"local_steps", steps}, {"switch_at", switch_at}};
  protocol.update(options);
  return protocol;
}

const json data_parallel = {{"kind", "data_parallel"}};

std::vector<double> test_losses(const json& scenario) {
  return column(complete_scenario(scenario), "test_loss");
}

void check_near(const std::vector<double>& found, const std::vector<double>& expected,
                double tolerance = 1e-5) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    INFO("row " << i);
    CHECK(found[i] == Approx(expected[i]).epsilon(tolerance));
  }
}

/// Each of some vectors becomes their mean, computed in double.
void average(const std::vector<Values>& vectors) {
  for (std::size_t i = 0; i < vectors.front().size(); ++i) {
    double sum = 0;
    for (const Values& vector : vectors) sum += static_cast<double>(vector.data()[i]);
    for (const Values& vector : vectors)
      vector.data()[i] = static_cast<float>(sum / static_cast<double>(vectors.size()));
  }
}

struct Method {
  long local_steps = 3;
  long single_steps = 0;  // of data parallel, before
  double alpha = 1, beta = 0;
};

/// The test loss after each round of a loop over the workers' trainers, as the papers' algorithm boxes say.
std::vector<double> losses_of_loop(const json& scenario, const Method& method) {
  const Prepared prepared(scenario);
  const Job& job = prepared.job;
  const long total = method.single_steps + (rounds - method.single_steps) * method.local_steps;
  std::vector<std::unique_ptr<Trainer>> workers;
  for (int rank = 0; rank < job.workers(); ++rank) {
    workers.push_back(std::make_unique<Trainer>(job.dataset(), job.batches(rank), job.training(), total));
    workers.back()->set_model(job.model());
    copy(job.initial_parameters(), workers.back()->parameters());
  }
  const auto all = [&](auto&& of) {
    std::vector<Values> vectors;
    for (const auto& worker : workers) vectors.push_back(of(*worker));
    return vectors;
  };
  const std::string state = scenario["training"].value("optimizer_state", "keep");
  const std::size_t trainable = job.model().layout().trainable_size();
  std::vector<double> u(trainable), losses;
  long step = 0;
  for (long round = 0; round < rounds; ++round) {
    if (round < method.single_steps) {
      for (const auto& worker : workers) worker->compute_gradient();
      average(all([](Trainer& worker) { return worker.gradients(); }));
      for (const auto& worker : workers) worker->apply_gradient();
      ++step;
    } else {
      const Values first = workers.front()->parameters();
      const std::vector<float> begin(first.begin(), first.end());
      const double gamma =
          rate * (static_cast<double>(step) / static_cast<double>(total) >= milestone ? factor : 1);
      for (const auto& worker : workers) worker->train(method.local_steps);
      step += method.local_steps;
      average(all([](Trainer& worker) { return worker.parameters(); }));
      for (int which = 0; state == "average" && which < workers.front()->optimizer().states(); ++which)
        average(all([&](Trainer& worker) { return worker.optimizer().state(which, trainable); }));
      for (const auto& worker : workers) {
        if (state == "reset") worker->optimizer().reset();
      }
      for (std::size_t i = 0; i < trainable; ++i) {
        u[i] = method.beta * u[i] +
               (static_cast<double>(begin[i]) - static_cast<double>(first.data()[i])) / gamma;
        for (const auto& worker : workers)
          worker->parameters().data()[i] =
              static_cast<float>(static_cast<double>(begin[i]) - method.alpha * gamma * u[i]);
      }
    }
    const Values now = workers.front()->parameters();
    losses.push_back(
        evaluate(job.model(), {now.begin(), now.end()}, job.dataset(), job.training().evaluation_batch)
            .mean_loss());
  }
  return losses;
}

const std::vector<json> trainings = {
    json::object(),
    {{"momentum", 0.9}},
    {{"momentum", 0.9}, {"nesterov", true}, {"weight_decay", 0.01}, {"optimizer_state", "average"}},
    {{"momentum", 0.9}, {"optimizer_state", "average"}},
    {{"momentum", 0.9}, {"optimizer_state", "reset"}},
    {{"optimizer", {{"kind", "adam"}}}, {"optimizer_state", "average"}},
    {{"optimizer", {{"kind", "adamw"}, {"weight_decay", 0.1}}}, {"clip_gradient_norm", 0.5}}};

}  // namespace

TEST_CASE("local SGD: parameters and momentum as a loop over plain trainers has them") {
  std::set<double> last;
  for (const int n : {2, 3}) {
    for (const json& training : trainings) {
      INFO(n << " workers, " << training.dump());
      const json scenario = live(local_sgd(3), n, training);
      const auto found = test_losses(scenario);
      check_near(found, losses_of_loop(scenario, {}));
      last.insert(found.back());
    }
  }
  CHECK(last.size() == 2 * trainings.size());  // all of that matters
}

TEST_CASE("slow momentum: the formulas of its paper, with the learning rate of a round's first step") {
  std::set<double> last;
  for (const int n : {1, 2, 3}) {
    for (const auto& [beta, alpha] : {std::pair(0.5, 1.0), std::pair(0.8, 0.7), std::pair(0.0, 0.5)}) {
      for (const json& training : trainings) {
        INFO(n << " workers, beta " << beta << ", alpha " << alpha << ", " << training.dump());
        const json scenario = live(local_sgd(3, slow(beta, alpha)), n, training);
        const auto found = test_losses(scenario);
        check_near(found, losses_of_loop(scenario, {.alpha = alpha, .beta = beta}));
        last.insert(found.back());
      }
    }
  }
  CHECK(last.size() == 3 * 3 * trainings.size() - 3);  // one worker's average is what it keeps
}

TEST_CASE(
    "outer optimizer: gradient descent on the round's change is slow momentum, and with rate 1 the mean") {
  const auto outer = [](const json& options) { return json{{"outer_optimizer", options}}; };
  for (const json& training : trainings) {
    json constant = training;
    constant["schedule"] = {{"kind", "constant"}};  // else changes count in steps of other lengths
    INFO(constant.dump());
    const json gradient_descent = {{"kind", "sgd"}, {"momentum", 0.6}, {"learning_rate", 0.8}};
    check_near(test_losses(live(local_sgd(3, outer(gradient_descent)), 3, constant)),
               test_losses(live(local_sgd(3, slow(0.6, 0.8)), 3, constant)));
    check_near(test_losses(live(local_sgd(3, outer({{"kind", "sgd"}, {"learning_rate", 1}})), 3, training)),
               test_losses(live(local_sgd(3), 3, training)));
  }
  // And others are something else.
  std::set<double> last;
  for (const json& options : {json{{"kind", "sgd"}, {"momentum", 0.9}, {"nesterov", true}},
                              json{{"kind", "adam"}, {"learning_rate", 0.01}}, json{{"kind", "sgd"}}})
    last.insert(test_losses(live(local_sgd(3, outer(options)), 3, json::object())).back());
  CHECK(last.size() == 3);
}

TEST_CASE("slow momentum of 0 with a slow rate of 1 is local SGD, to the bit, with nearly 1, nearly") {
  for (const json& training : trainings) {
    const json plain = complete_scenario(live(local_sgd(3), 3, training));
    CHECK(complete_scenario(live(local_sgd(3, slow(0, 1)), 3, training)) == plain);
    const json nearly = complete_scenario(live(local_sgd(3, slow(0, 1.0000002)), 3, training));
    check_near(column(nearly, "test_loss"), column(plain, "test_loss"));
    CHECK(nearly["seconds"] > plain["seconds"]);
  }
}

TEST_CASE("averaged momentum: on one worker it is kept, and with one local step it is data parallel's") {
  for (json training : {json{{"momentum", 0.9}}, json{{"momentum", 0.8}, {"nesterov", true}}}) {
    json averaged = training;
    averaged["optimizer_state"] = "average";
    CHECK(complete_scenario(live(local_sgd(3), 1, averaged))["history"] ==
          complete_scenario(live(local_sgd(3), 1, training))["history"]);
    for (const int n : {2, 3, 4}) {
      json without_norm = live(local_sgd(1), n, averaged);
      without_norm["model"] = {{"kind", "mlp"}, {"hidden", {16}}, {"batch_norm", false}};
      const auto found = test_losses(without_norm);
      without_norm["protocol"] = data_parallel;
      check_near(found, test_losses(without_norm));
      without_norm["training"].update(training);
      without_norm["training"].erase("optimizer_state");
      without_norm["protocol"] = local_sgd(1);
      check_near(found, test_losses(without_norm));  // kept momentum has the same mean: all is linear
    }
  }
}

TEST_CASE("data parallel has the same momentum on all workers, whatever becomes of it elsewhere") {
  const json kept = complete_scenario(live(data_parallel, 3, {{"momentum", 0.9}}));
  for (const char* state : {"keep", "reset", "average"}) {
    CHECK(complete_scenario(live(data_parallel, 3, {{"momentum", 0.9}, {"optimizer_state", state}})) == kept);
  }
}

TEST_CASE("post-local SGD: data parallel, then local SGD, as a loop over plain trainers has it") {
  // Of 6 rounds: how many begin before the switch is brute force in rounds_test.cpp.
  int at = 0;
  for (const auto& [switch_at, single] : {std::pair(0.05, 1L), std::pair(0.3, 3L), std::pair(0.6, 5L)}) {
    for (const json& options : {json::object(), slow(0.6, 0.9)}) {
      for (const json& training : trainings) {
        const int n = 1 + at++ % 3;  // in turn: each training meets each number of workers
        const json scenario = live(post_local(3, switch_at, options), n, training);
        INFO(scenario.dump());
        REQUIRE(Prepared(scenario).job.rounds().warm_up() == single);
        check_near(test_losses(scenario),
                   losses_of_loop(scenario, {.single_steps = single,
                                             .alpha = options.value("slow_learning_rate", 1.0),
                                             .beta = options.value("slow_momentum", 0.0)}));
      }
    }
  }
}

TEST_CASE("post-local SGD is data parallel up to the switch, to the bit, and from then on is not") {
  const json training = {{"momentum", 0.9}, {"schedule", {{"kind", "constant"}}}};
  const json gradients = complete_scenario(live(data_parallel, 3, training));
  for (const double switch_at : {0.3, 0.6}) {
    const json scenario = live(post_local(4, switch_at), 3, training);
    const json run = complete_scenario(scenario);
    const auto single = static_cast<std::size_t>(Prepared(scenario).job.rounds().warm_up());
    REQUIRE(single > 1);
    for (std::size_t row = 0; row < rounds; ++row) {
      json found = run["history"][row], expected = gradients["history"][row];
      INFO("row " << row);
      CHECK((found == expected) == (row < single));
    }
  }
  // The local phase begins with the momentum of data parallel, and its one step is data parallel's without
  // it.
  const auto last_is_local = test_losses(live(post_local(1, 0.8), 3, training));
  const auto all_parallel = column(gradients, "test_loss");
  CHECK(std::equal(last_is_local.begin(), last_is_local.end() - 1, all_parallel.begin()));
  CHECK(last_is_local.back() != all_parallel.back());  // running statistics are averaged
}

TEST_CASE("post-local SGD: bytes are those of gradients before the switch and of parameters after it") {
  const long trainable = 12 * 16 + 16 * 4 + 2 * 16, all = trainable + 2 * 16 + 2 * 4;
  for (const int n : {1, 2, 4}) {
    for (const char* state : {"keep", "average"}) {
      const json scenario =
          live(post_local(3, 0.3), n, {{"momentum", 0.9}, {"optimizer_state", state}, {"rounds", 7}});
      const long single = Prepared(scenario).job.rounds().warm_up();
      REQUIRE(single == 4);
      const long values =
          single * trainable + (7 - single) * (all + (state == std::string("average") ? trainable : 0));
      const json run = complete_scenario(scenario);
      CHECK(total(run, "bytes_sent") == static_cast<std::uint64_t>(4 * 2 * (n - 1) * values));
      CHECK(run["paper_bytes"] == static_cast<double>(4 * 2 * n * values));
      CHECK(run["history"].back()["local_steps"] == 4 + 3 * 3);
      CHECK(run["history"].back()["samples"] == (4 + 3 * 3) * 6 * n);
    }
  }
}

TEST_CASE("slow momentum: memory and FLOPs, one worker after the other") {
  const std::uint64_t trainable = 12 * 16 + 16 * 4 + 2 * 16;
  for (const auto& [beta, alpha, numbers, flops] :
       {std::tuple(0.0, 1.0, 0, 0), std::tuple(0.0, 0.5, 1, 4), std::tuple(0.5, 1.0, 2, 6)}) {
    for (const double momentum : {0.0, 0.9}) {
      const json run = complete_scenario(live(local_sgd(3, slow(beta, alpha)), 2, {{"momentum", momentum}}));
      const json plain = complete_scenario(live(local_sgd(3), 2, {{"momentum", momentum}}));
      for (const std::size_t rank : {std::size_t{0}, std::size_t{1}}) {
        const json& worker = run["workers"][rank];
        CHECK(worker["memory"]["optimizer"] ==
              4 * trainable * ((momentum > 0 ? 1U : 0U) + static_cast<unsigned>(numbers)));
        const double more = worker["flops"].get<double>() - plain["workers"][rank]["flops"].get<double>();
        CHECK(more == static_cast<double>(rounds) * flops * static_cast<double>(trainable));
        CHECK_CLOSE(worker["compute"].get<double>(), worker["flops"].get<double>() / 1e9);
      }
    }
  }
}

TEST_CASE("protocols that cannot average momentum, or would never switch, say so") {
  const auto refusal = [](const json& scenario) {
    const Prepared prepared(scenario);
    return input_error_of([&] { prepared.protocol->require_fit(prepared.job); });
  };
  const json averaged = {{"momentum", 0.9}, {"optimizer_state", "average"}};
  CHECK(refusal(live({{"kind", "ist"}, {"local_steps", 3}}, 2, averaged)) ==
        "/training/optimizer_state: found \"average\"; ist allows only \"reset\": after a round a worker's "
        "subnet is another one");
  CHECK(refusal(live(post_local(3, 0.9), 2)) ==
        "/protocol/switch_at: found 0.9, but all 6 rounds begin before that; at least one must come after");
  CHECK(input_error_of([&] {
          Prepared::resolve(live(local_sgd(3), 2, {{"optimizer_state", "average"}}));
        }) ==
        "/training/optimizer_state: found \"average\"; there is none to average without \"momentum\" greater "
        "than 0");
}

}  // namespace local_sgd_test
