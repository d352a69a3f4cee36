#include "sim/protocols/outer_optimizer.hpp"

#include "models/error.hpp"
#include "models/optimizer/schedule.hpp"
#include "sim/scenario/schema.hpp"

namespace isthmus {

OuterOptimizerOptions OuterOptimizerOptions::parse(const nlohmann::json& protocol) {
  const double momentum = protocol.value("slow_momentum", 0.0),
               rate = protocol.value("slow_learning_rate", 1.0);
  const bool slow = momentum > 0 || rate != 1;
  if (!protocol.contains("outer_optimizer")) {
    if (!slow) return {};
    return {.optimizer = {{"kind", "sgd"}, {"momentum", momentum}},
            .learning_rate = rate,
            .in_steps_of_inner_rate = true};
  }
  if (slow) {
    throw InputError("/protocol/outer_optimizer",
                     "found beside slow momentum, which is an outer optimizer too; give one of both");
  }
  check_optimizer(protocol.at("outer_optimizer"), "/protocol/outer_optimizer");
  return {.optimizer = protocol.at("outer_optimizer"),
          .learning_rate = protocol.at("outer_optimizer").at("learning_rate").get<double>()};
}

nlohmann::json OuterOptimizerOptions::schema() {
  return {
      {"slow_momentum",
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
        {"default", 1}}},
      {"outer_optimizer",
       choice_schema("kind", kinds_of(optimizer_kinds()),
                     {{"learning_rate",
                       {{"description", "Size of its steps; 1 with plain SGD is the mean itself."},
                        {"type", "number"},
                        {"exclusiveMinimum", 0},
                        {"maximum", 1000000},
                        {"default", 0.7}}}},
                     "Makes of what a round changed in the parameters, in the mean over the workers, a step "
                     "of the parameters with which the round began, as in DiLoCo. Not given: the mean is "
                     "what the next round begins with.")}};
}

nlohmann::json OuterOptimizerOptions::diloco_schema() {
  nlohmann::json options = {{"outer_optimizer", schema().at("outer_optimizer")}};
  options["outer_optimizer"]["default"] = {
      {"kind", "sgd"}, {"learning_rate", 0.7}, {"momentum", 0.9}, {"nesterov", true}};
  return options;
}

OuterOptimizer::OuterOptimizer(Worker& worker, const OuterOptimizerOptions& options,
                               const AveragingOptions& averaging)
    : OuterOptimizer(
          worker, options, averaging,
          tensors_in(worker.job().model().layout(), {0, worker.job().model().layout().trainable_size()}), 0) {
}

OuterOptimizer::OuterOptimizer(Worker& worker, const OuterOptimizerOptions& options,
                               const AveragingOptions& averaging, std::vector<Tensor> trainable, int part)
    : worker_(worker),
      entry_(worker, *this),
      options_(options),
      averaging_(averaging),
      optimizer_(options.optimizer.is_null() ? nullptr : make_optimizer(options.optimizer)),
      count_(size_of(trainable)) {
  if (!keeps_start()) return;
  const std::size_t kept = 1 + (optimizer_ ? static_cast<std::size_t>(optimizer_->states()) : 0);
  reservation_ = worker.reserve(MemoryPart::optimizer, count_ * kept * sizeof(float));
  if (!averaging.compresses()) return;
  change_reservation_ = worker.reserve(MemoryPart::buffers, count_ * sizeof(float));
  change_averaging_ = averaging.make(worker, std::move(trainable), part);
}

void OuterOptimizer::begin_round(ConstValues parameters) {
  if (!keeps_start() || !worker_.live()) return;
  start_.assign(parameters.begin(), parameters.begin() + count_);
}

void OuterOptimizer::prepare(ConstValues parameters) {
  if (!change_averaging_) return;
  worker_.compute(difference_work(), [&] { take_change(parameters); });
}

/// What the round made of parameters, downhill.
void OuterOptimizer::take_change(ConstValues parameters) {
  change_.resize(count_);
  for (std::size_t i = 0; i < count_; ++i) change_[i] = start_[i] - parameters.data()[i];
}

void OuterOptimizer::exchange(Communicator& comm, long round, Values parameters) {
  if (!change_averaging_) return mean(averaging_.exact(), comm, parameters);
  change_averaging_->mean(comm, worker_.live() ? Values(change_) : Values::phantom(count_), round);
  if (const std::size_t statistics = parameters.size() - count_; statistics > 0)
    mean(averaging_.exact(), comm, parameters.slice(count_, statistics));
}

Work OuterOptimizer::difference_work() const {
  const auto elements = static_cast<double>(count_);
  return {{plain_kernel(KernelKind::elementwise, elements, 3 * elements)}};
}

void OuterOptimizer::step(const Round& round, Values parameters) {
  if (!optimizer_) {
    if (!change_averaging_) return;  // they are the mean
    return worker_.compute(difference_work(), [&] {
      for (std::size_t i = 0; i < count_; ++i) parameters.data()[i] = start_[i] - change_[i];
    });
  }
  float unit = 1;
  if (options_.in_steps_of_inner_rate) {
    const Job& job = worker_.job();
    const long first_step = round.steps_so_far - round.local_steps;
    unit = static_cast<float>(learning_rate_at(job.training(), first_step, job.total_steps()));
  }
  const float rate = static_cast<float>(options_.learning_rate) * unit;
  const int flops = optimizer_->flops_per_parameter() + (options_.in_steps_of_inner_rate ? 2 : 1);
  const auto count = static_cast<double>(count_);
  const Work work = {{plain_kernel(KernelKind::optimizer, flops * count, 3 * count)}};
  worker_.compute(work, [=, this] {
    if (!change_averaging_) take_change(parameters);
    for (float& change : change_) change /= unit;
    optimizer_->step(start_, change_, static_cast<double>(rate));
    copy(start_, parameters.first(count_));
  });
}

void OuterOptimizer::save(std::vector<std::vector<float>>& values) const {
  if (optimizer_) optimizer_->save(values);
}

void OuterOptimizer::resume(const Round&, const std::vector<std::vector<float>>& values, std::size_t& next) {
  if (optimizer_) optimizer_->restore(values, next);
}

}  // namespace isthmus
