#include "sim/protocols/submodels.hpp"

namespace isthmus {
namespace {

/// HeteroFL (Diao et al. 2021, arXiv 2010.01264): a client has the first neurons and channels of each layer,
/// as many as its width allows. (Its Scaler, which divides activations by the width, changes nothing before a
/// batch norm, and is left out.)
class HeteroFl final : public Submodels {
 public:
  explicit HeteroFl(const nlohmann::json& options) : Submodels(options), widths_(options) {}

 protected:
  std::string name() const override { return "heterofl"; }

  Selection choose(const Job& job, const Turn& turn) const override {
    return choose_first(job.model().layout(), widths_.of(job.training().seed, turn.round, turn.client));
  }

 private:
  Widths widths_;
};

}  // namespace

ProtocolKind heterofl_kind() {
  nlohmann::json schema = Submodels::schema({"neurons", "channels", "streams"});
  schema["weights"]["default"] = "equal";
  schema.update(Widths::schema({1, 0.5, 0.25, 0.125, 0.0625}));
  return {
      .kind = {.name = "heterofl",
               .summary = "HeteroFL: federated averaging of sub-models, of each layer's first neurons and "
                          "channels",
               .options = std::move(schema)},
      .label = "HeteroFL",
      .make = [](const nlohmann::json& options) -> std::unique_ptr<Protocol> {
        return std::make_unique<HeteroFl>(options);
      }};
}

}  // namespace isthmus
