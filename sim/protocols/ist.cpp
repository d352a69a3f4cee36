#include <algorithm>

#include "models/error.hpp"
#include "models/partition/neurons.hpp"
#include "sim/core/exchange.hpp"
#include "sim/protocols/protocol.hpp"

namespace isthmus {
namespace {

/// Independent subnet training (Yuan et al. 2022): every round the hidden neurons are dealt to the workers,
/// who train the subnets these make up for some local steps and put their parameters back.
class Ist final : public Protocol {
 public:
  explicit Ist(const nlohmann::json& options)
      : local_steps_(options.at("local_steps").get<long>()), sharded_(options.at("exchange") == "sharded") {
    const std::string deal = options.value("partition", sharded_ ? "stratified" : "uniform");
    deal_ = deal == "stratified" ? NeuronDeal::stratified : NeuronDeal::uniform;
  }

  RoundPlan round_plan() const override { return {local_steps_}; }

  void require_fit(const Job& job) const override {
    const ParameterLayout& layout = job.model().layout();
    bool divisible = false;
    for (const Axis& axis : layout.axes()) {
      divisible = divisible || axis.divisible;
      if (axis.divisible && axis.size < job.workers()) {
        throw InputError("/model", axis.name + " has " + std::to_string(axis.size) +
                                       " neurons, too few for ist on " + std::to_string(job.workers()) +
                                       " workers: each needs at least one");
      }
    }
    if (!divisible) throw InputError("/model", "has no hidden neurons that ist could deal out");
    require_reset(job, "ist", "subnet");
  }

  void run(Worker& worker) const override {
    const Job& job = worker.job();
    Exchange exchange(worker, homes(job));
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

  std::vector<RankPair> talking_pairs(int workers) const override {
    return exchange_pairs(workers, !sharded_);
  }

  Forecast forecast(const Job& job, const LinkModel& link) const override {
    const int n = job.workers();
    const std::vector<Selection> homes = this->homes(job);
    const Partition partition = this->partition(job, 1);  // parts have the same sizes in every round
    Forecast forecast;
    // ... but how much of a part is at home with its worker is left to chance unless strata are equal.
    forecast.varies = sharded_ && deal_ == NeuronDeal::uniform;
    std::size_t busiest = 0;  // most values over one worker's link, in one phase and direction
    for (int rank = 0; rank < n; ++rank) {
      const std::unique_ptr<Model> subnet = job.model().subnet(partition.part(rank));
      const ExchangeVolume volume = exchange_volume(homes, partition, rank);
      busiest = std::max({busiest, volume.out, volume.in});
      Forecast::Worker worker;
      worker.bytes_sent = (volume.out + volume.in) * sizeof(float);
      worker.flops = static_cast<double>(local_steps_) * step_flops(job, *subnet);
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

 private:
  std::vector<Selection> homes(const Job& job) const {
    return sharded_ ? neuron_homes(job.model().layout(), job.workers())
                    : server_homes(job.model().layout(), job.workers());
  }

  Partition partition(const Job& job, long round) const {
    return draw_neurons(job.model().layout(), job.workers(), deal_, job.training().seed,
                        static_cast<std::uint64_t>(round));
  }

  long local_steps_;
  bool sharded_;
  NeuronDeal deal_{};
};

}  // namespace

ProtocolKind ist_kind() {
  return {
      .kind = {.name = "ist",
               .summary = "independent subnet training: hidden neurons dealt to the workers anew every round",
               .options = {{"local_steps", local_steps_schema()},
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
                             {"enum", {"uniform", "stratified"}}}}},
               .required = {"local_steps"}},
      .make = [](const nlohmann::json& options) -> std::unique_ptr<Protocol> {
        return std::make_unique<Ist>(options);
      }};
}

}  // namespace isthmus
