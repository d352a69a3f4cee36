#include "tests/sim/closed_forms.hpp"

#include <algorithm>

#include "models/codec/number_format.hpp"
#include "models/partition/neurons.hpp"
#include "models/partition/units.hpp"
#include "sim/protocols/exchange.hpp"
#include "sim/protocols/gradient_mean.hpp"
#include "sim/protocols/outer_optimizer.hpp"

namespace isthmus::testing {
namespace {

using nlohmann::json;

double all_reduce_seconds(const Collective& aggregate, int workers, std::size_t values,
                          const LinkModel& link) {
  return link.collective_overhead_seconds +
         aggregate.seconds(workers, static_cast<double>(values * sizeof(float)), link);
}

Forecast forecast_replicas(const Job& job, const Collective& aggregate, long steps,
                           const std::vector<std::size_t>& all_reduced, const LinkModel& link) {
  constexpr double up_and_down = 2;
  Forecast forecast;
  const int n = job.workers();
  std::size_t total = 0, largest = 0;
  for (const std::size_t values : all_reduced) {
    total += values;
    largest = std::max(largest, values);
    forecast.communication_seconds += all_reduce_seconds(aggregate, n, values, link);
  }
  for (int rank = 0; rank < n; ++rank) {
    Forecast::Worker worker;
    for (const std::size_t values : all_reduced)
      worker.bytes_sent += aggregate.values_sent(rank, n, values) * sizeof(float);
    worker.flops = static_cast<double>(steps) * step_flops(job, job.model());
    worker.memory = replica_memory(job, job.model());
    worker.memory[MemoryPart::data] = job.shard_bytes(rank);
    worker.memory[MemoryPart::buffers] = aggregate.buffer_values(rank, n, largest) * sizeof(float);
    forecast.workers.push_back(worker);
  }
  forecast.paper_bytes = up_and_down * n * static_cast<double>(total * sizeof(float));
  return forecast;
}

Forecast forecast_gradient_mean(const Job& job, const Collective& aggregate, const BucketOptions& options,
                                const LinkModel& link) {
  const std::vector<Extent> buckets = gradient_buckets(job.model().layout(), options);
  std::vector<std::size_t> sizes;
  for (const Extent& bucket : buckets) sizes.push_back(bucket.size);
  Forecast forecast = forecast_replicas(job, aggregate, 1, sizes, link);
  if (!options.overlap) return forecast;
  for (const GradientPart& bucket : gradient_parts(job, job.model(), buckets)) {
    forecast.overlapped.push_back(
        {bucket.known_after.flops, all_reduce_seconds(aggregate, job.workers(), bucket.extent.size, link)});
  }
  return forecast;
}

/// Values of which each worker gives the others its own at the end of a round: parameters, and momentum where
/// that is averaged, too.
std::vector<std::size_t> averaged_values(const Job& job) {
  const ParameterLayout& layout = job.model().layout();
  std::vector<std::size_t> values = {layout.size()};
  const auto states = static_cast<std::size_t>(make_optimizer(job.training().optimizer)->states());
  if (job.training().optimizer_state == OptimizerState::average)
    values.insert(values.end(), states, layout.trainable_size());
  return values;
}

Forecast forecast_local_sgd(const json& options, const Job& job, const LinkModel& link) {
  const auto aggregate = make_aggregate(options);
  Forecast forecast =
      forecast_replicas(job, *aggregate, options.at("local_steps"), averaged_values(job), link);
  if (options.contains("outer_optimizer")) throw std::invalid_argument("no closed form");
  // Slow momentum beta, slow rate alpha: x_begin and u are kept; (a - b) / gamma, beta u + d, x - alpha gamma
  // u
  const bool momentum = options.at("slow_momentum") > 0,
             slow = momentum || options.at("slow_learning_rate") != 1;
  const std::size_t count = slow ? job.model().layout().trainable_size() : 0;
  for (Forecast::Worker& worker : forecast.workers) {
    worker.flops += static_cast<double>(count) * (momentum ? 6 : 4);
    worker.memory[MemoryPart::optimizer] += count * (momentum ? 2 : 1) * sizeof(float);
  }
  return forecast;
}

/// Of the rounds after the switch. Memory: the most of both kinds of rounds.
Forecast forecast_post_local_sgd(const json& options, const Job& job, const LinkModel& link) {
  Forecast before =
      forecast_gradient_mean(job, *make_aggregate(options), BucketOptions::parse(options), link);
  Forecast forecast = forecast_local_sgd(options, job, link);
  forecast.round = job.rounds().warm_up() + 1;
  for (std::size_t rank = 0; rank < before.workers.size(); ++rank) {
    MemoryUse early = before.workers[rank].memory, &late = forecast.workers[rank].memory;
    early[MemoryPart::optimizer] = late[MemoryPart::optimizer];  // the slow momentum's is taken at the start
    if (early.total() > late.total()) late = early;
  }
  forecast.before = {std::move(before)};
  return forecast;
}

/// Values that one worker sends and receives in a dispatch; the collect after it is the reverse. Both
/// together are what it has in buffers at once.
struct ExchangeVolume {
  std::size_t out = 0, in = 0;
};

ExchangeVolume exchange_volume(const std::vector<Selection>& homes, const Partition& partition, int worker) {
  ExchangeVolume volume;
  for (int peer = 0; peer < partition.workers(); ++peer) {
    if (peer == worker) continue;
    volume.out += intersection(homes[static_cast<std::size_t>(worker)], partition.part(peer)).size();
    volume.in += intersection(homes[static_cast<std::size_t>(peer)], partition.part(worker)).size();
  }
  return volume;
}

Forecast forecast_ist(const json& options, const Job& job, const LinkModel& link) {
  const ParameterLayout& layout = job.model().layout();
  const int n = job.workers();
  const bool sharded = options.at("exchange") == "sharded";
  const NeuronDeal deal = options.value("partition", sharded ? "stratified" : "uniform") == "stratified"
                              ? NeuronDeal::stratified
                              : NeuronDeal::uniform;
  const long local_steps = options.at("local_steps");
  const std::vector<Selection> homes =
      sharded ? neuron_homes(layout, axes_of(layout, AxisKind::neurons), n) : server_homes(layout, n);
  const Partition partition =
      draw_neurons(layout, axes_of(layout, AxisKind::neurons), n, deal, job.training().seed,
                   1);  // parts have the same sizes in every round
  Forecast forecast;
  // ... but how much of a part is at home with its worker is left to chance unless strata are equal.
  forecast.varies = sharded && deal == NeuronDeal::uniform;
  std::size_t busiest = 0;  // most values over one worker's link, in one phase and direction
  for (int rank = 0; rank < n; ++rank) {
    const std::unique_ptr<Model> subnet = job.model().subnet(partition.part(rank));
    const ExchangeVolume volume = exchange_volume(homes, partition, rank);
    busiest = std::max({busiest, volume.out, volume.in});
    Forecast::Worker worker;
    worker.bytes_sent = (volume.out + volume.in) * sizeof(float);
    worker.flops = static_cast<double>(local_steps) * step_flops(job, *subnet);
    worker.memory = replica_memory(job, *subnet);
    worker.memory[MemoryPart::parameters] += homes[static_cast<std::size_t>(rank)].size() * sizeof(float);
    worker.memory[MemoryPart::data] = job.shard_bytes(rank);
    worker.memory[MemoryPart::buffers] = worker.bytes_sent;
    if (rank == 0 && job.training().charge_evaluation) {  // worker 0 gathers the model
      const std::size_t elsewhere = job.model().layout().size() - homes.front().size();
      worker.memory[MemoryPart::buffers] =
          std::max<std::uint64_t>(worker.bytes_sent, elsewhere * sizeof(float));
    }
    forecast.workers.push_back(worker);
    forecast.paper_bytes += 2.0 * static_cast<double>(partition.part(rank).size() * sizeof(float));
  }
  if (n > 1) {
    const double phase_bytes = static_cast<double>(busiest * sizeof(float));
    forecast.communication_seconds =
        2 * (link.latency_seconds + phase_bytes / link.bandwidth_bytes_per_second);
  }
  return forecast;
}

/// ResIST, of the second round after the warm-up, the first to which owners hand blocks. Memory: the most of
/// the very first round and the two after the warm-up.
class ResistForms {
 public:
  ResistForms(const json& options, const Job& job)
      : local_steps_(options.at("local_steps").get<long>()),
        server_(options.at("exchange") == "server"),
        aggregate_(server_ ? nullptr : make_aggregate(options)),
        deal_{.sections = options.at("partition_sections").get<std::vector<int>>(),
              .minimum_depth = options.at("minimum_depth").get<int>()},
        warm_up_rounds_(options.at("warm_up_rounds").get<long>()),
        job_(job) {}

