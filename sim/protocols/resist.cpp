#include <algorithm>

#include "models/error.hpp"
#include "models/partition/units.hpp"
#include "sim/protocols/protocol.hpp"
#include "sim/protocols/subnets.hpp"

namespace isthmus {
namespace {

/// ResIST (Dun et al. 2022): every round residual blocks are dealt to the workers, who share all else. Each
/// trains the network of its blocks, the others being the identity, for some local steps; then each parameter
/// becomes the mean over the workers that had it. There is no server unless one is asked for: the mean of a
/// block is made by the lowest rank that had it, who hands it to those that have it next. Of what all share,
/// hidden neurons and channels may be dealt as well, as in independent subnet training.
class Resist final : public Protocol {
 public:
  explicit Resist(const nlohmann::json& options)
      : local_steps_(options.at("local_steps").get<long>()),
        parcels_(options),
        averaging_(options.at("exchange") == "server" ? std::nullopt
                                                      : std::optional(common_averaging(options))),
        deal_{.sections = options.at("partition_sections").get<std::vector<int>>(),
              .minimum_depth = options.at("minimum_depth").get<int>()},
        share_strided_(options.at("share_strided").get<bool>()),
        scale_at_test_(options.at("scale_at_test").get<bool>()),
        axes_(options),
        warm_up_rounds_(options.at("warm_up_rounds").get<long>()) {}

  RoundPlan round_plan() const override {
    return {local_steps_, {.local_steps = local_steps_, .rounds = warm_up_rounds_}};
  }

  void require_fit(const Job& job) const override;

  void run(Worker& worker) const override {
    const ParameterLayout& layout = worker.job().model().layout();
    const int n = worker.size();
    const Deal deal = [&](const Round& round) {
      return deals_.get(round.index, [&] {
        if (round.warm_up) return undivided(layout, n);  // that is local SGD
        return this->deal(worker.job(), static_cast<std::uint64_t>(round.index));
      });
    };
    if (averaging_) {
      MovingHomes homes(worker, *averaging_, parcels_, homes_);
      train_subnets(worker, homes, deal);
    } else {
      FixedHomes server(worker, homes_.get(0, [&] { return server_homes(layout, n); }), parcels_);
      train_subnets(worker, server, deal);
    }
  }

  /// The whole network; a block's output counts as often as the block was there in training.
  BatchResult test(const Job& job, const Round& round, std::vector<float> parameters) const override {
    const std::vector<int> units = dealt_units(job.model().layout(), deal_.sections);
    const float scale = std::max(1 / static_cast<float>(job.workers()),
                                 static_cast<float>(deal_.minimum_depth) / static_cast<float>(units.size()));
    if (!scale_at_test_ || round.warm_up || scale >= 1)
      return Protocol::test(job, round, std::move(parameters));
    return job.test(*job.model().with_scaled_units(units, scale), std::move(parameters));
  }

  std::vector<RankPair> talking_pairs(int workers) const override {
    return exchange_pairs(workers, !averaging_);
  }

 private:
  Partition deal(const Job& job, std::uint64_t round) const {
    const ParameterLayout& layout = job.model().layout();
    const std::uint64_t seed = job.training().seed;
    const Partition units = draw_units(layout, job.workers(), deal_, seed, round);
    if (axes_.none()) return units;
    return intersection(
        units, draw_neurons(layout, axes_.of(layout), job.workers(), NeuronDeal::uniform, seed, round));
  }

  /// What all share is parameters, too: what their mean leaves out one time is no use the next.
  static AveragingOptions common_averaging(nlohmann::json options) {
    if (options.contains("compression")) options["compression"]["error_feedback"] = "none";
    return AveragingOptions(options);
  }

