// Protocols with servers: alone, and with everybody in step, they are SGD and local SGD; staleness is as
// queueing says; servers' links saturate where arithmetic says; bytes, memory and repeatability.

#include "models/partition/neurons.hpp"
#include "models/trainer.hpp"
#include "sim/servers/contributors.hpp"
#include "tests/sim/runs.hpp"

using namespace isthmus;
using namespace isthmus::testing;

namespace servers_test {
namespace {

json scenario_of(const json& protocol, int workers, const json& changes = json::object()) {
  json all = {{"numerics", "live"},
              {"platform", {{"workers", workers}}},
              {"model", {{"kind", "mlp"}, {"hidden", {9}}, {"statistics", "running"}}},
              {"training", {{"rounds", 4}, {"batch", 6}}},
              {"protocol", protocol}};
  all.merge_patch(changes);
  return scenario_with(all);
}

std::vector<double> column(const json& run, const char* name) {
  std::vector<double> values;
  for (const json& row : run["history"]) values.push_back(row[name]);
  return values;
}

std::vector<double> test_losses(const json& scenario) {
  return column(complete_scenario(scenario), "test_loss");
}

void check_near(const std::vector<double>& found, const std::vector<double>& expected, double margin = 1e-4) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i] == Approx(expected[i]).epsilon(margin));
}

std::uint64_t parameters_of(const json& scenario) {
  const Prepared prepared(scenario);
  return prepared.job.model().layout().size();
}

/// Compute is so slow that messages hardly matter, and so on: how fast devices are, by host.
json devices(const std::vector<const char*>& speeds) {
  json result = json::object();
  for (std::size_t i = 0; i < speeds.size(); ++i) result["n-" + std::to_string(i)] = {{"speed", speeds[i]}};
  return result;
}

const std::vector<json> all_kinds = {
    {{"kind", "async_sgd"}},
    {{"kind", "async_sgd"}, {"servers", 3}, {"most_ahead", 1}, {"damping", "inverse"}},
    {{"kind", "async_local_sgd"}, {"local_steps", 3}, {"steps_by_speed", true}, {"momentum_share", 0.1}},
    {{"kind", "fedbuff"}, {"local_steps", 2}, {"buffer", 3}, {"concurrency", 3}},
    {{"kind", "quorum"}, {"local_steps", 2}, {"quorum", 2}},
    {{"kind", "easgd"}, {"local_steps", 2}},
    {{"kind", "fedavg"}, {"local_epochs", 0.5}, {"clients", 2}, {"proximal", 0.1}},
    {{"kind", "scaffold"}, {"local_steps", 2}, {"clients", 3}},
    {{"kind", "async_ist"}, {"local_steps", 2}, {"mixing", 0.5}},
    {{"kind", "federated_dropout"}, {"local_steps", 2}, {"clients", 3}},
    {{"kind", "fedrolex"}, {"local_steps", 2}, {"widths_of", "rounds"}},
    {{"kind", "fjord"}, {"local_epochs", 0.5}, {"clients", 2}},
};

/// Workers of unlike speed.
json uneven(const json& protocol, const json& changes = json::object()) {
  json scenario =
      scenario_of(protocol, 4, {{"platform", {{"devices", devices({"1Gf", "2Gf", "300Mf", "1.7Gf"})}}}});
  scenario.merge_patch(changes);
  return scenario;
}

}  // namespace

