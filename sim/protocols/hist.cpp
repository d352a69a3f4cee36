#include <algorithm>
#include <optional>
#include <set>

#include "models/error.hpp"
#include "models/partition/neurons.hpp"
#include "sim/collectives/collectives.hpp"
#include "sim/collectives/pairs.hpp"
#include "sim/collectives/sites.hpp"
#include "sim/core/replica.hpp"
#include "sim/protocols/protocol.hpp"
#include "sim/protocols/subnets.hpp"

namespace isthmus {
namespace {

/// Hierarchical independent subnet training (HIST; Wang et al., arXiv 2310.17890): IST between sites, local
/// SGD inside. Every round the hidden neurons are dealt to the sites; the workers of one train its subnet,
/// averaging some times, and the first of them talks to those of the other sites.
class Hist final : public Protocol {
 public:
  explicit Hist(const nlohmann::json& options)
      : local_steps_(options.at("local_steps").get<long>()),
        averages_(options.at("averages").get<long>()),
        sharded_(options.at("exchange") == "sharded"),
        aggregate_(make_aggregate(options)),
        axes_(options),
        parcels_(options),
        sites_(options.value("sites", std::vector<int>())) {}

  RoundPlan round_plan() const override { return {local_steps_ * averages_}; }

  void require_fit(const Job& job) const override {
    axes_.require_fit(job, "hist", static_cast<std::size_t>(sites_.count()), "sites");
    require_reset(job, "hist", "subnet");
  }

  void run(Worker& worker) const override {
    const Model& model = worker.job().model();
    const ParameterLayout& layout = model.layout();
    const AxisSet dealt = axes_.of(layout);
    const int cells = sites_.count(), cell = sites_.index_of(worker.rank());
    Group inside(worker.communicator(), sites_.of(worker.rank()));
    const SharedHomes cell_homes = homes_.get(
        0, [&] { return sharded_ ? neuron_homes(layout, dealt, cells) : server_homes(layout, cells); });
    std::optional<Group> between;
    std::optional<FixedHomes> homes;
    if (inside.rank() == 0)
      homes.emplace(worker, between.emplace(worker.communicator(), sites_.in_place(0)), cell_homes, parcels_);

    Replica subnet(worker, nullptr);
    for (const Round& round : worker.job().rounds()) {
      const SharedPartition partition = deals_.get(round.index, [&] {
        return draw_neurons(layout, dealt, cells, sharded_ ? NeuronDeal::stratified : NeuronDeal::uniform,
                            worker.job().training().seed, static_cast<std::uint64_t>(round.index));
      });
      subnet.reshape(model.subnet(partition->part(cell)));
      if (homes) homes->dispatch(*partition, subnet.parameters());
      broadcast(inside, subnet.parameters());
      inside.format().round(subnet.parameters());  // as it came to the others
      for (long steps = round.local_steps; steps > 0; steps -= local_steps_) {
        subnet.train(std::min(steps, local_steps_));
        mean(*aggregate_, inside, subnet.parameters());
      }
      if (homes) homes->collect(*partition, subnet.parameters());
      worker.end_round(round, of_workers(*cell_homes, worker.size()), homes ? homes->resting() : Values());
    }
  }

  BatchResult test(const Job& job, const Round&, std::vector<float> parameters) const override {
    return axes_.test(job, std::move(parameters), 1.0 / sites_.count());
  }

  std::vector<RankPair> talking_pairs(int) const override {
    std::set<RankPair> pairs;
    const auto broadcast_way = make_collective(CollectiveKind::broadcast, "tree", {});
    for (const std::vector<int>& site : sites_.all()) {
      const int size = static_cast<int>(site.size());
      add_pairs_of_group(pairs, aggregate_->talking_pairs(size), site);
      add_pairs_of_group(pairs, broadcast_way->talking_pairs(size), site);
    }
    add_pairs_of_group(pairs, exchange_pairs(sites_.count(), !sharded_), sites_.in_place(0));
    return {pairs.begin(), pairs.end()};
  }

 private:
  /// What is at home with a site is with its first worker.
  std::vector<Selection> of_workers(const std::vector<Selection>& cell_homes, int workers) const {
    std::vector<Selection> homes(static_cast<std::size_t>(workers));
    for (std::size_t cell = 0; cell < cell_homes.size(); ++cell)
      homes[static_cast<std::size_t>(sites_.all()[cell].front())] = cell_homes[cell];
    return homes;
  }

  long local_steps_, averages_;
  bool sharded_;
  std::unique_ptr<Collective> aggregate_;  // inside a site
  DealtAxes axes_;
  ParcelOptions parcels_;
  Sites sites_;
  AlikeForAll<Partition> deals_;
  AlikeForAll<HomeList> homes_;
};

}  // namespace

ProtocolKind hist_kind() {
  nlohmann::json schema = aggregate_options_by_sites();
  nlohmann::json& names = schema["aggregate"]["enum"];
  std::erase_if(names.get_ref<nlohmann::json::array_t&>(),
                [](const nlohmann::json& name) { return name == "auto" || name == "hierarchical"; });
  schema["aggregate"]["description"] = "How all-reduce travels inside a site.";
  schema["chunk"]["onlyWith"] = schema["chunks_in_flight"]["onlyWith"] = {{"aggregate", {"ring_chunked"}}};
  schema.update(DealtAxes::schema_of_shares());
  schema.update(ParcelOptions::schema());
  schema.update(
      {{"local_steps",
        {{"description", "Local steps between two averages inside a site."},
         {"type", "integer"},
         {"minimum", 1}}},
       {"averages",
        {{"description", "Averages inside a site for each exchange between sites."},
         {"type", "integer"},
         {"minimum", 1},
         {"default", 5}}},
       {"exchange",
        {{"description",
          "Where parameters rest between rounds: all with the first site, or 1/n of the neurons with each."},
         {"enum", {"server", "sharded"}},
         {"default", "server"}}}});
  return {.kind = {.name = "hist",
                   .summary = "HIST: IST between sites, local SGD inside",
                   .options = std::move(schema),
                   .required = {"local_steps"}},
          .label = "HIST",
          .make = [](const nlohmann::json& options) -> std::unique_ptr<Protocol> {
            return std::make_unique<Hist>(options);
          },
          .needs_sites = true};
}

}  // namespace isthmus
