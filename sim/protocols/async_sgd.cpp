#include <algorithm>
#include <cmath>
#include <limits>

#include "models/error.hpp"
#include "models/optimizer/schedule.hpp"
#include "sim/core/replica.hpp"
#include "sim/protocols/protocol.hpp"
#include "sim/servers/desk.hpp"
#include "sim/servers/master.hpp"
#include "sim/servers/options.hpp"

namespace isthmus {
namespace {

/// Asynchronous SGD with a parameter server (Dean et al. 2012, DistBelief): each worker computes a gradient g
/// of the parameters x that it was handed out last, brings it, and goes on with what x is then:
///
///     x <- x - rate damping(staleness) g
///
/// staleness being how many steps others made since. With `most_ahead`, nobody gets farther than so many
/// steps ahead of the slowest (stale synchronous parallel; Ho et al. 2013). Several servers have a slice of x
/// each.
class AsyncSgd final : public Protocol {
 public:
  explicit AsyncSgd(const nlohmann::json& options)
      : servers_(options.at("servers").get<int>()),
        damping_(damping_named(options.at("damping").get<std::string>())),
        most_ahead_(options.value("most_ahead", std::numeric_limits<long>::max())) {}

  RoundPlan round_plan() const override { return {}; }

  void require_fit(const Job& job) const override {
    require_slices(servers_, job);
    if (job.training().clip_gradient_norm && servers_ > 1)
      throw InputError("/training/clip_gradient_norm",
                       "found beside several servers, none of which knows a whole gradient; allowed: "
                       "\"servers\": 1");
  }

  int servers() const override { return servers_; }
  bool depends_on_timing() const override { return true; }
  /// Nobody is to wait for a slowest one that is lost.
  bool survives_losses() const override { return most_ahead_ == std::numeric_limits<long>::max(); }

  void run(Worker& worker) const override {
    Replica replica = Replica::for_gradients(worker);
    ServerLink servers(worker);
    const std::size_t trained = replica.gradients().size(), all = replica.parameters().size();
    Buffer push = worker.communicator().buffer(all);
    if (!servers.hello(replica.parameters())) return;
    do {
      replica.compute_gradient();
      copy(replica.gradients(), push.values().first(trained));
      copy(replica.parameters().slice(trained, all - trained), push.values().slice(trained, all - trained));
    } while (servers.exchange(push, replica.parameters()));
  }

  void serve(Worker& server) const override {
    const Job& job = server.job();
    Master master(server, make_optimizer(job.training().optimizer));
    Desk desk(server, server.size(), master.size());
    std::vector<long> made(static_cast<std::size_t>(server.size()));  // steps, by worker
    long steps = 0;
    std::vector<Desk::Visit> ahead;  // they wait for the slowest
    const auto hand_out = [&](const Desk::Visit& visit) {
      master.write_to(visit.values);
      desk.answer(visit);
    };
    for (const Round& round : job.rounds()) {
      for (long step = 0; step < round.local_steps * server.size(); ++step) {
        const Desk::Visit visit = desk.next(hand_out);
        if (job.training().clip_gradient_norm)
          clip_norm(visit.values.first(master.trained()), *job.training().clip_gradient_norm);
        const double rate = learning_rate_at(job.training(), steps++ / server.size(), job.total_steps());
        master.step(visit.values, rate * damping_(visit.staleness));
        server.note_update(visit.staleness);
        desk.updated();
        ++made[static_cast<std::size_t>(visit.worker)];
        ahead.push_back(visit);
        const long slowest = *std::ranges::min_element(made);
        std::erase_if(ahead, [&](const Desk::Visit& waiting) {
          const long by = made[static_cast<std::size_t>(waiting.worker)] - slowest;
          const bool may_go = by <= most_ahead_ || !desk.is_there(waiting);
          if (may_go) hand_out(waiting);
          return may_go;
        });
      }
      server.end_round_of_server(round, master.parameters());
    }
    for (const Desk::Visit& waiting : ahead) desk.dismiss(waiting);
    desk.close();
  }

  std::vector<RankPair> talking_pairs(int workers) const override {
    return pairs_with_servers(workers, servers_);
  }

 private:
  int servers_;
  Damping damping_;
  long most_ahead_;
};

}  // namespace

ProtocolKind async_sgd_kind() {
  return {
      .kind = {.name = "async_sgd",
               .summary = "asynchronous SGD: workers bring gradients to a parameter server and do not wait "
                          "for each other",
               .options = {{"servers", servers_schema()},
                           {"damping", damping_schema("none")},
                           {"most_ahead",
                            {{"description",
                              "How many steps a worker may be ahead of the slowest (stale synchronous "
                              "parallel). Default: any number."},
                             {"type", "integer"},
                             {"minimum", 0}}}}},
      .label = "Async SGD",
      .make = [](const nlohmann::json& options) -> std::unique_ptr<Protocol> {
        return std::make_unique<AsyncSgd>(options);
      }};
}

}  // namespace isthmus