  Forecast forecast(const LinkModel& link) const { return forecast(job_, link); }

 private:
  Forecast forecast(const Job& job, const LinkModel& link) const;

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
    Plan(const ResistForms& resist, const Job& job, long round)
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
  std::unique_ptr<Collective> aggregate_;
  UnitDeal deal_;
  long warm_up_rounds_;
  const Job& job_;
};

bool ResistForms::rounds_vary(const Job& job) const {
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
MemoryUse ResistForms::memory_peak(const Job& job, const Plan& plan, int rank) const {
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

Forecast ResistForms::forecast(const Job& job, const LinkModel& link) const {
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

/// From fp32 to values of so many bytes.
void count_in(std::size_t bytes_per_value, Forecast& forecast) {
  for (Forecast::Worker& worker : forecast.workers)
    worker.bytes_sent = worker.bytes_sent / sizeof(float) * bytes_per_value;
  forecast.paper_bytes *= static_cast<double>(bytes_per_value) / sizeof(float);
  for (Forecast& before : forecast.before) count_in(bytes_per_value, before);
}

/// With values of four bytes.
Forecast in_fp32(const json& options, const Job& job, const LinkModel& link) {
  const std::string kind = options.at("kind");
  if (kind == "data_parallel")
    return forecast_gradient_mean(job, *make_aggregate(options), BucketOptions::parse(options), link);
  if (kind == "local_sgd") return forecast_local_sgd(options, job, link);
  if (kind == "post_local_sgd") return forecast_post_local_sgd(options, job, link);
  if (kind == "ist") return forecast_ist(options, job, link);
  if (kind == "resist") return ResistForms(options, job).forecast(link);
  throw std::invalid_argument("no closed form of " + kind);
}

}  // namespace

std::uint64_t Forecast::bytes_sent() const {
  std::uint64_t bytes = 0;
  for (const Worker& worker : workers) bytes += worker.bytes_sent;
  return bytes;
}

double Forecast::round_seconds(const Worker& worker, double speed_flops) const {
  if (overlapped.empty()) return worker.flops / speed_flops + communication_seconds;
  double end = 0;
  for (const Overlapped& piece : overlapped)
    end = std::max(end, piece.begins_after_flops / speed_flops) + piece.seconds;
  return end + (worker.flops - overlapped.back().begins_after_flops) / speed_flops;
}

Forecast closed_form(const json& protocol, const Job& job, const LinkModel& link) {
  const std::size_t bytes = number_format_named(protocol.value("wire_format", "fp32")).bytes(1);
  // Fewer bytes for each value are as good as more bytes per second.
  const double part = static_cast<double>(bytes) / sizeof(float);
  Forecast forecast = in_fp32(protocol, job, link.with_bandwidth_times(1 / part));
  count_in(bytes, forecast);
  return forecast;
}

}  // namespace isthmus::testing
