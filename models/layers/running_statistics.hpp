#pragma once

#include <Eigen/Core>
#include <string>

#include "models/parameters.hpp"

namespace isthmus {

/// What evaluation normalises by: the statistics of the batch at hand (as the IST authors' code does), or a
/// running average of training's (exponential, weight 0.1 for the newest, unbiased variance, as PyTorch
/// does).
enum class BatchStatistics { batch, running };

/// Added to variances before they divide.
inline constexpr float normalisation_epsilon = 1e-5f;

/// The running average: a mean and a variance for each feature, among a network's parameters.
class RunningStatistics {
 public:
  static constexpr float newest_weight = 0.1f;

  void declare(ParameterLayout& layout, const std::string& name, int axis);
  void initialise(Values parameters) const;

  using Features = Eigen::Map<Eigen::ArrayXf>;
  Features mean(Values parameters) const { return {parameters.data() + mean_offset_, features_}; }
  Features variance(Values parameters) const { return {parameters.data() + variance_offset_, features_}; }

  /// Moves towards the (biased) statistics of a batch of `count` values per feature.
  void update(Values parameters, Eigen::Map<const Eigen::ArrayXf> mean,
              Eigen::Map<const Eigen::ArrayXf> variance, Index count) const;

 private:
  Index features_ = 0;
  std::size_t mean_offset_ = 0, variance_offset_ = 0;
};

}  // namespace isthmus
