#include <optional>

#include "models/error.hpp"
#include "models/partition/units.hpp"
#include "sim/core/replica.hpp"
#include "sim/protocols/protocol.hpp"
#include "sim/protocols/subnets.hpp"

namespace isthmus {
namespace {

Selection trainable_part(const ParameterLayout& layout, const Selection& part) {
  std::vector<BlockSelection> blocks;
  for (const BlockSelection& chosen : part.blocks()) {
    if (layout.blocks()[chosen.block].trainable) blocks.push_back(chosen);
  }
  return Selection(std::move(blocks));
}

/// Subnetwork data parallelism (Singh et al. 2025, arXiv 2507.09029; masks of the forward pass): every worker
/// trains the network of its neurons or blocks, the same all the time; in each step the gradient of every
/// parameter is the mean over those who have it. Each of 1/n of all parameters, dealt or not, has its means
/// made by one worker.
/// Running statistics of batch norm are each worker's own; of those who have them the lowest rank's are
/// tested.
class SubnetDataParallel final : public Protocol {
 public:
  explicit SubnetDataParallel(const nlohmann::json& options)
      : holders_(options.at("holders").get<int>()), scale_at_test_(options.at("scale_at_test").get<bool>()) {
    if (options.at("deal") == "neurons") {
      axes_.emplace(options);
    } else {
      sections_ = options.at("partition_sections").get<std::vector<int>>();
    }
  }

  RoundPlan round_plan() const override { return {}; }

  void require_fit(const Job& job) const override;

  void run(Worker& worker) const override {
    const Job& job = worker.job();
    const ParameterLayout& layout = job.model().layout();
    const SharedPartition parts = parts_.get(0, [&] { return deal(job, holders_); });
    const Selection& own = parts->part(worker.rank());
    Replica subnet(worker, job.model().subnet(own));
    if (worker.live())
      Transfer(own, Selection::everything(layout)).gather(job.initial_parameters(), subnet.parameters());

    Communicator& comm = worker.communicator();
    const ParcelOptions plain;
    const SharedHomes homes = homes_.get(0, [&] { return gradient_homes(job); });
    Homes means(worker, comm, homes, plain, MemoryPart::gradients);
    const SharedPartition gradients = parts_.get(1, [&] { return gradients_of(layout, *parts); });
    const SharedHomes tested = homes_.get(1, [&] { return tested_parts(job, *parts); });
    const Selection& own_tested = (*tested)[static_cast<std::size_t>(worker.rank())];
    for (const Round& round : job.rounds()) {
      subnet.compute_gradient();
      means.move(homes);  // nothing is kept from step to step
      means.collect(*gradients, subnet.gradients());
      comm.format().round(means.resting().values());  // as it comes to the others
      means.dispatch(*gradients, subnet.gradients());
      comm.count_synchronised_bytes(means.bytes_of(gradients->part(worker.rank())));
      subnet.apply_gradient();

      const bool is_tested = worker.live() && round.evaluated;
      std::vector<float> packed(is_tested ? own_tested.size() : 0);
      const Values values = is_tested ? Values(packed) : Values::phantom(own_tested.size());
      Transfer(own_tested, own).gather(subnet.parameters(), values);
      worker.end_round(round, *tested, values);
    }
  }

  BatchResult test(const Job& job, const Round& round, std::vector<float> parameters) const override {
    const double share = static_cast<double>(holders_) / job.workers();
    if (!scale_at_test_ || share == 1) return Protocol::test(job, round, std::move(parameters));
    if (axes_) return axes_->test(job, std::move(parameters), share);
    const auto units = dealt_units(job.model().layout(), sections_);
    return job.test(*job.model().with_scaled_units(units, static_cast<float>(share)), std::move(parameters));
  }

  std::vector<RankPair> talking_pairs(int workers) const override { return exchange_pairs(workers, false); }

 private:
  Partition deal(const Job& job, int holders) const {
    const ParameterLayout& layout = job.model().layout();
    const std::uint64_t seed = job.training().seed;
    if (axes_)
      return draw_neurons(layout, axes_->of(layout), job.workers(), NeuronDeal::uniform, seed, 0, holders);
    return draw_units(layout, job.workers(), {.sections = sections_, .holders = holders}, seed, 0);
  }

