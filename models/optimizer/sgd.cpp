// Stochastic gradient descent as in PyTorch: g += weight_decay w; v = momentum v + g;
// w -= rate (g + momentum v) with Nesterov, else w -= rate v.

#include "models/optimizer/optimizer.hpp"

namespace isthmus {
namespace {

class Sgd final : public Optimizer {
 public:
  Sgd(float momentum, bool nesterov, float weight_decay)
      : Optimizer(momentum > 0 ? 1 : 0),
        momentum_(momentum),
        weight_decay_(weight_decay),
        nesterov_(nesterov) {}

  int flops_per_parameter() const override {
    return 2 + (weight_decay_ > 0 ? 2 : 0) + (momentum_ > 0 ? 2 : 0) + (nesterov_ ? 2 : 0);
  }

 private:
  void update(float* w, const float* g, std::size_t size, double learning_rate,
              const std::vector<float*>& state, long /*step*/) override {
    const auto rate = static_cast<float>(learning_rate);
    if (momentum_ == 0) {
      for (std::size_t i = 0; i < size; ++i) w[i] -= rate * (g[i] + weight_decay_ * w[i]);
      return;
    }
    float* v = state.front();
    // Nesterov looks ahead: it steps by g + momentum v, plain momentum by v alone.
    const float gradient_share = nesterov_ ? 1 : 0;
    const float velocity_share = nesterov_ ? momentum_ : 1;
    for (std::size_t i = 0; i < size; ++i) {
      const float gradient = g[i] + weight_decay_ * w[i];
      v[i] = momentum_ * v[i] + gradient;
      w[i] -= rate * (gradient_share * gradient + velocity_share * v[i]);
    }
  }

  float momentum_, weight_decay_;
  bool nesterov_;
};

}  // namespace

OptimizerKind sgd_kind() {
  return {.kind = {.name = "sgd",
                   .summary = "stochastic gradient descent, with momentum if asked for",
                   .options = {{"momentum",
                                {{"description", "Share of the last step's direction; 0: none is kept."},
                                 {"type", "number"},
                                 {"minimum", 0},
                                 {"exclusiveMaximum", 1},
                                 {"default", 0}}},
                               {"nesterov",
                                {{"description", "Nesterov's form of momentum."},
                                 {"type", "boolean"},
                                 {"default", false}}},
                               {"weight_decay",
                                {{"description", "This times each weight is added to its gradient."},
                                 {"type", "number"},
                                 {"minimum", 0},
                                 {"maximum", 1000000},
                                 {"default", 0}}}}},
          .make = [](const nlohmann::json& options) -> std::unique_ptr<Optimizer> {
            return std::make_unique<Sgd>(options.at("momentum").get<float>(),
                                         options.at("nesterov").get<bool>(),
                                         options.at("weight_decay").get<float>());
          }};
}

}  // namespace isthmus
