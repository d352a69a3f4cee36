#include "models/optimizer/optimizer.hpp"

#include <algorithm>
#include <cmath>

#include "models/error.hpp"
#include "models/registry.hpp"

namespace isthmus {

OptimizerKind sgd_kind();
OptimizerKind adam_kind();
OptimizerKind adamw_kind();

namespace {

Registry<OptimizerKind>& optimizers_known() {
  static Registry<OptimizerKind> optimizers({
      sgd_kind(),
      adam_kind(),
      adamw_kind(),
  });
  return optimizers;
}

}  // namespace

const std::vector<OptimizerKind>& optimizer_kinds() { return optimizers_known().entries(); }

void register_optimizer(OptimizerKind optimizer) { optimizers_known().add(std::move(optimizer)); }

std::unique_ptr<Optimizer> make_optimizer(const nlohmann::json& options) {
  const auto name = options.at("kind").get<std::string>();
  const OptimizerKind* found = optimizers_known().find(name);
  if (!found) throw InputError("/training/optimizer/kind", "unknown optimizer \"" + name + "\"");
  return found->make(with_defaults(options, found->kind));
}

void check_optimizer(const nlohmann::json& options, const std::string& place) {
  if (options.value("nesterov", false) && options.value("momentum", 0.0) == 0)
    throw InputError(place + "/nesterov",
                     "found true; Nesterov's momentum needs \"momentum\" greater than 0");
}

void Optimizer::step(Values parameters, ConstValues gradients, double learning_rate) {
  std::vector<float*> state;
  for (std::vector<float>& each : states_) {
    each.resize(gradients.size());
    state.push_back(each.data());
  }
  update(parameters.data(), gradients.data(), gradients.size(), learning_rate, state, ++steps_);
}

void Optimizer::reset() {
  for (std::vector<float>& each : states_) each.clear();
  steps_ = 0;
}

Values Optimizer::state(int which, std::size_t size) {
  std::vector<float>& found = states_[static_cast<std::size_t>(which)];
  found.resize(size);
  return found;
}

void Optimizer::save(std::vector<std::vector<float>>& values) const {
  values.insert(values.end(), states_.begin(), states_.end());
  constexpr long most = 1 << 24;  // that a float counts; what depends on it has long ceased to
  values.push_back({static_cast<float>(std::min(steps_, most))});
}

void Optimizer::restore(const std::vector<std::vector<float>>& values, std::size_t& next) {
  for (std::vector<float>& each : states_) each = values.at(next++);
  steps_ = static_cast<long>(values.at(next++).at(0));
}

void clip_norm(Values gradients, double largest_norm) {
  double squares = 0;
  for (const float gradient : gradients) squares += static_cast<double>(gradient) * gradient;
  constexpr double tiny = 1e-6;
  const double factor = largest_norm / (std::sqrt(squares) + tiny);
  if (factor < 1) scale(gradients, static_cast<float>(factor));
}

}  // namespace isthmus
