#include "gossip.hpp"

#include "models/error.hpp"
#include "sim/core/replica.hpp"

namespace {

using namespace isthmus;

/// Decentralised SGD on a ring (Lian et al. 2017): local steps, then each worker takes the mean of its own
/// parameters and both neighbours'. Nobody ever has the mean of all; that is what is tested.
class RingGossip final : public Protocol {
 public:
  explicit RingGossip(long local_steps) : local_steps_(local_steps) {}

  RoundPlan round_plan() const override { return {local_steps_}; }

  void require_fit(const Job& job) const override {
    if (job.workers() < 3) {
      throw InputError("/platform/workers", "found " + std::to_string(job.workers()) +
                                                "; a ring in which each has two neighbours needs at least 3");
    }
  }

  void run(Worker& worker) const override {
    Replica replica(worker);
    replica.initialise();
    Communicator& comm = worker.communicator();
    const int left = (comm.rank() + comm.size() - 1) % comm.size(), right = (comm.rank() + 1) % comm.size();
    Buffer from_left = comm.buffer(replica.parameters().size());
    Buffer from_right = comm.buffer(replica.parameters().size());
    for (const Round& round : worker.job().rounds()) {
      replica.train(round.local_steps);
      const Message outgoing[] = {{left, replica.parameters()}, {right, replica.parameters()}};
      const Message incoming[] = {{left, from_left.values()}, {right, from_right.values()}};
      comm.send_receive_all(outgoing, incoming);
      const Values parameters = replica.parameters();
      add(from_left, parameters);
      add(from_right, parameters);
      scale(parameters, 1.0F / 3);
      comm.count_synchronised(parameters.size());
      worker.end_round_apart(round, parameters);
    }
  }

  std::vector<RankPair> talking_pairs(int workers) const override {
    std::vector<RankPair> pairs;
    for (int rank = 0; rank < workers; ++rank) {
      pairs.emplace_back(rank, (rank + 1) % workers);
      pairs.emplace_back((rank + 1) % workers, rank);
    }
    return pairs;
  }

 private:
  long local_steps_;
};

}  // namespace

ProtocolKind ring_gossip() {
  return {.kind = {.name = "ring_gossip",
                   .summary = "local steps, then the mean of own and both neighbours' parameters",
                   .options = {{"local_steps", local_steps_schema()}},
                   .required = {"local_steps"},
                   .version = "1"},  // raise it when other numbers come out
          .label = "Ring gossip",
          .hue = "sky",
          .make = [](const nlohmann::json& options) -> std::unique_ptr<Protocol> {
            return std::make_unique<RingGossip>(options.at("local_steps").get<long>());
          }};
}