  /// Where the means of gradients are made: 1/n of all with each worker.
  HomeList gradient_homes(const Job& job) const {
    const ParameterLayout& layout = job.model().layout();
    const AxisSet dealt = axes_ ? axes_->of(layout) : AxisSet(layout.axes().size());
    HomeList homes;
    for (const Selection& home : neuron_homes(layout, dealt, job.workers()))
      homes.push_back(trainable_part(layout, home));
    return homes;
  }

  static Partition gradients_of(const ParameterLayout& layout, const Partition& parts) {
    const Selection everything = trainable_part(layout, Selection::everything(layout));
    return intersection(parts, {std::vector<Selection>(static_cast<std::size_t>(parts.workers()), everything),
                                std::vector<bool>(layout.blocks().size(), true), everything});
  }

  /// Of each worker what the test of the whole model takes from it: parameters, which are the same with all
  /// who have them, and running statistics that no lower rank has: of worker 0's first hands all, and of each
  /// later worker those of the one hand that is new.
  HomeList tested_parts(const Job& job, const Partition& parts) const {
    const ParameterLayout& layout = job.model().layout();
    const Partition hands = deal(job, 1);
    HomeList tested;
    tested.push_back(parts.part(0));
    for (int worker = 1; worker < job.workers(); ++worker) {
      std::vector<BlockSelection> blocks = trainable_part(layout, parts.part(worker)).blocks();
      if (const int hand = worker + holders_ - 1; hand < job.workers()) {
        for (const BlockSelection& chosen : hands.part(hand).blocks()) {
          const bool common = hands.common().find(chosen.block) != nullptr;
          if (!common && !layout.blocks()[chosen.block].trainable) blocks.push_back(chosen);
        }
      }
      tested.emplace_back(std::move(blocks));
    }
    return tested;
  }

  int holders_;
  std::optional<DealtAxes> axes_;  // none: blocks are dealt
  std::vector<int> sections_;
  bool scale_at_test_;
  AlikeForAll<Partition> parts_;
  AlikeForAll<HomeList> homes_;
};

void SubnetDataParallel::require_fit(const Job& job) const {
  const ParameterLayout& layout = job.model().layout();
  require_holders(holders_, job.workers());
  if (!axes_) return require_sections(layout, sections_, "subnet_data_parallel");
  axes_->require_fit(job, "subnet_data_parallel", static_cast<std::size_t>(job.workers()), "workers");
  if (const auto block = deal(job, holders_).abandoned(layout)) {
    throw InputError(
        "/protocol/holders",
        "nobody would have all of " + layout.blocks()[*block].name +
            ", which lies between two layers that are dealt; allowed with more than half as many "
            "holders as workers, or with fewer \"axes\"");
  }
}

}  // namespace

ProtocolKind subnet_data_parallel_kind() {
  nlohmann::json schema = DealtAxes::schema();
  schema["axes"]["onlyWith"] = {{"deal", {"neurons"}}};
  schema.update(
      {{"deal",
        {{"description",
          "What each worker has a part of: what `axes` names, or the residual blocks of "
          "`partition_sections`."},
         {"enum", {"neurons", "blocks"}},
         {"default", "neurons"}}},
       {"partition_sections", partition_sections_schema()},
       {"holders", holders_schema(2)},
       {"scale_at_test",
        {{"description",
          "In tests, which use everything, what is dealt counts by the share of workers that have it."},
         {"type", "boolean"},
         {"default", true}}}});
  schema["partition_sections"]["onlyWith"] = {{"deal", {"blocks"}}};
  return {.kind = {.name = "subnet_data_parallel",
                   .summary = "data parallel SGD of parts of a model: in every step the mean gradient over "
                              "those who have a parameter",
                   .options = std::move(schema)},
          .label = "Subnetwork data parallel",
          .make = [](const nlohmann::json& options) -> std::unique_ptr<Protocol> {
            return std::make_unique<SubnetDataParallel>(options);
          }};
}

}  // namespace isthmus
