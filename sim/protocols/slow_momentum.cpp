#include "sim/protocols/slow_momentum.hpp"

namespace isthmus {

SlowMomentumOptions SlowMomentumOptions::parse(const nlohmann::json& protocol) {
  return {.momentum = protocol.at("slow_momentum").get<double>(),
          .learning_rate = protocol.at("slow_learning_rate").get<double>()};
}

nlohmann::json SlowMomentumOptions::schema() {
  return {{"slow_momentum",
           {{"description",
             "Momentum of SlowMo, beta: what a round makes of the parameters is taken as the step of an "
             "optimizer with this momentum. 0, with slow_learning_rate 1: plain local SGD."},
            {"type", "number"},
            {"minimum", 0},
            {"exclusiveMaximum", 1},
            {"default", 0},
            {"examples", {0.5}}}},
          {"slow_learning_rate",
           {{"description",
             "Step size of SlowMo, alpha: 1 goes as far as the mean of the workers did, less averages with "
             "where the round began."},
            {"type", "number"},
            {"exclusiveMinimum", 0},
            {"maximum", 1000000},
            {"default", 1}}}};
}

int SlowMomentumOptions::state_per_parameter() const {
  if (!on()) return 0;
  return momentum > 0 ? 2 : 1;
}

int SlowMomentumOptions::flops_per_parameter() const {
  if (!on()) return 0;
  return momentum > 0 ? 6 : 4;
}

SlowMomentum::SlowMomentum(Worker& worker, const SlowMomentumOptions& options)
    : worker_(worker),
      entry_(worker, *this),
      options_(options),
      count_(worker.job().model().layout().trainable_size()),
      reservation_(
          worker.reserve(MemoryPart::optimizer,
                         count_ * static_cast<std::size_t>(options.state_per_parameter()) * sizeof(float))) {}

void SlowMomentum::begin_round(ConstValues parameters) {
  if (!options_.on() || !worker_.live()) return;
  start_.assign(parameters.begin(), parameters.begin() + count_);
}

void SlowMomentum::step(const Round& round, Values parameters) {
  if (!options_.on()) return;
  const Job& job = worker_.job();
  const long first_step = round.steps_so_far - round.local_steps;
  const auto rate = static_cast<float>(learning_rate_at(job.training(), first_step, job.total_steps()));
  const auto slow_rate = static_cast<float>(options_.learning_rate) * rate;
  const auto momentum = static_cast<float>(options_.momentum);
  worker_.compute(static_cast<double>(count_) * options_.flops_per_parameter(), [=, this] {
    if (momentum > 0) momentum_.resize(count_);  // it begins at zero
    for (std::size_t i = 0; i < count_; ++i) {
      float direction = (start_[i] - parameters.data()[i]) / rate;
      if (momentum > 0) direction = momentum_[i] = momentum * momentum_[i] + direction;
      parameters.data()[i] = start_[i] - slow_rate * direction;
    }
  });
}

void SlowMomentum::save(std::vector<std::vector<float>>& values) const { values.push_back(momentum_); }

void SlowMomentum::resume(const Round&, const std::vector<std::vector<float>>& values, std::size_t& next) {
  momentum_ = values.at(next++);
}

}  // namespace isthmus
