#include "models/device/variability.hpp"

#include <boost/random/bernoulli_distribution.hpp>
#include <boost/random/normal_distribution.hpp>
#include <cmath>

namespace isthmus {
namespace {

/// Log-normal, of mean 1.
double draw_factor(double deviation, Random& random) {
  if (deviation == 0) return 1;
  boost::random::normal_distribution<double> normal(-deviation * deviation / 2, deviation);
  return std::exp(normal(random));
}

}  // namespace

Variability::Variability(const VariabilityOptions& options, std::uint64_t seed, int rank)
    : options_(options),
      jitter_(random_stream(seed, "jitter of steps", static_cast<std::uint64_t>(rank))),
      slowness_(random_stream(seed, "slow steps", static_cast<std::uint64_t>(rank))) {
  Random devices = random_stream(seed, "spread of devices", static_cast<std::uint64_t>(rank));
  of_device_ = draw_factor(options.spread, devices);
  if (options.slow_share == 0) return;
  // A step is fast if none of the last so many has begun to be slow.
  begins_ = 1 - std::pow(1 - options.slow_share, 1 / static_cast<double>(options.slow_steps));
  for (long step = 1; step < options.slow_steps; ++step) next();  // as if it had gone on for a while
}

double Variability::next() {
  double factor = of_device_ * draw_factor(options_.jitter, jitter_);
  if (begins_ > 0) {
    if (boost::random::bernoulli_distribution<double>(begins_)(slowness_)) slow_left_ = options_.slow_steps;
    if (slow_left_ > 0) {
      factor *= options_.slow_factor;
      --slow_left_;
    }
  }
  return factor;
}

double Variability::slowdown(long steps) {
  double sum = 0;
  for (long step = 0; step < steps; ++step) sum += next();
  return sum / static_cast<double>(steps);
}

}  // namespace isthmus
