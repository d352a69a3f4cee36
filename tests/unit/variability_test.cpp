#include "models/device/variability.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

using namespace isthmus;

namespace variability_test {
namespace {

std::vector<double> draws(const VariabilityOptions& options, int count, std::uint64_t seed = 1,
                          int rank = 0) {
  Variability variability(options, seed, rank);
  std::vector<double> factors;
  for (int i = 0; i < count; ++i) factors.push_back(variability.slowdown(1));
  return factors;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double deviation_of_logarithm(const std::vector<double>& values) {
  double sum = 0, squares = 0;
  for (const double value : values) {
    sum += std::log(value);
    squares += std::log(value) * std::log(value);
  }
  const auto n = static_cast<double>(values.size());
  return std::sqrt(squares / n - sum / n * sum / n);
}

}  // namespace

TEST_CASE("Jitter of steps has mean 1 and the deviation asked for", "[device]") {
  for (const double jitter : {0.05, 0.3}) {
    const std::vector<double> factors = draws({.jitter = jitter}, 20000);
    CHECK(mean(factors) == Approx(1).margin(4 * jitter / std::sqrt(20000)));
    CHECK(deviation_of_logarithm(factors) == Approx(jitter).epsilon(0.03));
  }
}

TEST_CASE("A device's spread is its own for good, and of many devices as asked for", "[device]") {
  std::vector<double> of_devices;
  for (int rank = 0; rank < 4000; ++rank) {
    const std::vector<double> factors = draws({.spread = 0.2}, 3, 7, rank);
    CHECK(factors[0] == factors[2]);
    of_devices.push_back(factors[0]);
  }
  CHECK(mean(of_devices) == Approx(1).margin(4 * 0.2 / std::sqrt(4000)));
  CHECK(deviation_of_logarithm(of_devices) == Approx(0.2).epsilon(0.06));
}

TEST_CASE("As many steps are slow as asked for, in stretches", "[device]") {
  for (const long length : {1L, 20L}) {
    const int count = 200000;
    const std::vector<double> factors =
        draws({.slow_share = 0.1, .slow_factor = 5, .slow_steps = length}, count);
    int slow = 0, stretches = 0, shortest = count, current = 0;
    for (std::size_t i = 0; i < factors.size(); ++i) {
      REQUIRE((factors[i] == 1 || factors[i] == 5));
      slow += factors[i] == 5 ? 1 : 0;
      current = factors[i] == 5 ? current + 1 : 0;
      const bool ends = i + 1 < factors.size() && factors[i] == 5 && factors[i + 1] == 1;
      if (!ends) continue;
      if (++stretches > 1) shortest = std::min(shortest, current);  // the first may have begun before
    }
    CHECK(slow / static_cast<double>(count) == Approx(0.1).epsilon(0.06));
    CHECK(shortest == length);
  }
}

TEST_CASE("Slowness depends on seed and rank, and on how steps are asked for not at all", "[device]") {
  const VariabilityOptions options = {.jitter = 0.2, .spread = 0.1, .slow_share = 0.1, .slow_factor = 3};
  CHECK(draws(options, 50) == draws(options, 50));
  CHECK(draws(options, 50) != draws(options, 50, 2));
  CHECK(draws(options, 50) != draws(options, 50, 1, 1));
  Variability together(options, 1, 0);
  CHECK(together.slowdown(50) == Approx(mean(draws(options, 50))).epsilon(1e-12));
}

}  // namespace variability_test
