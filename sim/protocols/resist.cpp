#include <algorithm>

#include "models/error.hpp"
#include "models/partition/units.hpp"
#include "sim/core/exchange.hpp"
#include "sim/protocols/protocol.hpp"

namespace isthmus {
namespace {

/// ResIST (Dun et al. 2022): every round residual blocks are dealt to the workers, who share all else. Each
/// trains the network of its blocks, the others being the identity, for some local steps; then each parameter
/// becomes the mean over the workers that had it. There is no server unless one is asked for: the mean of a
/// block is made by the lowest rank that had it, who hands it to those that have it next.
class Resist final : public Protocol {
 public:
  explicit Resist(const nlohmann::json& options)
      : local_steps_(options.at("local_steps").get<long>()),
        server_(options.at("exchange") == "server"),
        aggregate_(server_ ? nullptr : make_aggregate(options)),
        deal_{.sections = options.at("partition_sections").get<std::vector<int>>(),
              .minimum_depth = options.at("minimum_depth").get<int>()},
        share_strided_(options.at("share_strided").get<bool>()),
        scale_at_test_(options.at("scale_at_test").get<bool>()),
        warm_up_rounds_(options.at("warm_up_rounds").get<long>()) {}

  RoundPlan round_plan() const override { return {local_steps_}; }

  void require_fit(const Job& job) const override;

  void run(Worker& worker) const override {
    const Job& job = worker.job();
    Exchange exchange = server_ ? Exchange(worker, homes_after(job, 0)) : Exchange(worker, *aggregate_);
    Replica subnet(worker, job.model().subnet(partition(job, 1).part(worker.rank())));
    for (const Round& round : job.rounds()) {
      const Partition partition = this->partition(job, round.index);
      const Selection& part = partition.part(worker.rank());
      subnet.reshape(job.model().subnet(part));
      exchange.dispatch(partition, subnet.parameters());
      subnet.train(round.local_steps);
      exchange.collect(partition, subnet.parameters());
      exchange.end_round(round, part.size());
    }
  }

  /// The whole network; a block's output counts as often as the block was there in training.
  std::unique_ptr<Model> evaluation_model(const Job& job, const Round& round) const override {
    if (!scale_at_test_ || round.index <= warm_up_rounds_) return nullptr;
    const std::vector<int> units = dealt_units(job.model().layout(), deal_.sections);
    const float scale = std::max(1 / static_cast<float>(job.workers()),
                                 static_cast<float>(deal_.minimum_depth) / static_cast<float>(units.size()));
    return scale < 1 ? job.model().with_scaled_units(units, scale) : nullptr;
  }

  std::vector<RankPair> talking_pairs(int workers) const override { return exchange_pairs(workers, server_); }

  /// Of the second round after the warm-up, the first to which owners hand blocks. Memory: the most of the
  /// very first round and those two; what later draws need for homes and buffers may differ by some blocks.
  Forecast forecast(const Job& job, const LinkModel& link) const override;

 private:
  /// In the warm-up everybody has everything: that is local SGD.
  Partition partition(const Job& job, long round) const {
    const ParameterLayout& layout = job.model().layout();
    if (round <= warm_up_rounds_) return undivided(layout, job.workers());
    return draw_units(layout, job.workers(), deal_, job.training().seed, static_cast<std::uint64_t>(round));
  }

  /// What rests with one worker alone after a round; 0: before the first.
  std::vector<Selection> homes_after(const Job& job, long round) const {
    if (server_) return server_homes(job.model().layout(), job.workers());
    if (round == 0) return std::vector<Selection>(static_cast<std::size_t>(job.workers()));
    return owner_homes(partition(job, round));
  }

  /// What happens in one round.
  struct Plan {
    Plan(const Resist& resist, const Job& job, long round)
        : partition(resist.partition(job, round)),
          homes_before(resist.homes_after(job, round - 1)),
          homes_after(resist.homes_after(job, round)),
          common(resist.server_ ? 0 : partition.common().size()),
          common_before(resist.server_ || round == 1 ? 0 : resist.partition(job, round - 1).common().size()) {
    }