TEST_CASE("servers: one worker alone is SGD") {
  const json training = {{"training",
                          {{"momentum", 0.9},
                           {"weight_decay", 0.01},
                           {"clip_gradient_norm", 0.7},
                           {"schedule", {{"kind", "cosine"}}},
                           {"rounds", 12}}}};
  const auto expected = test_losses(scenario_of({{"kind", "data_parallel"}}, 1, training));
  CHECK(test_losses(scenario_of({{"kind", "async_sgd"}}, 1, training)) == expected);

  json halves = training;
  halves["training"].erase("clip_gradient_norm");
  const auto unclipped = test_losses(scenario_of({{"kind", "data_parallel"}}, 1, halves));
  CHECK(test_losses(scenario_of({{"kind", "async_sgd"}, {"servers", 2}}, 1, halves)) == unclipped);

  json keep = {{"training", {{"momentum", 0.9}, {"rounds", 4}, {"optimizer_state", "keep"}}}};
  const auto local = test_losses(scenario_of({{"kind", "local_sgd"}, {"local_steps", 3}}, 1, keep));
  check_near(test_losses(scenario_of({{"kind", "fedbuff"}, {"local_steps", 3}, {"buffer", 1}}, 1, keep)),
             local);
  CHECK(
      test_losses(scenario_of({{"kind", "easgd"}, {"local_steps", 3}, {"elasticity", 0}}, 1, keep)).front() ==
      test_losses(scenario_of({{"kind", "easgd"}, {"local_steps", 3}, {"elasticity", 0}}, 1, keep)).back());
  const json outer = {
      {"kind", "local_sgd"},
      {"local_steps", 3},
      {"outer_optimizer", {{"kind", "sgd"}, {"learning_rate", 0.7}, {"momentum", 0.9}, {"nesterov", true}}}};
  check_near(test_losses(scenario_of({{"kind", "async_local_sgd"}, {"local_steps", 3}}, 1, keep)),
             test_losses(scenario_of(outer, 1, keep)));
}

TEST_CASE("servers: everybody in step is local SGD, and data parallel") {
  const json exact = {{"kind", "local_sgd"}, {"local_steps", 2}, {"aggregate", "server"}};
  const auto expected = test_losses(scenario_of(exact, 4));
  CHECK(test_losses(scenario_of({{"kind", "fedavg"}, {"local_steps", 2}}, 4)) == expected);
  // The sum of changes is not rounded as the sum of parameters.
  check_near(test_losses(scenario_of({{"kind", "quorum"}, {"local_steps", 2}, {"quorum", 4}}, 4)), expected);
  check_near(test_losses(scenario_of(
                 {{"kind", "fedbuff"}, {"local_steps", 2}, {"buffer", 4}, {"hand_out", "at_update"}}, 4)),
             expected);
  check_near(test_losses(scenario_of({{"kind", "scaffold"}, {"local_steps", 1}}, 4)),
             test_losses(scenario_of({{"kind", "local_sgd"}, {"local_steps", 1}}, 4)));
  // N pushes are DiLoCo's step: their mean, and the momentum once.
  const json outer = {{"kind", "sgd"}, {"learning_rate", 0.5}, {"momentum", 0.8}, {"nesterov", true}};
  check_near(
      test_losses(scenario_of({{"kind", "async_local_sgd"},
                               {"local_steps", 2},
                               {"outer_learning_rate", 0.5},
                               {"outer_momentum", 0.8},
                               {"hand_out", "at_update"}},
                              4)),
      test_losses(scenario_of({{"kind", "local_sgd"}, {"local_steps", 2}, {"outer_optimizer", outer}}, 4)));
}

