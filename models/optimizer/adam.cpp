// Adam (Kingma and Ba 2015) and AdamW (Loshchilov and Hutter 2019), as in PyTorch:
//   m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
//   w -= rate / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon).
// Adam adds weight_decay w to g first; AdamW takes the share rate * weight_decay off w.

#include <cmath>

#include "models/optimizer/optimizer.hpp"

namespace isthmus {
namespace {

class Adam final : public Optimizer {
 public:
  Adam(const nlohmann::json& options, bool decoupled)
      : Optimizer(2),
        beta1_(options.at("beta1").get<double>()),
        beta2_(options.at("beta2").get<double>()),
        epsilon_(options.at("epsilon").get<float>()),
        weight_decay_(options.at("weight_decay").get<double>()),
        decoupled_(decoupled) {}

  /// 3 for m, 4 for v, 3 for the denominator, 3 for the step; 2 or 1 for the decay.
  int flops_per_parameter() const override {
    return 13 + (weight_decay_ > 0 ? decoupled_ ? 1 : 2 : 0);
  }

 private:
  void update(float* w, const float* g, std::size_t size, double learning_rate,
              const std::vector<float*>& state, long step) override {
    float *m = state[0], *v = state[1];
    const auto steps = static_cast<double>(step);
    const auto rate = static_cast<float>(learning_rate / (1 - std::pow(beta1_, steps)));
    const auto root = static_cast<float>(std::sqrt(1 - std::pow(beta2_, steps)));
    const auto keep1 = static_cast<float>(beta1_), take1 = static_cast<float>(1 - beta1_);
    const auto keep2 = static_cast<float>(beta2_), take2 = static_cast<float>(1 - beta2_);
    const float added = decoupled_ ? 0 : static_cast<float>(weight_decay_);
    const float kept = decoupled_ ? static_cast<float>(1 - learning_rate * weight_decay_) : 1;
    for (std::size_t i = 0; i < size; ++i) {
      const float gradient = g[i] + added * w[i];
      m[i] = keep1 * m[i] + take1 * gradient;
      v[i] = keep2 * v[i] + take2 * gradient * gradient;
      w[i] = kept * w[i] - rate * m[i] / (std::sqrt(v[i]) / root + epsilon_);
    }
  }

  double beta1_, beta2_;
  float epsilon_;
  double weight_decay_;
  bool decoupled_;
};

nlohmann::json options_of_adam(double weight_decay, const char* what_decay_is) {
  const auto share = [](double usual, const char* of) {
    return nlohmann::json{{"description", std::string("Share of ") + of + " that is kept from step to step."},
                          {"type", "number"},
                          {"minimum", 0},
                          {"exclusiveMaximum", 1},
                          {"default", usual}};
  };
  return {{"beta1", share(0.9, "the gradient's mean")},
          {"beta2", share(0.999, "the gradient's mean square")},
          {"epsilon",
           {{"description", "Added to the root of the mean square, so that nothing is divided by zero."},
            {"type", "number"},
            {"exclusiveMinimum", 0},
            {"maximum", 1},
            {"default", 1e-8}}},
          {"weight_decay",
           {{"description", what_decay_is},
            {"type", "number"},
            {"minimum", 0},
            {"maximum", 1000000},
            {"default", weight_decay}}}};
}

template <bool decoupled>
std::unique_ptr<Optimizer> make_adam(const nlohmann::json& options) {
  return std::make_unique<Adam>(options, decoupled);
}

}  // namespace

OptimizerKind adam_kind() {
  return {.kind = {.name = "adam",
                   .summary = "Adam: steps by the gradient's mean over the root of its mean square",
                   .options = options_of_adam(0, "This times each weight is added to its gradient.")},
          .make = make_adam<false>};
}

OptimizerKind adamw_kind() {
  return {.kind = {.name = "adamw",
                   .summary = "Adam with weight decay apart from the gradient",
                   .options = options_of_adam(
                       0.01, "This times the learning rate is the share that each weight loses in a step.")},
          .make = make_adam<true>};
}

}  // namespace isthmus
