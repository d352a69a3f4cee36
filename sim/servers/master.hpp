#pragma once

#include <functional>
#include <memory>

#include "models/optimizer/optimizer.hpp"
#include "sim/core/worker.hpp"

namespace isthmus {

/// What a server holds: its slice of the model's parameters, from the initial ones on, and, of an optimizer
/// that makes steps of them, what it remembers. Charged to its device's memory.
class Master {
 public:
  /// `optimizer`: null where parameters change otherwise. Throws OutOfMemory.
  Master(Worker& server, std::unique_ptr<Optimizer> optimizer);

  Values parameters() { return parameters_; }
  std::size_t size() const { return home_.size; }
  /// How many of them, from the first on, are trained; the others are running statistics.
  std::size_t trained() const;

  /// One step of the optimizer with a gradient, whose other values replace the running statistics.
  void step(ConstValues gradient, double learning_rate);
  /// x <- x - factor change; running statistics by `share`, whatever the factor.
  void subtract(ConstValues change, float factor, float share);
  /// Writes the parameters over what a worker brought, as an answer.
  void write_to(Values answer);
  /// What else a server does with its parameters: so many FLOPs and values read or written for each.
  void compute(double flops_each, double values_each, const std::function<void()>& work);

 private:
  Worker& server_;
  Extent home_;
  std::unique_ptr<Optimizer> optimizer_;
  Reservation parameters_memory_, optimizer_memory_;
  std::vector<float> storage_;
  Values parameters_;
};

}  // namespace isthmus