TEST_CASE("asynchronous IST: together it is IST, alone local SGD, and it sends what IST does") {
  const json wide = {{"model", {{"hidden", {21, 14}}}}, {"training", {{"rounds", 5}}}};
  const json ist = scenario_of({{"kind", "ist"}, {"local_steps", 2}}, 4, wide);
  const json together =
      scenario_of({{"kind", "async_ist"}, {"local_steps", 2}, {"hand_out", "together"}}, 4, wide);
  check_near(test_losses(together), test_losses(ist), 1e-5);
  const json alone = scenario_of({{"kind", "async_ist"}, {"local_steps", 2}}, 1, wide);
  check_near(test_losses(alone), test_losses(scenario_of({{"kind", "ist"}, {"local_steps", 2}}, 1, wide)),
             1e-5);

  // Four subnets go out in each round, each with 8 bytes that say which; and four come back.
  const json run = complete_scenario(together);
  const Prepared prepared(together);
  const Partition deal =
      draw_neurons(prepared.job.model().layout(), axes_of(prepared.job.model().layout(), AxisKind::neurons),
                   4, NeuronDeal::uniform, 1, 1);
  std::uint64_t subnets = 0;
  for (int part = 0; part < 4; ++part) subnets += 4 * deal.part(part).size();
  const json server = run["workers"].back();
  CHECK(server["bytes_received"] == 5 * subnets);
  CHECK(server["bytes_sent"] == 6 * (subnets + 4 * 8));  // and the first of a sixth round

  // Who is slow holds nobody up.
  const json slow = {{"numerics", "costs"},
                     {"platform", {{"speed", "1Mf"}, {"devices", devices({"1Mf", "1Mf", "1Mf", "20kf"})}}},
                     {"model", {{"hidden", {21, 14}}}},
                     {"training", {{"rounds", 20}}}};
  const auto seconds = [&](const json& protocol) {
    return complete_scenario(scenario_of(protocol, 4, slow))["history"].back()["seconds"].get<double>();
  };
  CHECK(seconds({{"kind", "async_ist"}, {"local_steps", 2}}) <
        0.2 * seconds({{"kind", "ist"}, {"local_steps", 2}}));
}

TEST_CASE("servers: staleness of equals is n - 1, and its mean whatever the speeds") {
  // Compute takes all the time: about 10 ms a step, messages 3 us.
  const auto run = [](const json& protocol, const std::vector<const char*>& speeds) {
    const int n = static_cast<int>(speeds.size());
    return complete_scenario(scenario_of(
        protocol, n,
        {{"numerics", "costs"},
         {"platform",
          {{"bandwidth", "1GBps"}, {"latency", "1us"}, {"speed", "1Gf"}, {"devices", devices(speeds)}}},
         {"training", {{"rounds", 120}, {"evaluate_every_rounds", 20}}}}));
  };
  for (const int n : {1, 2, 3, 5}) {
    const std::vector<const char*> equal(static_cast<std::size_t>(n), "1Mf");
    const json run_of_equals = run({{"kind", "async_sgd"}}, equal);
    CHECK(run_of_equals["history"].back()["staleness_mean"] == n - 1);
    CHECK(run_of_equals["history"].back()["staleness_max"] == n - 1);
    CHECK(run_of_equals["lost_samples"] >= 0);
    CHECK(run_of_equals["lost_samples"] <= n * 6);
  }
  // Of three workers, one four times as fast as the others: between two updates of a slow one there are four
  // of the fast one and one of the other slow one.
  const json uneven_run = run({{"kind", "async_sgd"}}, {"1Mf", "4.0001Mf", "1.00001Mf"});
  CHECK(uneven_run["history"].back()["staleness_mean"].get<double>() == Approx(2).margin(0.05));
  CHECK(uneven_run["history"].back()["staleness_max"] == 5);
  const auto steps = [&](const json& of, int rank) {
    return of["workers"][static_cast<std::size_t>(rank)]["local_steps"].get<double>();
  };
  CHECK(steps(uneven_run, 1) / steps(uneven_run, 0) == Approx(4).margin(0.1));

  const json bounded = run({{"kind", "async_sgd"}, {"most_ahead", 2}}, {"1Mf", "4.0001Mf", "1.00001Mf"});
  CHECK(std::abs(steps(bounded, 1) - steps(bounded, 0)) <= 4);  // two ahead at the server, one under way each

  // By speed everybody brings its change at the same time.
  const json by_speed =
      run({{"kind", "async_local_sgd"}, {"local_steps", 8}, {"steps_by_speed", true}}, {"1Mf", "4Mf", "2Mf"});
  CHECK(steps(by_speed, 1) / steps(by_speed, 0) == Approx(4).margin(0.1));
  CHECK(steps(by_speed, 1) / steps(by_speed, 2) == Approx(2).margin(0.05));
}

