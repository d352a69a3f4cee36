#include "models/optimizer/optimizer.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "models/error.hpp"
#include "tests/unit/finite_difference.hpp"
#include "tests/unit/reference.hpp"

using namespace isthmus;

namespace optimizer_test {
namespace {

/// torch.optim.SGD of one parameter, line by line, in double.
struct TorchSgd {
  double momentum, weight_decay;
  bool nesterov;
  bool has_buffer = false;
  double buffer = 0;

  double step(double parameter, double gradient, double rate) {
    if (weight_decay != 0) gradient += weight_decay * parameter;
    if (momentum != 0) {
      buffer = has_buffer ? momentum * buffer + gradient : gradient;
      has_buffer = true;
      gradient = nesterov ? gradient + momentum * buffer : buffer;
    }
    return parameter - rate * gradient;
  }
};

struct Case {
  double momentum, weight_decay;
  bool nesterov;
};

std::unique_ptr<Optimizer> made(const Case& c) {
  return make_optimizer({{"kind", "sgd"},
                         {"momentum", c.momentum},
                         {"weight_decay", c.weight_decay},
                         {"nesterov", c.nesterov}});
}

}  // namespace

TEST_CASE("Steps are those of PyTorch's SGD", "[sgd]") {
  const auto c = GENERATE(Case{0, 0, false}, Case{0, 0.1, false}, Case{0.9, 0, false}, Case{0.9, 0.1, false},
                          Case{0.9, 0, true}, Case{0.5, 0.05, true});
  const bool reset = GENERATE(false, true);
  CAPTURE(c.momentum, c.weight_decay, c.nesterov, reset);
  constexpr std::size_t size = 37, untrained = 3;
  auto parameters = normal_floats(size + untrained, 1);
  const std::vector<float> statistics(parameters.end() - untrained, parameters.end());
  Numbers expected(parameters.begin(), parameters.end() - untrained);
  std::vector<TorchSgd> torch(size, {c.momentum, c.weight_decay, c.nesterov});
  const auto sgd = made(c);
  for (std::uint64_t step = 0; step < 6; ++step) {
    if (reset && step == 3) {
      sgd->reset();
      for (auto& one : torch) one.has_buffer = false;
    }
    const double rate = 0.1 / static_cast<double>(step + 1);
    const auto gradients = normal_floats(size, 10 + step);
    sgd->step(parameters, gradients, rate);
    for (std::size_t i = 0; i < size; ++i) {
      expected[i] = torch[i].step(expected[i], static_cast<double>(gradients[i]), rate);
    }
    check_close(std::vector<float>(parameters.begin(), parameters.end() - untrained), expected, 1e-6);
  }
  // What is not trained lies behind the rest and stays.
  CHECK(std::vector<float>(parameters.end() - untrained, parameters.end()) == statistics);
}

TEST_CASE("After a reset, momentum starts afresh also for another size", "[sgd]") {
  const auto used = made({0.9, 0, false}), fresh = made({0.9, 0, false});
  std::vector<float> some(5, 1), a(8, 1), b(8, 1);
  used->step(some, normal_floats(5, 1), 0.1);
  used->reset();
  used->step(a, normal_floats(8, 2), 0.1);
  fresh->step(b, normal_floats(8, 2), 0.1);
  CHECK(a == b);
}

TEST_CASE("What the optimizer keeps and computes", "[sgd]") {
  CHECK(made({0, 0, false})->states() == 0);
  CHECK(made({0.9, 0, false})->states() == 1);
  CHECK(made({0.9, 0, true})->states() == 1);
  // w -= r g | g += d w | v = m v + g | g + m v
  CHECK(made({0, 0, false})->flops_per_parameter() == 2);
  CHECK(made({0, 0.1, false})->flops_per_parameter() == 4);
  CHECK(made({0.9, 0.1, false})->flops_per_parameter() == 6);
  CHECK(made({0.9, 0.1, true})->flops_per_parameter() == 8);
}

TEST_CASE("Steps are those of PyTorch 1.13's optimizers", "[optimizer]") {
  // Made by tests/unit/torch_optimizers.py.
  std::ifstream file(std::string(ISTHMUS_SOURCE_DIR) + "/tests/unit/torch_optimizers.json");
  const auto cases = nlohmann::json::parse(file);
  REQUIRE(cases.size() >= 8);
  for (const auto& each : cases) {
    INFO(each.at("options"));
    const auto optimizer = make_optimizer(each.at("options"));
    std::vector<float> parameters = each.at("start");
    for (const auto& step : each.at("steps")) {
      std::vector<float> gradients = step.at("gradients");
      if (each.contains("clip")) clip_norm(gradients, each.at("clip"));
      optimizer->step(parameters, gradients, step.at("rate"));
      const std::vector<double> expected = step.at("parameters");
      check_close(parameters, expected, 1e-6);
    }
  }
}

TEST_CASE("An optimizer that is saved and restored goes on as if nothing had been", "[optimizer]") {
  for (const nlohmann::json& options : {nlohmann::json{{"kind", "sgd"}},
                                        {{"kind", "sgd"}, {"momentum", 0.9}},
                                        {{"kind", "adam"}},
                                        {{"kind", "adamw"}, {"weight_decay", 0.1}}}) {
    const auto one = make_optimizer(options), other = make_optimizer(options);
    std::vector<float> a(9, 1);
    for (std::uint64_t step = 0; step < 3; ++step) one->step(a, normal_floats(9, step), 0.1);
    std::vector<std::vector<float>> kept = {{1, 2}};
    one->save(kept);
    std::size_t next = 1;
    other->restore(kept, next);
    CHECK(next == kept.size());
    std::vector<float> b = a;
    one->step(a, normal_floats(9, 7), 0.1);
    other->step(b, normal_floats(9, 7), 0.1);
    CHECK(a == b);
    one->reset();
    const auto fresh = make_optimizer(options);
    b = a;
    one->step(a, normal_floats(9, 8), 0.1);
    fresh->step(b, normal_floats(9, 8), 0.1);
    CHECK(a == b);
  }
}

TEST_CASE("What Adam keeps and computes", "[optimizer]") {
  const auto made = [](const char* kind, double decay) {
    return make_optimizer({{"kind", kind}, {"weight_decay", decay}});
  };
  CHECK(made("adam", 0)->states() == 2);
  // m: * * +; v: * * * +; / sqrt, / root, + epsilon; * / -
  CHECK(made("adam", 0)->flops_per_parameter() == 13);
  CHECK(made("adam", 0.1)->flops_per_parameter() == 15);
  CHECK(made("adamw", 0.1)->flops_per_parameter() == 14);
  CHECK_THROWS_AS(make_optimizer({{"kind", "adagrad"}}), InputError);
  CHECK_THROWS_WITH(check_optimizer({{"kind", "sgd"}, {"nesterov", true}}, "/protocol/outer_optimizer"),
                    "/protocol/outer_optimizer/nesterov: found true; Nesterov's momentum needs \"momentum\" "
                    "greater than 0");
  CHECK_NOTHROW(check_optimizer({{"kind", "sgd"}, {"momentum", 0.9}, {"nesterov", true}}, ""));
}

}  // namespace optimizer_test
