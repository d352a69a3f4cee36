#include "models/layers/running_statistics.hpp"

namespace isthmus {

void RunningStatistics::declare(ParameterLayout& layout, const std::string& name, int axis) {
  features_ = layout.axes().at(static_cast<std::size_t>(axis)).size;
  mean_offset_ = layout.add(name + ".running_mean", axis, 0, 1, false);
  variance_offset_ = layout.add(name + ".running_variance", axis, 0, 1, false);
}

void RunningStatistics::initialise(Values parameters) const {
  mean(parameters).setZero();
  variance(parameters).setOnes();
}

void RunningStatistics::update(Values parameters, Eigen::Map<const Eigen::ArrayXf> mean,
                               Eigen::Map<const Eigen::ArrayXf> variance, Index count) const {
  const auto values = static_cast<float>(count);
  const float unbiased = count > 1 ? values / (values - 1) : 1;
  Features running_mean = this->mean(parameters), running_variance = this->variance(parameters);
  running_mean += newest_weight * (mean - running_mean);
  running_variance += newest_weight * (unbiased * variance - running_variance);
}

}  // namespace isthmus
