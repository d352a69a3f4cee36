#include "models/optimizer/schedule.hpp"

#include <catch2/catch.hpp>

using namespace isthmus;

namespace schedule_test {

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

}  // namespace schedule_test
