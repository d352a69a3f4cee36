#include "models/sgd.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/finite_difference.hpp"
#include "tests/unit/reference.hpp"

using namespace isthmus;

namespace sgd_test {
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

TrainingOptions options_of(const Case& c) {
  TrainingOptions options;
  options.momentum = c.momentum;
  options.weight_decay = c.weight_decay;
  options.nesterov = c.nesterov;
  return options;
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
  Sgd sgd(options_of(c));
  for (std::uint64_t step = 0; step < 6; ++step) {
    if (reset && step == 3) {
      sgd.reset();
      for (auto& one : torch) one.has_buffer = false;
    }
    const double rate = 0.1 / static_cast<double>(step + 1);
    const auto gradients = normal_floats(size, 10 + step);
    sgd.step(parameters, gradients, rate);
    for (std::size_t i = 0; i < size; ++i) {
      expected[i] = torch[i].step(expected[i], static_cast<double>(gradients[i]), rate);
    }
    check_close(std::vector<float>(parameters.begin(), parameters.end() - untrained), expected, 1e-6);
  }
  // What is not trained lies behind the rest and stays.
  CHECK(std::vector<float>(parameters.end() - untrained, parameters.end()) == statistics);
}

TEST_CASE("After a reset, momentum starts afresh also for another size", "[sgd]") {
  const TrainingOptions options = options_of({0.9, 0, false});
  Sgd used(options), fresh(options);
  std::vector<float> some(5, 1), a(8, 1), b(8, 1);
  used.step(some, normal_floats(5, 1), 0.1);
  used.reset();
  used.step(a, normal_floats(8, 2), 0.1);
  fresh.step(b, normal_floats(8, 2), 0.1);
  CHECK(a == b);
}

TEST_CASE("What the optimizer keeps and computes", "[sgd]") {
  CHECK(Sgd::state_per_parameter(options_of({0, 0, false})) == 0);
  CHECK(Sgd::state_per_parameter(options_of({0.9, 0, false})) == 1);
  CHECK(Sgd::state_per_parameter(options_of({0.9, 0, true})) == 1);
  // w -= r g | g += d w | v = m v + g | g + m v
  CHECK(Sgd::flops_per_parameter(options_of({0, 0, false})) == 2);
  CHECK(Sgd::flops_per_parameter(options_of({0, 0.1, false})) == 4);
  CHECK(Sgd::flops_per_parameter(options_of({0.9, 0.1, false})) == 6);
  CHECK(Sgd::flops_per_parameter(options_of({0.9, 0.1, true})) == 8);
}

TEST_CASE("Constant schedule", "[schedule]") {
  TrainingOptions options;
  options.learning_rate = 0.03;
  for (const long step : {0L, 1L, 99L}) CHECK(learning_rate_at(options, step, 100) == 0.03);
}

TEST_CASE("Step schedule", "[schedule]") {
  TrainingOptions options;
  options.learning_rate = 0.8;
  options.schedule = {.kind = Schedule::Kind::step, .milestones = {0.5, 0.75}, .factor = 0.1};
  CHECK(learning_rate_at(options, 0, 100) == 0.8);
  CHECK(learning_rate_at(options, 49, 100) == 0.8);
  CHECK(learning_rate_at(options, 50, 100) == Approx(0.08));
  CHECK(learning_rate_at(options, 74, 100) == Approx(0.08));
  CHECK(learning_rate_at(options, 75, 100) == Approx(0.008));
  CHECK(learning_rate_at(options, 99, 100) == Approx(0.008));
  // 7 steps: the first that begins at half of training or later is the fifth.
  CHECK(learning_rate_at(options, 3, 7) == 0.8);
  CHECK(learning_rate_at(options, 4, 7) == Approx(0.08));
}

TEST_CASE("Cosine schedule", "[schedule]") {
  TrainingOptions options;
  options.learning_rate = 2;
  options.schedule = {.kind = Schedule::Kind::cosine, .milestones = {}, .final_factor = 0.1};
  CHECK(learning_rate_at(options, 0, 100) == Approx(2));
  CHECK(learning_rate_at(options, 50, 100) == Approx(2 * 0.55));
  CHECK(learning_rate_at(options, 25, 100) == Approx(2 * (0.1 + 0.9 * (1 + std::sqrt(0.5)) / 2)));
  CHECK(learning_rate_at(options, 100, 100) == Approx(2 * 0.1));
  for (long step = 1; step < 100; ++step) {
    CHECK(learning_rate_at(options, step, 100) < learning_rate_at(options, step - 1, 100));
  }
}

TEST_CASE("Warm-up rises linearly to the full rate and then hands over", "[schedule]") {
  TrainingOptions options;
  options.learning_rate = 1;
  options.schedule.warm_up = 0.1;
  for (long step = 0; step < 10; ++step) {
    CHECK(learning_rate_at(options, step, 100) == Approx(static_cast<double>(step + 1) / 10));
  }
  CHECK(learning_rate_at(options, 10, 100) == 1);
  CHECK(learning_rate_at(options, 99, 100) == 1);

  options.schedule.kind = Schedule::Kind::cosine;  // begins when the warm-up ends
  CHECK(learning_rate_at(options, 9, 100) == Approx(1));
  CHECK(learning_rate_at(options, 10, 100) == Approx(1));
  CHECK(learning_rate_at(options, 55, 100) == Approx(0.5));

  options.schedule = {.kind = Schedule::Kind::step, .milestones = {0.5}, .factor = 0.1, .warm_up = 0.1};
  CHECK(learning_rate_at(options, 4, 100) == Approx(0.5));
  CHECK(learning_rate_at(options, 49, 100) == 1);
  CHECK(learning_rate_at(options, 50, 100) == Approx(0.1));

  // 0.07 * 100 is a little more than 7 in binary; the warm-up still ends after 7 steps, at the full rate.
  options.schedule = {.milestones = {}, .warm_up = 0.07};
  CHECK(learning_rate_at(options, 6, 100) == Approx(options.learning_rate));
  CHECK(learning_rate_at(options, 5, 100) == Approx(options.learning_rate * 6 / 7));
  // 4 steps, of which 0.3 are warm-up: two steps begin within it.
  options.schedule = {.milestones = {}, .warm_up = 0.3};
  CHECK(learning_rate_at(options, 0, 4) == 0.5);
  CHECK(learning_rate_at(options, 1, 4) == 1);
  CHECK(learning_rate_at(options, 2, 4) == 1);
}

}  // namespace sgd_test