  long local_steps_;
  ParcelOptions parcels_;
  std::optional<AveragingOptions> averaging_;  // of what all share; none: there is a server
  UnitDeal deal_;
  bool share_strided_, scale_at_test_;
  DealtAxes axes_;
  long warm_up_rounds_;
  AlikeForAll<Partition> deals_;
  AlikeForAll<HomeList> homes_;
};

void Resist::require_fit(const Job& job) const {
  const ParameterLayout& layout = job.model().layout();
  require_sections(layout, deal_.sections, "resist");
  for (const int section : deal_.sections) {
    for (const Unit& unit : layout.units()) {
      if (unit.section != section || unit.removable || share_strided_) continue;
      throw InputError("/protocol/share_strided",
                       "found false, but block " + unit.name +
                           " changes the shape of what passes through it: no "
                           "identity could stand in for it, so every worker must have it; allowed is true");
    }
  }
  if (const std::size_t dealt = dealt_units(layout, deal_.sections).size();
      static_cast<std::size_t>(deal_.minimum_depth) > dealt) {
    throw InputError("/protocol/minimum_depth", "found " + std::to_string(deal_.minimum_depth) +
                                                    ", but only " + std::to_string(dealt) +
                                                    " blocks are dealt out");
  }
  if (const long rounds = job.rounds().size(); warm_up_rounds_ >= rounds) {
    throw InputError("/protocol/warm_up_rounds", "found " + std::to_string(warm_up_rounds_) +
                                                     ", but training has " + std::to_string(rounds) +
                                                     " rounds; at least one must come after the warm-up");
  }
  require_reset(job, "resist", "network");
  if (axes_.none()) return;
  axes_.require_fit(job, "resist", static_cast<std::size_t>(job.workers()), "workers");
  if (const auto block = deal(job, 1).abandoned(layout); block && averaging_) {
    throw InputError("/protocol/axes",
                     "nobody would have all of " + layout.blocks()[*block].name +
                         " in a round, and workers hand on only what they have; allowed with "
                         "\"exchange\": \"server\"");
  }
}

}  // namespace

ProtocolKind resist_kind() {
  nlohmann::json local_steps = local_steps_schema();
  local_steps["default"] = 50;
  nlohmann::json option_schemas = aggregate_options();
  option_schemas["aggregate"]["onlyWith"] = {{"exchange", {"peer"}}};
  option_schemas.update(ParcelOptions::schema());
  option_schemas.update(DealtAxes::schema());
  option_schemas["axes"]["description"] =
      "What is dealt out besides blocks: neurons of hidden dense layers, channels between two convolutions "
      "of blocks that are not dealt, or layers of these by name, such as \"hidden1\".";
  option_schemas["axes"]["default"] = nlohmann::json::array();
  option_schemas["axes"].erase("minItems");
  option_schemas.update(
      {{"local_steps", local_steps},
       {"partition_sections", partition_sections_schema()},
       {"share_strided",
        {{"description",
          "Every worker has the blocks that change the shape (the first of most sections). They "
          "cannot be left out; false is only allowed where these sections have none."},
         {"type", "boolean"},
         {"default", true}}},
       {"minimum_depth",
        {{"description", "Dealt blocks that each worker has at least; some then go to several workers."},
         {"type", "integer"},
         {"minimum", 0},
         {"default", 0}}},
       {"scale_at_test",
        {{"description",
          "In tests, multiply the output of each dealt block by the share of workers that have it."},
         {"type", "boolean"},
         {"default", true}}},
       {"warm_up_rounds",
        {{"description", "Rounds of local SGD with the whole network before blocks are dealt."},
         {"type", "integer"},
         {"minimum", 0},
         {"default", 0}}},
       {"exchange",
        {{"description",
          "Shared parameters by all-reduce (`aggregate`) and blocks from worker to worker, or all "
          "by way of worker 0, which keeps the whole network."},
         {"enum", {"peer", "server"}},
         {"default", "peer"}}}});

  return {
      .kind = {.name = "resist",
               .summary = "ResIST: residual blocks dealt to the workers anew every round, all else shared",
               .options = option_schemas},
      .label = "ResIST",
      .hue = "pink",
      .make = [](const nlohmann::json& options) -> std::unique_ptr<Protocol> {
        return std::make_unique<Resist>(options);
      }};
}

}  // namespace isthmus