TEST_CASE("servers: a server's link saturates where arithmetic says, and more servers take more") {
  // Half-duplex links of 1 MB/s, on which parameters and gradients never wait for each other's direction;
  // workers compute next to nothing.
  static const TemporaryPlatform half(star(8, "SHARED"));
  const auto seconds_per_update = [](int servers, const char* wire_format) {
    const json scenario =
        scenario_of({{"kind", "async_sgd"}, {"servers", servers}, {"wire_format", wire_format}}, 5,
                    {{"numerics", "costs"},
                     {"model", {{"hidden", {150}}}},
                     {"platform",
                      {{"file", half.options().file.string()},
                       {"bandwidth", "1MBps"},
                       {"latency", "10us"},
                       {"speed", "1Tf"}}},
                     {"training", {{"rounds", 40}, {"evaluate_every_rounds", 20}}}});
    const json run = complete_scenario(scenario);
    const double updates = 20 * 5;
    const auto at = [&](std::size_t row) { return run["history"][row]["seconds"].get<double>(); };
    return std::pair((at(1) - at(0)) / updates, static_cast<double>(parameters_of(scenario)));
  };
  const auto [one, parameters] = seconds_per_update(1, "fp32");
  CHECK(one == Approx(2 * parameters * 4 / 1e6).epsilon(0.01));
  CHECK(seconds_per_update(1, "fp16").first == Approx(2 * parameters * 2 / 1e6).epsilon(0.01));
  CHECK(seconds_per_update(2, "fp32").first == Approx(2 * parameters * 2 / 1e6).epsilon(0.02));
}

TEST_CASE("servers: bytes and messages by arithmetic, live as costs, as repeatable as others") {
  for (const json& protocol : all_kinds) {
    const json scenario = uneven(protocol);
    INFO(protocol.dump());
    const json live = complete_scenario(scenario), two_threads = complete_scenario(scenario, 2);
    CHECK(live == two_threads);
    json costs = complete_scenario(uneven(protocol, {{"numerics", "costs"}}));
    json numberless = live;
    for (json* run : {&costs, &numberless}) {
      for (json& row : (*run)["history"]) {
        for (const char* measured : {"train_loss", "test_loss", "test_accuracy"}) row.erase(measured);
      }
    }
    CHECK(costs == numberless);
    CHECK(live["history"].back()["train_loss"].get<double>() <
          live["history"].front()["train_loss"].get<double>());
    CHECK(total(live, "bytes_sent") >= total(live, "bytes_received"));  // some is under way at the end
    CHECK(live["workers"].size() == (protocol.value("servers", 1) == 1 ? 5 : 7));
    CHECK(live["workers"].back()["is_server"] == true);
    CHECK(live["workers"].back()["local_steps"] == 0);
  }
  // Each push is the model, and so is each answer: 12 until training is over.
  for (const json& protocol : {json{{"kind", "async_sgd"}}, json{{"kind", "easgd"}, {"local_steps", 2}}}) {
    const json scenario = scenario_of(protocol, 3);
    const json run = complete_scenario(scenario), server = run["workers"].back();
    CHECK(server["bytes_received"] == 12 * 4 * parameters_of(scenario));
    CHECK(server["bytes_sent"] == 15 * 4 * parameters_of(scenario));  // and three to begin with
    CHECK(server["messages_sent"] == 15);
  }
  // Four rounds of two clients: a note of 8 bytes, the model down and up.
  const json scenario = scenario_of({{"kind", "fedavg"}, {"clients", 2}, {"local_steps", 1}}, 3);
  CHECK(total(complete_scenario(scenario), "bytes_sent") == 4 * 2 * (8 + 2 * 4 * parameters_of(scenario)));
}

