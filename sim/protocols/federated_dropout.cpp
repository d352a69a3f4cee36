#include <algorithm>
#include <numeric>

#include "models/random.hpp"
#include "sim/protocols/submodels.hpp"

namespace isthmus {
namespace {

/// Federated dropout (Caldas et al. 2018, arXiv 1812.07210): every round each client has some of each layer's
/// neurons and channels, drawn for it alone, or with what nobody else at work has: independent subnet
/// training with a server, then.
class FederatedDropout final : public Submodels {
 public:
  explicit FederatedDropout(const nlohmann::json& options)
      : Submodels(options),
        keep_(options.value("keep", 1.0)),
        disjoint_(options.at("disjoint").get<bool>()) {}

 protected:
  std::string name() const override { return "federated_dropout"; }
  std::size_t disjoint_parts(const Job& job) const override {
    return disjoint_ ? static_cast<std::size_t>(job.participants()) : 1;
  }

  Selection choose(const Job& job, const Turn& turn) const override {
    const ParameterLayout& layout = job.model().layout();
    const std::uint64_t seed = job.training().seed;
    const auto round = static_cast<std::uint64_t>(turn.round);
    if (disjoint_) {
      const Partition dealt =
          draw_neurons(layout, cut_axes(layout), job.participants(), NeuronDeal::uniform, seed, round);
      return dealt.part(static_cast<int>(turn.place));
    }
    return choose_on_axes(layout, [&](std::size_t axis, Index size) {
      const std::size_t stream = static_cast<std::size_t>(turn.client) * layout.axes().size() + axis;
      Random random = random_stream(seed, "federated dropout", stream, round);
      std::vector<Index> units(static_cast<std::size_t>(size));
      std::iota(units.begin(), units.end(), 0);
      shuffle(units, random);
      units.resize(static_cast<std::size_t>(part_of(keep_, size)));
      std::ranges::sort(units);
      return IndexSet::list(std::move(units));
    });
  }

 private:
  double keep_;
  bool disjoint_;
};

}  // namespace

ProtocolKind federated_dropout_kind() {
  nlohmann::json schema = Submodels::schema({"neurons", "channels"});
  schema["keep"] = {
      {"description", "Which part of each layer's neurons and channels a client has, rounded up."},
      {"type", "number"},
      {"exclusiveMinimum", 0},
      {"maximum", 1},
      {"default", 0.75},
      {"onlyWith", {{"disjoint", {false}}}}};
  schema["disjoint"] = {{"description",
                         "Whether the clients of a round have nothing in common: as many parts as there are "
                         "clients at work, as in IST."},
                        {"type", "boolean"},
                        {"default", false}};
  return {.kind = {.name = "federated_dropout",
                   .summary = "federated averaging of sub-models: each client has neurons and channels drawn "
                              "for it",
                   .options = std::move(schema)},
          .label = "Federated dropout",
          .make = [](const nlohmann::json& options) -> std::unique_ptr<Protocol> {
            return std::make_unique<FederatedDropout>(options);
          }};
}

}  // namespace isthmus
