#include <algorithm>

#include "models/error.hpp"
#include "models/partition/neurons.hpp"
#include "sim/protocols/protocol.hpp"
#include "sim/protocols/subnets.hpp"

namespace isthmus {
namespace {

/// Independent subnet training (Yuan et al. 2022): every round the hidden neurons are dealt to the workers,
/// who train the subnets these make up for some local steps and put their parameters back.
class Ist final : public Protocol {
 public:
  explicit Ist(const nlohmann::json& options)
      : local_steps_(options.at("local_steps").get<long>()),
        sharded_(options.at("exchange") == "sharded"),
        parcels_(options) {
    const std::string deal = options.value("partition", sharded_ ? "stratified" : "uniform");
    deal_ = deal == "stratified" ? NeuronDeal::stratified : NeuronDeal::uniform;
  }

  RoundPlan round_plan() const override { return {local_steps_}; }

  void require_fit(const Job& job) const override {
    const auto& axes = job.model().layout().axes();
    for (const LayoutAxis& axis : axes) {
      if (!axis.divisible || axis.size >= job.workers()) continue;
      throw InputError("/model", axis.name + " has " + std::to_string(axis.size) +
                                     " neurons, too few for ist on " + std::to_string(job.workers()) +
                                     " workers: each needs at least one");
    }
    if (std::ranges::none_of(axes, &LayoutAxis::divisible))
      throw InputError("/model", "has no hidden neurons that ist could deal out");
    require_reset(job, "ist", "subnet");
  }

  void run(Worker& worker) const override {
    const ParameterLayout& layout = worker.job().model().layout();
    const int n = worker.size();
    FixedHomes homes(worker, sharded_ ? neuron_homes(layout, n) : server_homes(layout, n), parcels_);
    train_subnets(worker, homes, [&](const Round& round) {
      return draw_neurons(layout, n, deal_, worker.job().training().seed,
                          static_cast<std::uint64_t>(round.index));
    });
  }

  std::vector<RankPair> talking_pairs(int workers) const override {
    return exchange_pairs(workers, !sharded_);
  }

 private:
  long local_steps_;
  bool sharded_;
  ParcelOptions parcels_;
  NeuronDeal deal_{};
};

}  // namespace

ProtocolKind ist_kind() {
  nlohmann::json schema = {{"local_steps", local_steps_schema()},
                           {"exchange",
                            {{"description",
                              "Where parameters rest between rounds: all with worker 0, or 1/n of "
                              "the neurons with each worker."},
                             {"enum", {"server", "sharded"}},
                             {"default", "server"}}},
                           {"partition",
                            {{"description",
                              "Deal neurons regardless of where they rest, or to each worker the "
                              "same number from each home. Default: stratified if the exchange "
                              "is sharded, else uniform."},
                             {"enum", {"uniform", "stratified"}}}}};
  schema.update(ParcelOptions::schema());
  return {
      .kind = {.name = "ist",
               .summary = "independent subnet training: hidden neurons dealt to the workers anew every round",
               .options = std::move(schema),
               .required = {"local_steps"}},
      .label = "IST",
      .hue = "green",
      .make = [](const nlohmann::json& options) -> std::unique_ptr<Protocol> {
        return std::make_unique<Ist>(options);
      }};
}

}  // namespace isthmus