TEST_CASE("federated averaging and SCAFFOLD do what their papers say, written out here") {
  // Three clients of unlike numbers of samples, two local steps each.
  constexpr int workers = 3;
  constexpr long steps = 2, rounds = 3;
  constexpr float rate = 0.1F, proximal = 0.4F;
  const json changes = {{"data", {{"split", "by_label"}, {"alpha", 1}}},
                        {"model", {{"statistics", "batch"}}},
                        {"training", {{"rounds", rounds}}}};
  for (const bool controls : {false, true}) {
    const json protocol =
        controls ? json{{"kind", "scaffold"}, {"local_steps", steps}, {"server_learning_rate", 0.9}}
                 : json{{"kind", "fedavg"}, {"local_steps", steps}, {"proximal", proximal}};
    const json scenario = scenario_of(protocol, workers, changes);
    const std::vector<double> found = test_losses(scenario);
    const Prepared prepared(scenario);
    const Job& job = prepared.job;
    const std::size_t size = job.model().layout().size();
    std::vector<Trainer> trainers;
    for (int rank = 0; rank < workers; ++rank) {
      trainers.emplace_back(job.dataset(), job.batches(rank), job.training(), job.total_steps());
      trainers.back().set_model(job.model());
    }
    std::vector<double> x(job.initial_parameters().begin(), job.initial_parameters().end()), c(size);
    std::vector<std::vector<double>> own(workers, std::vector<double>(size));
    double samples = 0;
    for (int rank = 0; rank < workers; ++rank) samples += static_cast<double>(job.samples_of(rank));
    CHECK(job.samples_of(0) != job.samples_of(1));
    for (long round = 0; round < rounds; ++round) {
      std::vector<double> mean(size), changed(size);
      for (int rank = 0; rank < workers; ++rank) {
        const auto i = static_cast<std::size_t>(rank);
        Trainer& trainer = trainers[i];
        std::vector<double> y = x;
        for (long step = 0; step < steps; ++step) {
          std::copy(y.begin(), y.end(), trainer.parameters().data());
          trainer.compute_gradient();
          for (std::size_t k = 0; k < size; ++k) {
            double gradient = trainer.gradients().data()[k];
            gradient += controls ? c[k] - own[i][k] : proximal * (y[k] - x[k]);
            y[k] -= rate * gradient;
          }
        }
        const double weight = static_cast<double>(job.samples_of(rank)) / samples;
        for (std::size_t k = 0; k < size; ++k) {
          mean[k] += weight * y[k];
          const double change = (x[k] - y[k]) / (steps * rate) - c[k];
          own[i][k] += change;
          changed[k] += change / workers;
        }
      }
      for (std::size_t k = 0; k < size; ++k) {
        x[k] += (controls ? 0.9 : 1) * (mean[k] - x[k]);
        c[k] += changed[k];
      }
      const std::vector<float> model(x.begin(), x.end());
      const double loss = evaluate(job.model(), model, job.dataset(), 1000).mean_loss();
      CHECK(found[static_cast<std::size_t>(round)] == Approx(loss).epsilon(1e-4));
    }
  }
}

TEST_CASE(
    "federated averaging: clients are drawn without favour, hold nothing while idle, and know their epochs") {
  constexpr int workers = 7, drawn = 2;
  const json protocol = {{"kind", "fedavg"}, {"clients", drawn}, {"local_steps", 3}};
  const json run = complete_scenario(
      scenario_of(protocol, workers,
                  {{"numerics", "costs"}, {"training", {{"rounds", 70}, {"evaluate_every_rounds", 70}}}}));
  for (int rank = 0; rank < workers; ++rank) {
    const long rounds = run["workers"][static_cast<std::size_t>(rank)]["local_steps"].get<long>() / 3;
    CHECK(rounds >= 8);
    CHECK(rounds <= 32);  // of 70 2/7 are 20
  }
  CHECK(run["history"].back()["samples"] == 70 * drawn * 3 * 6);
  CHECK(run["lost_samples"] == 0);

  // One round: two have had the model in their memory, the others nothing but samples.
  const json once = complete_scenario(scenario_of(protocol, workers, {{"training", {{"rounds", 1}}}}));
  int at_work = 0;
  for (int rank = 0; rank < workers; ++rank)
    at_work +=
        once["workers"][static_cast<std::size_t>(rank)]["memory"]["parameters"].get<long>() > 0 ? 1 : 0;
  CHECK(at_work == drawn);

  // 240 samples of four workers, batches of 6: ten steps are an epoch.
  const json epochs = complete_scenario(scenario_of({{"kind", "fedavg"}, {"local_epochs", 2}}, 4));
  CHECK(epochs["workers"][0]["local_steps"] == 4 * 20);
  CHECK(epochs["history"].back()["samples"] == 4 * 4 * 20 * 6);
}

