#include <memory>

#include "sim/core/replica.hpp"
#include "sim/protocols/protocol.hpp"
#include "sim/servers/clients.hpp"
#include "sim/servers/desk.hpp"
#include "sim/servers/master.hpp"
#include "sim/servers/options.hpp"

namespace isthmus {
namespace {

/// Federated averaging (McMahan et al. 2017, arXiv 1602.05629): every round a server sends its parameters x
/// to some of the workers, its clients, and takes the mean of what they made of them, weighted by how many
/// samples they have:
///
///     x <- x + rate (sum_i w_i y_i - x)
///
/// A client that is not at work holds nothing but its samples. With a proximal term it is FedProx (Li et al.
/// 2020, arXiv 1812.06127): clients go down the loss + (proximal / 2) |y - x|^2.
class FedAvg final : public Protocol {
 public:
  explicit FedAvg(const nlohmann::json& options)
      : participation_(options),
        rate_(options.at("server_learning_rate").get<float>()),
        proximal_(options.at("proximal").get<float>()) {}

  RoundPlan round_plan() const override { return participation_.round_plan(); }
  void require_fit(const Job& job) const override { participation_.require_fit(job); }
  int servers() const override { return 1; }
  bool survives_losses() const override { return true; }

  void run(Worker& client) const override {
    Replica replica(client, nullptr);
    Invitation invitation(client);
    while (const auto progress = invitation.await()) {
      replica.become_whole();
      invitation.take(replica.parameters());
      replica.set_progress(*progress);
      const auto x = proximal_ > 0 ? std::make_unique<Buffer>(stay_near(client, replica)) : nullptr;
      replica.train(participation_.local_steps(client.job(), client.rank()));
      invitation.bring(replica.parameters());
      replica.release();
    }
  }

  void serve(Worker& server) const override {
    const Job& job = server.job();
    Master master(server, nullptr);
    Clients clients(server, job.participants(), master.size());
    for (const Round& round : job.rounds()) {
      const std::vector<int> drawn = clients.invite(participation_, round, {master.parameters()});
      const auto count = static_cast<float>(drawn.size());
      master.compute(2 * count, count + 2, [&] {
        move_towards(clients.mean(participation_.weights(job, drawn), master.size()), rate_,
                     master.parameters());
      });
      server.end_round_of_server(round, master.parameters(), participation_.local_steps(job, drawn));
    }
    clients.close();
  }

  std::vector<RankPair> talking_pairs(int workers) const override { return pairs_with_servers(workers, 1); }

 private:
  /// Gradients get proximal (y - x), x being what the replica holds now: it is kept there.
  Buffer stay_near(Worker& client, Replica& replica) const {
    Buffer x = client.communicator().buffer(replica.parameters().size());
    copy(ConstValues(replica.parameters()), x.values());
    const auto values = static_cast<double>(replica.gradients().size());
    replica.adjust_gradients(
        [this, kept = ConstValues(x)](ConstValues y, Values gradients) {
          for (std::size_t i = 0; i < gradients.size(); ++i)
            gradients.data()[i] += proximal_ * (y.data()[i] - kept.data()[i]);
        },
        {{plain_kernel(KernelKind::elementwise, 3 * values, 4 * values), 1}});
    return x;
  }

  Participation participation_;
  float rate_, proximal_;
};

}  // namespace

ProtocolKind fedavg_kind() {
  nlohmann::json schema = Participation::schema();
  schema["server_learning_rate"] = server_learning_rate_schema(1);
  schema["proximal"] = {{"description", "FedProx: how strongly clients are held near what they began with."},
                        {"type", "number"},
                        {"minimum", 0},
                        {"maximum", 1000000},
                        {"default", 0}};
  return {
      .kind = {.name = "fedavg",
               .summary = "federated averaging: a server draws clients every round, and takes the mean of "
                          "what they made of its parameters",
               .options = std::move(schema)},
      .label = "FedAvg",
      .make = [](const nlohmann::json& options) -> std::unique_ptr<Protocol> {
        return std::make_unique<FedAvg>(options);
      }};
}

}  // namespace isthmus
