#include <algorithm>

#include "sim/protocols/submodels.hpp"

namespace isthmus {
namespace {

/// FedRolex (Alam et al. 2022, arXiv 2212.01548): as HeteroFL, but the window of neurons and channels that
/// clients have moves on by one every round, and begins again behind the last: in round r it starts at
/// r mod width.
class FedRolex final : public Submodels {
 public:
  explicit FedRolex(const nlohmann::json& options) : Submodels(options), widths_(options) {}

 protected:
  std::string name() const override { return "fedrolex"; }

  Selection choose(const Job& job, const Turn& turn) const override {
    const double width = widths_.of(job.training().seed, turn.round, turn.client);
    return choose_on_axes(job.model().layout(), [&](std::size_t, Index size) {
      std::vector<Index> window;
      for (Index i = 0; i < part_of(width, size); ++i) window.push_back((turn.round - 1 + i) % size);
      std::ranges::sort(window);
      return IndexSet::list(std::move(window));
    });
  }

 private:
  Widths widths_;
};

}  // namespace

ProtocolKind fedrolex_kind() {
  nlohmann::json schema = Submodels::schema({"neurons", "channels", "streams"});
  schema["weights"]["default"] = "equal";
  schema.update(Widths::schema({1, 0.5, 0.25, 0.125, 0.0625}));
  return {
      .kind = {.name = "fedrolex",
               .summary = "FedRolex: federated averaging of sub-models, whose neurons and channels move on "
                          "every round",
               .options = std::move(schema)},
      .label = "FedRolex",
      .make = [](const nlohmann::json& options) -> std::unique_ptr<Protocol> {
        return std::make_unique<FedRolex>(options);
      }};
}

}  // namespace isthmus