    Partition partition;
    std::vector<Selection> homes_before, homes_after;
    std::size_t common, common_before;  // values that rest with every worker
  };
  MemoryUse memory_peak(const Job& job, const Plan& plan, int rank) const;
  bool rounds_vary(const Job& job) const;

  long local_steps_;
  bool server_;
  std::unique_ptr<Collective> aggregate_;  // of what all share; null: there is a server
  UnitDeal deal_;
  bool share_strided_, scale_at_test_;
  long warm_up_rounds_;
};

void Resist::require_fit(const Job& job) const {
  const ParameterLayout& layout = job.model().layout();
  if (std::ranges::none_of(layout.units(), &Unit::removable)) {
    throw InputError("/model", "has no residual blocks that resist could deal out");
  }
  for (std::size_t i = 0; i < deal_.sections.size(); ++i) {
    const int section = deal_.sections[i];
    if (dealt_units(layout, {section}).empty()) {
      throw InputError("/protocol/partition_sections/" + std::to_string(i),
                       "found " + std::to_string(section) +
                           ", a section of the model without a block that can be left out");
    }
    for (const Unit& unit : layout.units()) {
      if (unit.section != section || unit.removable || share_strided_) continue;
      throw InputError("/protocol/share_strided",
                       "found false, but block " + unit.name +
                           " changes the shape of what passes through it: no "
                           "identity could stand in for it, so every worker must have it; allowed is true");
    }
  }
  const std::size_t dealt = dealt_units(layout, deal_.sections).size();
  if (static_cast<std::size_t>(deal_.minimum_depth) > dealt) {
    throw InputError("/protocol/minimum_depth", "found " + std::to_string(deal_.minimum_depth) +
                                                    ", but only " + std::to_string(dealt) +
                                                    " blocks are dealt out");
  }
  const auto rounds = job.rounds().size();
  if (warm_up_rounds_ >= rounds) {
    throw InputError("/protocol/warm_up_rounds", "found " + std::to_string(warm_up_rounds_) +
                                                     ", but training has " + std::to_string(rounds) +
                                                     " rounds; at least one must come after the warm-up");
  }
  require_reset(job, "resist", "network");
}

bool Resist::rounds_vary(const Job& job) const {
  if (job.workers() == 1) return false;
  if (!server_ || warm_up_rounds_ > 0) return true;
  const ParameterLayout& layout = job.model().layout();
  std::vector<std::size_t> sizes(layout.units().size());
  for (const ParameterBlock& block : layout.blocks()) {
    if (block.unit >= 0) sizes[static_cast<std::size_t>(block.unit)] += block.size();
  }
  const std::vector<int> dealt = dealt_units(layout, deal_.sections);
  const auto size_of = [&](int unit) { return sizes[static_cast<std::size_t>(unit)]; };
  return std::ranges::any_of(dealt, [&](int unit) { return size_of(unit) != size_of(dealt.front()); });
}

/// When most is in use: while the network is dispatched, while common parameters are averaged, while the
/// others are collected, or while worker 0 gets together what a charged evaluation needs.
MemoryUse Resist::memory_peak(const Job& job, const Plan& plan, int rank) const {
  MemoryUse replica = replica_memory(job, *job.model().subnet(plan.partition.part(rank)));
  replica[MemoryPart::data] = job.shard_bytes(rank);
  MemoryUse peak;
  const auto moment = [&](std::size_t resting, std::size_t buffers) {
    MemoryUse use = replica;
    use[MemoryPart::parameters] += resting * sizeof(float);
    use[MemoryPart::buffers] = buffers * sizeof(float);
    if (use.total() > peak.total()) peak = use;
  };
  const auto home = [&](const std::vector<Selection>& homes, int worker) {
    return homes[static_cast<std::size_t>(worker)].size();
  };
  const ExchangeVolume dispatched = exchange_volume(plan.homes_before, plan.partition, rank);
  const ExchangeVolume collected = exchange_volume(plan.homes_after, plan.partition, rank);
  moment(plan.common_before + home(plan.homes_before, rank), dispatched.out + dispatched.in);
  if (!server_) moment(plan.common, aggregate_->buffer_values(rank, job.workers(), plan.common));
  moment(plan.common + home(plan.homes_after, rank), collected.out + collected.in);
  if (rank == 0 && job.training().charge_evaluation) {
    std::size_t elsewhere = 0;
    for (int worker = 1; worker < job.workers(); ++worker) elsewhere += home(plan.homes_after, worker);
    moment(plan.common + home(plan.homes_after, rank), elsewhere);
  }
  return peak;
}

Forecast Resist::forecast(const Job& job, const LinkModel& link) const {
  constexpr double up_and_down = 2;
  const int n = job.workers();
  const auto rounds = job.rounds().size();
  std::vector<Plan>
      plans;  // of the first, and the two after the warm-up: only then blocks have owners to come from
  for (const long round : {1L, warm_up_rounds_ + 1, warm_up_rounds_ + 2}) {
    plans.emplace_back(*this, job, std::min(round, rounds));
  }
  const Plan& plan = plans.back();
  Forecast forecast;
  forecast.varies = rounds_vary(job);
  forecast.round = std::min(warm_up_rounds_ + 2, rounds);
  std::size_t busiest_down = 0, busiest_up = 0;  // most values over one worker's link, in one direction
  for (int rank = 0; rank < n; ++rank) {
    const ExchangeVolume dispatched = exchange_volume(plan.homes_before, plan.partition, rank);
    const ExchangeVolume collected = exchange_volume(plan.homes_after, plan.partition, rank);
    busiest_down = std::max({busiest_down, dispatched.out, dispatched.in});
    busiest_up = std::max({busiest_up, collected.out, collected.in});
    const std::size_t reduced = server_ ? 0 : aggregate_->values_sent(rank, n, plan.common);
    const Selection& part = plan.partition.part(rank);
    Forecast::Worker worker;
    worker.bytes_sent = (reduced + dispatched.out + collected.in) * sizeof(float);
    worker.flops = static_cast<double>(local_steps_) * step_flops(job, *job.model().subnet(part));
    for (const Plan& each : plans) {
      const MemoryUse peak = memory_peak(job, each, rank);
      if (peak.total() > worker.memory.total()) worker.memory = peak;
    }
    forecast.workers.push_back(worker);
    forecast.paper_bytes += up_and_down * static_cast<double>(part.size() * sizeof(float));
  }
  if (!server_)
    forecast.communication_seconds =
        link.collective_overhead_seconds +
        aggregate_->seconds(n, static_cast<double>(plan.common * sizeof(float)), link);
  for (const std::size_t busiest : {busiest_down, busiest_up}) {
    if (busiest == 0) continue;
    forecast.communication_seconds +=
        link.latency_seconds + static_cast<double>(busiest * sizeof(float)) / link.bandwidth_bytes_per_second;
  }
  return forecast;
}

}  // namespace

ProtocolKind resist_kind() {
  nlohmann::json local_steps = local_steps_schema();
  local_steps["default"] = 50;
  nlohmann::json option_schemas = aggregate_options();
  option_schemas["aggregate"]["onlyWith"] = {{"exchange", {"peer"}}};
  option_schemas.update(
      {{"local_steps", local_steps},
       {"partition_sections",
        {{"description", "Sections of the network (1, 2, ...) whose blocks are dealt out."},
         {"type", "array"},
         {"items", {{"type", "integer"}, {"minimum", 1}}},
         {"minItems", 1},
         {"uniqueItems", true},
         {"default", {3}}}},
       {"share_strided",
        {{"description",
          "Every worker has the blocks that change the shape (the first of most sections). They "
          "cannot be left out; false is only allowed where these sections have none."},
         {"type", "boolean"},
         {"default", true}}},
       {"minimum_depth",
        {{"description",
          "Dealt blocks that each worker has at least; some then go to several "
          "workers."},
         {"type", "integer"},
         {"minimum", 0},
         {"default", 0}}},
       {"scale_at_test",
        {{"description",
          "In tests, multiply the output of each dealt block by the share of "
          "workers that have it."},
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
      .make = [](const nlohmann::json& options) -> std::unique_ptr<Protocol> {
        return std::make_unique<Resist>(options);
      }};
}

}  // namespace isthmus
