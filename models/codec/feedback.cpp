#include "models/codec/feedback.hpp"

namespace isthmus {
namespace {

/// e <- decay e + x;  c = C(e);  e <- e - c  (Karimireddy et al. 2019, arXiv 1901.09847).
class Residual final : public Feedback {
 public:
  explicit Residual(float decay) : Feedback(1), decay_(decay) {}
  void compensate(Values values) override {
    const float* e = state(0);
    for (std::size_t i = 0; i < values.size(); ++i) values.data()[i] += decay_ * e[i];
  }
  void remember(ConstValues wanted, ConstValues sent) override {
    float* e = state(0);
    for (std::size_t i = 0; i < wanted.size(); ++i) e[i] = wanted.data()[i] - sent.data()[i];
  }

 private:
  float decay_;
};

/// EF21 (Richtarik, Sokolov, Fatkhullin 2021, arXiv 2106.05203): c = C(x - G_i);  G_i <- G_i + c;
/// G <- G + mean c, which stands for the mean of x. Both begin at 0.
class Ef21 final : public Feedback {
 public:
  Ef21() : Feedback(2) {}
  void compensate(Values values) override {
    const float* own = state(0);
    for (std::size_t i = 0; i < values.size(); ++i) values.data()[i] -= own[i];
  }
  void remember(ConstValues, ConstValues sent) override {
    float* own = state(0);
    for (std::size_t i = 0; i < sent.size(); ++i) own[i] += sent.data()[i];
  }
  void conclude(Values mean) override {
    float* all = state(1);
    for (std::size_t i = 0; i < mean.size(); ++i) mean.data()[i] = all[i] += mean.data()[i];
  }
};

/// Deep gradient compression (Lin et al. 2018, arXiv 1712.01887): u <- m u + x;  v <- v + u;  c = C(v);
/// u and v begin anew where something was sent.
class MomentumCorrection final : public Feedback {
 public:
  explicit MomentumCorrection(float momentum) : Feedback(2), momentum_(momentum) {}
  void compensate(Values values) override {
    float *u = state(0), *v = state(1);
    for (std::size_t i = 0; i < values.size(); ++i) {
      u[i] = momentum_ * u[i] + values.data()[i];
      values.data()[i] = v[i] += u[i];
    }
  }
  void remember(ConstValues, ConstValues sent) override {
    float *u = state(0), *v = state(1);
    for (std::size_t i = 0; i < sent.size(); ++i) {
      if (sent.data()[i] != 0) u[i] = v[i] = 0;
    }
  }

 private:
  float momentum_;
};

}  // namespace

void Feedback::resize(std::size_t size) {
  for (std::vector<float>& state : states_) state.assign(size, 0);
}

void Feedback::save(std::vector<std::vector<float>>& values) const {
  values.insert(values.end(), states_.begin(), states_.end());
}

void Feedback::restore(const std::vector<std::vector<float>>& values, std::size_t& next) {
  for (std::vector<float>& state : states_) state = values.at(next++);
}

nlohmann::json feedback_options(bool unbiased) {
  return {
      {"error_feedback",
       {{"description",
         "What becomes of what the codec leaves out. residual: it is added to what comes next. ef21: what "
         "is sent are differences to what the others have already. dgc: momentum of each worker's own that "
         "begins anew where it was sent (training.optimizer's should be 0 then). What is remembered takes "
         "memory."},
        {"enum", {"none", "residual", "ef21", "dgc"}},
        {"default", unbiased ? "none" : "residual"}}},
      {"residual_decay",
       {{"description", "Share of the residual that stays; SparseLoCo has 0.95."},
        {"type", "number"},
        {"minimum", 0},
        {"maximum", 1},
        {"onlyWith", {{"error_feedback", {"residual"}}}},
        {"default", 1}}},
      {"dgc_momentum",
       {{"description", "Momentum of each worker's own."},
        {"type", "number"},
        {"minimum", 0},
        {"exclusiveMaximum", 1},
        {"onlyWith", {{"error_feedback", {"dgc"}}}},
        {"default", 0.9}}}};
}

std::unique_ptr<Feedback> make_feedback(const nlohmann::json& options) {
  const auto kind = options.value("error_feedback", "none");
  if (kind == "residual") return make_residual(options.value("residual_decay", 1.0F));
  if (kind == "ef21") return std::make_unique<Ef21>();
  if (kind == "dgc") return std::make_unique<MomentumCorrection>(options.value("dgc_momentum", 0.9F));
  return nullptr;
}

std::unique_ptr<Feedback> make_residual(float decay) { return std::make_unique<Residual>(decay); }

}  // namespace isthmus