TEST_CASE("servers: a quorum goes on without those who are late, and counts what they lose") {
  const json slow = {{"platform", {{"devices", devices({"1Mf", "1Mf", "1Mf", "100kf"})}}},
                     {"training", {{"rounds", 20}, {"evaluate_every_rounds", 20}}},
                     {"numerics", "costs"}};
  const json all =
      complete_scenario(scenario_of({{"kind", "quorum"}, {"quorum", 4}, {"local_steps", 1}}, 4, slow));
  const json three =
      complete_scenario(scenario_of({{"kind", "quorum"}, {"quorum", 3}, {"local_steps", 1}}, 4, slow));
  CHECK(three["seconds"].get<double>() < 0.25 * all["seconds"].get<double>());
  CHECK(all["lost_samples"] == 0);
  const long made = three["workers"][3]["local_steps"];
  CHECK(made >= 2);
  CHECK(three["lost_samples"] >= made * 6);
  CHECK(three["history"].back()["samples"] == 20 * 3 * 6);
  CHECK(three["history"].back()["staleness_max"] == 0);
}

TEST_CASE("servers: where they are, and what they need there") {
  const auto bytes_on = [](const json& servers) {
    const json run =
        complete_scenario(scenario_of({{"kind", "async_sgd"}}, 2, {{"platform", {{"servers", servers}}}}));
    std::set<std::string> links;
    for (const auto& [link, use] : run["links"].items()) links.insert(link);
    return std::pair(run["workers"].back()["host"].get<std::string>(), links);
  };
  CHECK(bytes_on("apart").first == "n-2");
  CHECK(bytes_on("beside").first == "n-0");
  CHECK(bytes_on(json{"n-7"}).first == "n-7");
  CHECK(bytes_on("apart").second.size() == 6);   // up and down of three hosts
  CHECK(bytes_on("beside").second.size() == 4);  // and of two

  // Beside a worker a server has a part of its memory.
  const auto memory = [](const char* servers) {
    const json run =
        complete_scenario(scenario_of({{"kind", "async_sgd"}}, 2, {{"platform", {{"servers", servers}}}}));
    std::vector<std::uint64_t> used;
    for (const json& worker : run["workers"]) {
      std::uint64_t sum = 0;
      for (const auto& [part, bytes] : worker["memory"].items()) sum += bytes.get<std::uint64_t>();
      used.push_back(sum);
    }
    return used;
  };
  const auto apart = memory("apart"), beside = memory("beside");
  CHECK(beside[0] == apart[0] + apart[2]);
  CHECK(beside[1] == apart[1]);

  const json small =
      scenario_of({{"kind", "async_sgd"}}, 3, {{"platform", {{"devices", {{"n-3", {{"memory", "1kB"}}}}}}}});
  const json failed = run_scenario(small);
  CHECK(failed["outcome"] == "out_of_memory");
  CHECK(failed["out_of_memory"]["host"] == "n-3");

  const auto refusal = [](const json& protocol, int workers, const json& servers) {
    return input_error_of([&] {
      plan_study(ScenarioDocument(scenario_of(protocol, workers, {{"platform", {{"servers", servers}}}})),
                 source_file("."));
    });
  };
  using Catch::Matchers::Contains;
  CHECK_THAT(refusal({{"kind", "async_sgd"}}, 8, "apart"),
             Contains("/platform/servers: the protocol has 1 server, but") &&
                 Contains("has 0 hosts besides those of the 8 workers"));
  CHECK_THAT(
      refusal({{"kind", "async_sgd"}, {"servers", 3}}, 2, "beside"),
      Contains("/platform/servers: the protocol has 3 servers") && Contains("as many servers at most"));
  CHECK_THAT(refusal({{"kind", "async_sgd"}, {"servers", 2}}, 2, json{"n-5"}),
             Contains("/platform/servers: found 1 hosts, but the protocol has 2 servers"));
  CHECK_THAT(refusal({{"kind", "async_sgd"}}, 2, json{"n-55"}),
             Contains("/platform/servers/0: no host 'n-55'"));
  CHECK_THAT(refusal({{"kind", "async_sgd"}}, 2, "nowhere"),
             Contains("/platform/servers") && Contains("\"apart\", \"beside\", or a list of host names"));
  CHECK_THAT(refusal({{"kind", "quorum"}, {"quorum", 4}}, 3, "apart"),
             Contains("/protocol/quorum: found 4, but there are 3 workers"));
  CHECK_THAT(refusal({{"kind", "fedavg"}, {"clients", 4}}, 3, "apart"),
             Contains("/protocol/clients: found 4, but there are 3 workers"));
  CHECK_THAT(refusal({{"kind", "fedavg"}, {"local_steps", 4}, {"local_epochs", 2}}, 3, "apart"),
             Contains("/protocol/local_epochs: is given beside"));
  CHECK_THAT(refusal({{"kind", "fedbuff"}, {"local_steps", 4}, {"buffer", 4}, {"hand_out", "at_update"}}, 3,
                     "apart"),
             Contains("/protocol/buffer: found 4 beside"));
  CHECK_THAT(refusal({{"kind", "async_local_sgd"}, {"local_steps", 4}, {"momentum_share", 0.6}}, 2, "apart"),
             Contains("/protocol/momentum_share: found 0.6"));
  CHECK_THAT(refusal({{"kind", "async_sgd"}, {"servers", 1000}}, 2, "beside"),
             Contains("/protocol/servers: found 1000 servers for "));
}

