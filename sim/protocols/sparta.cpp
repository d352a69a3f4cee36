#include <boost/random/geometric_distribution.hpp>

#include "sim/collectives/all_reduce.hpp"
#include "sim/core/replica.hpp"
#include "sim/protocols/protocol.hpp"

namespace isthmus {
namespace {

/// SPARTA (Beton et al. 2025, "Improving the efficiency of distributed training using sparse parameter
/// averaging"): after every local step a few parameters, drawn anew each time, become the mean of all
/// workers'. All draw the same ones, so that no indices travel.
class Sparta final : public Protocol {
 public:
  explicit Sparta(const nlohmann::json& options)
      : share_(options.at("share").get<double>()), aggregate_(make_aggregate(options)) {}

  RoundPlan round_plan() const override { return {}; }

  void run(Worker& worker) const override {
    Replica replica(worker);
    replica.initialise();
    for (const Round& round : worker.job().rounds()) {
      replica.train(round.local_steps);
      average(worker, draw(worker.job(), round), replica.parameters());
      worker.end_round_apart(round, replica.parameters());
    }
  }

  std::vector<RankPair> talking_pairs(int workers) const override {
    return aggregate_->talking_pairs(workers);
  }

 private:
  /// Each parameter with the probability `share`, the same for all workers.
  std::vector<std::size_t> draw(const Job& job, const Round& round) const {
    const std::size_t size = job.model().layout().size();
    Random random = random_stream(job.training().seed, "sparta", 0, static_cast<std::uint64_t>(round.index));
    // From one that is taken to the next: so many are passed over.
    boost::random::geometric_distribution<std::size_t> passed_over(share_);
    std::vector<std::size_t> chosen;
    const auto next = [&] { return share_ < 1 ? passed_over(random) : 0; };
    for (std::size_t at = next(); at < size; at += 1 + next()) chosen.push_back(at);
    return chosen;
  }

  void average(Worker& worker, const std::vector<std::size_t>& chosen, Values parameters) const {
    Communicator& comm = worker.communicator();
    Buffer buffer = comm.buffer(chosen.size());
    const Values values = buffer.values();
    const Kernel pack =
        plain_kernel(KernelKind::copy, 0, 0, 2.0 * sizeof(float) * static_cast<double>(chosen.size()));
    comm.spend(pack);
    if (worker.live()) {
      for (std::size_t i = 0; i < chosen.size(); ++i) values.data()[i] = parameters.data()[chosen[i]];
    }
    mean(*aggregate_, comm, values);
    comm.spend(pack);
    if (worker.live()) {
      for (std::size_t i = 0; i < chosen.size(); ++i) parameters.data()[chosen[i]] = values.data()[i];
    }
  }

  double share_;
  std::unique_ptr<Collective> aggregate_;
};

}  // namespace

ProtocolKind sparta_kind() {
  nlohmann::json schema = aggregate_options();
  schema["share"] = {{"description", "Of the parameters, that is averaged after each step."},
                     {"type", "number"},
                     {"exclusiveMinimum", 0},
                     {"maximum", 1},
                     {"default", 0.005}};
  return {.kind = {.name = "sparta",
                   .summary = "SPARTA: after every step the mean of a few parameters, drawn anew each time",
                   .options = std::move(schema)},
          .label = "SPARTA",
          .make = [](const nlohmann::json& options) -> std::unique_ptr<Protocol> {
            return std::make_unique<Sparta>(options);
          }};
}

}  // namespace isthmus
