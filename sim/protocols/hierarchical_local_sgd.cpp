#include <algorithm>
#include <set>

#include "sim/collectives/all_reduce.hpp"
#include "sim/collectives/collectives.hpp"
#include "sim/collectives/pairs.hpp"
#include "sim/collectives/sites.hpp"
#include "sim/protocols/local_sgd.hpp"

namespace isthmus {
namespace {

/// Hierarchical local SGD (Lin et al. 2020, arXiv 1808.07217): after every `local_steps` steps the mean of a
/// site's parameters, and each `averages`-th time the mean of all workers' instead.
class HierarchicalLocalSgd final : public Protocol {
 public:
  explicit HierarchicalLocalSgd(const nlohmann::json& options)
      : local_steps_(options.at("local_steps").get<long>()),
        averages_(options.at("averages").get<long>()),
        of_all_(make_aggregate(options)),
        of_site_(make_collective(CollectiveKind::all_reduce, options.at("aggregate_inside"), {})),
        sites_(options.value("sites", std::vector<int>())) {}

  RoundPlan round_plan() const override { return {local_steps_ * averages_}; }

  void run(Worker& worker) const override {
    Replica replica(worker);
    Group site(worker.communicator(), sites_.of(worker.rank()));
    replica.initialise();
    for (const Round& round : worker.job().rounds()) {
      long left = round.local_steps;
      for (; left > local_steps_; left -= local_steps_) {
        replica.train(local_steps_);
        average(worker, replica, *of_site_, site);
      }
      replica.train(left);
      worker.note_divergence(round, replica.parameters());
      average(worker, replica, *of_all_, worker.communicator());
      worker.end_round(round, replica.parameters());
    }
  }

  std::vector<RankPair> talking_pairs(int workers) const override {
    std::set<RankPair> pairs;
    for (const RankPair& pair : of_all_->talking_pairs(workers)) pairs.insert(pair);
    for (const std::vector<int>& site : sites_.all())
      add_pairs_of_group(pairs, of_site_->talking_pairs(static_cast<int>(site.size())), site);
    return {pairs.begin(), pairs.end()};
  }

 private:
  static void average(Worker& worker, Replica& replica, const Collective& aggregate, Communicator& among) {
    mean(aggregate, among, replica.parameters());
    synchronise_state(worker, replica, aggregate, among);
  }

  long local_steps_, averages_;
  std::unique_ptr<Collective> of_all_, of_site_;
  Sites sites_;
};

}  // namespace

ProtocolKind hierarchical_local_sgd_kind() {
  nlohmann::json schema = aggregate_options_by_sites();
  schema["aggregate"]["default"] = "hierarchical";
  schema.update(
      {{"local_steps",
        {{"description", "Local steps between two averages."}, {"type", "integer"}, {"minimum", 1}}},
       {"averages",
        {{"description", "The how manieth average is one of all workers; the others are inside sites."},
         {"type", "integer"},
         {"minimum", 1},
         {"default", 4}}},
       {"aggregate_inside",
        {{"description", "How all-reduce travels inside a site."},
         {"enum", {"ring", "tree", "halving_doubling", "server", "sharded"}},
         {"default", "ring"}}}});
  return {.kind = {.name = "hierarchical_local_sgd",
                   .summary = "local SGD with averages inside sites, and now and then of all workers",
                   .options = std::move(schema),
                   .required = {"local_steps"}},
          .label = "Hierarchical local SGD",
          .make = [](const nlohmann::json& options) -> std::unique_ptr<Protocol> {
            return std::make_unique<HierarchicalLocalSgd>(options);
          },
          .needs_sites = true};
}

}  // namespace isthmus