TEST_CASE("inboxes: first come, first served, whoever it is, and over several connections, too") {
  for (const int flows : {1, 3}) {
    const json run = run_workers(
        scenario_of({{"kind", "data_parallel"}}, 4, {{"network", {{"flows", flows}}}}), [](Worker& worker) {
          Communicator& comm = worker.communicator();
          json order = json::array();
          std::vector<float> value(8, static_cast<float>(worker.rank()));
          if (worker.rank() > 0) {
            // Rank 3 first, then 2, then 1; twice.
            for (int turn = 0; turn < 2; ++turn) {
              worker.compute(
                  {{plain_kernel(KernelKind::elementwise, 1e8 * (4 - worker.rank() + 5 * turn), 0), 1}},
                  [] {});
              std::array<Request, 1> sent = {comm.start_to_inbox(0, value)};
              comm.wait_all(sent);
            }
            return order;
          }
          // Two receives are posted beforehand, the others when all has been sent.
          std::vector<std::vector<float>> into(6, std::vector<float>(8));
          std::vector<Request> requests;
          for (std::size_t i = 0; i < 2; ++i) requests.push_back(comm.start_from_inbox(into[i]));
          for (int heard = 0; heard < 2; ++heard) {
            const std::size_t index = comm.wait_any(requests);
            order.push_back({requests[index]->source(), into[index].front(), into[index].back()});
            requests[index] = nullptr;
          }
          worker.compute({{plain_kernel(KernelKind::elementwise, 1e10, 0), 1}}, [] {});
          requests.clear();
          for (std::size_t i = 2; i < 6; ++i) requests.push_back(comm.start_from_inbox(into[i]));
          comm.wait_all(requests);
          for (std::size_t i = 2; i < 6; ++i)
            order.push_back({requests[i - 2]->source(), into[i].front(), into[i].back()});
          return order;
        });
    REQUIRE(run["outcome"] == "completed");
    CHECK(run["returned"][0] == json::parse("[[3,3,3],[2,2,2],[1,1,1],[3,3,3],[2,2,2],[1,1,1]]"));
  }
}

}  // namespace servers_test
