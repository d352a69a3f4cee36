#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <utility>

#include "models/error.hpp"
#include "models/partition/neurons.hpp"
#include "sim/protocols/protocol.hpp"
#include "sim/protocols/subnets.hpp"

namespace isthmus {
namespace {

/// The workers' shares of each hidden layer, which AdapTrain (github.com/pacslab/AdapTrain) adapts to how
/// long they compute, T:
///
///     c_i <- (c_i / sqrt(T_i)) / sum_j (c_j / sqrt(T_j))
///
/// as a subnet's work goes with the square of its width. All workers know all shares: worker 0 hears of each
/// T and tells the others.
class Shares {
 public:
  explicit Shares(std::vector<double> shares) : shares_(std::move(shares)) {}

  const std::vector<double>& of_workers() const { return shares_; }

  void adapt(Worker& worker) {
    const double before = std::exchange(computed_until_, worker.compute_seconds());
    const std::vector<double> seconds = gather(worker.communicator(), computed_until_ - before);
    double sum = 0;
    for (std::size_t i = 0; i < shares_.size(); ++i) {
      if (seconds[i] > 0) shares_[i] /= std::sqrt(seconds[i]);
      sum += shares_[i];
    }
    for (double& share : shares_) share /= sum;
  }

 private:
  /// Every worker's number, for all.
  static std::vector<double> gather(Communicator& comm, double own) {
    std::vector<double> all(static_cast<std::size_t>(comm.size()));
    const auto of = [&](int rank) {
      return as_payload(std::span(all).subspan(static_cast<std::size_t>(rank), 1));
    };
    all[static_cast<std::size_t>(comm.rank())] = own;
    std::vector<Request> up, down;
    for (int rank = 1; rank < comm.size() && comm.rank() == 0; ++rank)
      up.push_back(comm.post_receive(rank, of(rank)));
    if (comm.rank() != 0) up.push_back(comm.post_send(0, of(comm.rank())));
    comm.wait_all(up);
    for (int rank = 1; rank < comm.size() && comm.rank() == 0; ++rank)
      down.push_back(comm.post_send(rank, as_payload(all)));
    if (comm.rank() != 0) down.push_back(comm.post_receive(0, as_payload(all)));
    comm.wait_all(down);
    return all;
  }

  std::vector<double> shares_;
  double computed_until_ = 0;
};

/// Independent subnet training (Yuan et al. 2022): every round the hidden neurons are dealt to the workers,
/// who train the subnets these make up for some local steps and put their parameters back.
class Ist final : public Protocol {
 public:
  explicit Ist(const nlohmann::json& options)
      : local_steps_(options.at("local_steps").get<long>()),
        sharded_(options.at("exchange") == "sharded"),
        shares_(options.value("shares", std::vector<double>())),
        adapt_every_(options.value("adapt_every", 0L)),
        holders_(options.at("holders").get<int>()),
        axes_(options),
        parcels_(options) {
    const std::string deal = options.value("partition", sharded_ ? "stratified" : "uniform");
    deal_ = deal == "stratified" ? NeuronDeal::stratified : NeuronDeal::uniform;
  }

  RoundPlan round_plan() const override { return {local_steps_}; }

  void require_fit(const Job& job) const override {
    axes_.require_fit(job, "ist", static_cast<std::size_t>(job.workers()), "workers");
    if (const std::size_t count = shares_.size();
        count > 0 && count != static_cast<std::size_t>(job.workers())) {
      throw InputError("/protocol/shares", "found " + std::to_string(count) +
                                               " numbers; expected one for each of the " +
                                               std::to_string(job.workers()) + " workers");
    }
    require_holders(holders_, job.workers());
    require_reset(job, "ist", "subnet");
  }

  void run(Worker& worker) const override {
    const ParameterLayout& layout = worker.job().model().layout();
    const AxisSet dealt = axes_.of(layout);
    const int n = worker.size();
    std::optional<Shares> adapted;  // a number for each worker, with each of them
    if (adapt_every_ > 0) adapted.emplace(first_shares(n));
    const auto make_homes = [&] {
      return sharded_ ? neuron_homes(layout, dealt, n) : server_homes(layout, n);
    };
    FixedHomes homes(worker, homes_.get(0, make_homes), parcels_);
    train_subnets(worker, homes, [&](const Round& round) {
      if (adapted && round.index > 1 && (round.index - 1) % adapt_every_ == 0) adapted->adapt(worker);
      return deals_.get(round.index, [&] {
        return draw_neurons(layout, dealt, adapted ? adapted->of_workers() : first_shares(n), deal_,
                            worker.job().training().seed, static_cast<std::uint64_t>(round.index), holders_);
      });
    });
  }

  BatchResult test(const Job& job, const Round&, std::vector<float> parameters) const override {
    return axes_.test(job, std::move(parameters), static_cast<double>(holders_) / job.workers());
  }

  bool depends_on_timing() const override { return adapt_every_ > 0; }

  std::vector<RankPair> talking_pairs(int workers) const override {
    return exchange_pairs(workers, !sharded_);
  }

 private:
  std::vector<double> first_shares(int workers) const {
    return shares_.empty() ? std::vector<double>(static_cast<std::size_t>(workers), 1) : shares_;
  }

  long local_steps_;
  bool sharded_;
  std::vector<double> shares_;  // empty: equal
  long adapt_every_;            // 0: never
  int holders_;
  DealtAxes axes_;
  ParcelOptions parcels_;
  NeuronDeal deal_{};
  AlikeForAll<Partition> deals_;
  AlikeForAll<HomeList> homes_;
};

}  // namespace

ProtocolKind ist_kind() {
  nlohmann::json schema = {
      {"local_steps", local_steps_schema()},
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
        {"enum", {"uniform", "stratified"}}}},
      {"shares",
       {{"description",
         "Of each worker in each hidden layer's neurons, by rank, whatever they sum up to: "
         "[2, 1, 1]. Nobody gets less than one neuron. Default: equal ones."},
        {"type", "array"},
        {"items", {{"type", "number"}, {"exclusiveMinimum", 0}, {"maximum", 1000000000}}},
        {"minItems", 1},
        {"onlyWith", {{"holders", {1}}}}}},
      {"adapt_every",
       {{"description",
         "AdapTrain: after so many rounds each worker's share is divided by the root of how "
         "long it computed. What is learnt then depends on the devices."},
        {"type", "integer"},
        {"minimum", 1},
        {"onlyWith", {{"holders", {1}}}}}},
      {"holders", holders_schema(1)}};
  schema.update(DealtAxes::schema_of_shares());
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
