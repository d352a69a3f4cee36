#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "models/kind.hpp"
#include "models/values.hpp"

namespace isthmus {

/// What turns a gradient into a step of some parameters, and what it remembers from step to step: so many
/// numbers for each parameter (a momentum, ...), and how many steps there were.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// One step. `parameters` may be longer than `gradients`: what is not trained comes last.
  void step(Values parameters, ConstValues gradients, double learning_rate);

  /// Forgets everything.
  void reset();

  /// Numbers kept for each parameter.
  int states() const { return static_cast<int>(states_.size()); }
  /// One of them for each of `size` parameters, to be read or changed: zeros before the first step.
  Values state(int which, std::size_t size);

  /// Appends all that is remembered: empty vectors before the first step.
  void save(std::vector<std::vector<float>>& values) const;
  /// And back: takes it from `values`, beginning at `next`, which moves past it.
  void restore(const std::vector<std::vector<float>>& values, std::size_t& next);

  virtual int flops_per_parameter() const = 0;

 protected:
  explicit Optimizer(int states) : states_(static_cast<std::size_t>(states)) {}

 private:
  /// state[i] points to the i-th number of each parameter; `step` counts from 1.
  virtual void update(float* parameters, const float* gradients, std::size_t size, double learning_rate,
                      const std::vector<float*>& state, long step) = 0;

  std::vector<std::vector<float>> states_;
  long steps_ = 0;
};

/// An optimizer that a scenario can name. A new one is one new file and its line in optimizer.cpp.
struct OptimizerKind {
  Kind kind;
  std::unique_ptr<Optimizer> (*make)(const nlohmann::json& options);
};

const std::vector<OptimizerKind>& optimizer_kinds();
/// Adds one from outside; see Registry::add().
void register_optimizer(OptimizerKind optimizer);

/// What a scenario's `optimizer` describes, fresh. Options that are missing have their defaults.
std::unique_ptr<Optimizer> make_optimizer(const nlohmann::json& options);

/// Throws InputError, with `place` as where they stand, for options that do not go together.
void check_optimizer(const nlohmann::json& options, const std::string& place);

/// Divides gradients so that their norm is at most that (torch.nn.utils.clip_grad_norm_).
void clip_norm(Values gradients, double largest_norm);

}  // namespace isthmus
