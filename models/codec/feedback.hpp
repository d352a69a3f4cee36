#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "models/values.hpp"

namespace isthmus {

/// What a worker remembers of what a lossy codec left out, for each value of some.
class Feedback {
 public:
  virtual ~Feedback() = default;

  /// Numbers kept for each value.
  int states() const { return static_cast<int>(states_.size()); }
  /// Zeros for so many values.
  void resize(std::size_t size);

  /// Values become what is to be encoded.
  virtual void compensate(Values /*values*/) {}
  /// That was to be encoded, and this is what was: what it decodes to.
  virtual void remember(ConstValues wanted, ConstValues sent) = 0;
  /// The mean of what all sent becomes what it stands for.
  virtual void conclude(Values /*mean*/) {}

  /// Appends what is remembered, and back.
  void save(std::vector<std::vector<float>>& values) const;
  void restore(const std::vector<std::vector<float>>& values, std::size_t& next);

 protected:
  explicit Feedback(int states) : states_(static_cast<std::size_t>(states)) {}
  float* state(int which) { return states_[static_cast<std::size_t>(which)].data(); }

 private:
  std::vector<std::vector<float>> states_;
};

/// JSON Schemas of the options that go with a codec: `error_feedback`, by default "none" of an unbiased one
/// and else "residual", and what goes with it.
nlohmann::json feedback_options(bool unbiased);

/// Null for "none".
std::unique_ptr<Feedback> make_feedback(const nlohmann::json& options);

/// The plain residual, by name.
std::unique_ptr<Feedback> make_residual(float decay = 1);

}  // namespace isthmus
