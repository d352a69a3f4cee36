#include <array>
#include <cmath>
#include <optional>

#include "models/optimizer/schedule.hpp"
#include "sim/core/replica.hpp"
#include "sim/protocols/protocol.hpp"
#include "sim/servers/clients.hpp"
#include "sim/servers/desk.hpp"
#include "sim/servers/master.hpp"
#include "sim/servers/options.hpp"

namespace isthmus {
namespace {

/// SCAFFOLD (Karimireddy et al. 2020, arXiv 1910.06378): federated averaging whose clients correct their
/// gradients g for where they are drawn to, by controls of their own, c_i, and the server's, c:
///
///     client, K times:  y <- y - rate (g - c_i + c)
///     then:             c_i' = c_i - c + (x - y) / (K rate);  brings y and c_i' - c_i
///     server:           x <- x + server_rate (mean y_i - x);  c <- c + (m / n) mean (c_i' - c_i)
///
/// m of n clients being at work. A client keeps c_i from round to round.
class Scaffold final : public Protocol {
 public:
  explicit Scaffold(const nlohmann::json& options)
      : participation_(options), rate_(options.at("server_learning_rate").get<float>()) {}

  RoundPlan round_plan() const override { return participation_.round_plan(); }
  void require_fit(const Job& job) const override { participation_.require_fit(job); }
  int servers() const override { return 1; }

  void run(Worker& client) const override {
    const Job& job = client.job();
    const std::size_t all = job.model().layout().size(), trained = job.model().layout().trainable_size();
    Replica replica(client, nullptr);
    std::optional<Buffer> own_control;  // c_i, from the first time on that it is at work
    Invitation invitation(client);
    while (const auto progress = invitation.await()) {
      replica.become_whole();
      if (!own_control) own_control.emplace(client.communicator().buffer(trained));
      Buffer start = client.communicator().buffer(all), brought = client.communicator().buffer(all + trained);
      const Values x = start, own = *own_control, y = brought.values().first(all),
                   difference = brought.values().slice(all, trained);  // holds c at first
      invitation.take(x);
      invitation.take(difference);
      copy(ConstValues(x), replica.parameters());
      replica.set_progress(*progress);
      const auto values = static_cast<double>(trained);
      replica.adjust_gradients(
          [&](ConstValues, Values gradients) {
            for (std::size_t i = 0; i < trained; ++i)
              gradients.data()[i] += difference.data()[i] - own.data()[i];
          },
          {{plain_kernel(KernelKind::elementwise, 2 * values, 4 * values), 1}});
      const long steps = participation_.local_steps(job, client.rank());
      replica.train(steps);
      const double step = *progress * static_cast<double>(job.total_steps());
      const double rate = learning_rate_at(job.training(), std::lround(step), job.total_steps());
      const auto length = static_cast<float>(static_cast<double>(steps) * rate);
      client.compute({{plain_kernel(KernelKind::elementwise, 5 * values, 6 * values), 1}}, [&] {
        copy(ConstValues(replica.parameters()), y);
        for (std::size_t i = 0; i < trained; ++i) {
          const float change = (x.data()[i] - y.data()[i]) / length - difference.data()[i];
          difference.data()[i] = change;
          own.data()[i] += change;
        }
      });
      invitation.bring(brought);
      replica.release();
    }
  }

  void serve(Worker& server) const override {
    const Job& job = server.job();
    Master master(server, nullptr);
    const std::size_t all = master.size(), trained = master.trained();
    Buffer control = server.communicator().buffer(trained);  // c
    Clients clients(server, job.participants(), all + trained);
    for (const Round& round : job.rounds()) {
      const std::vector<int> drawn =
          clients.invite(participation_, round, {master.parameters(), ConstValues(control)});
      const auto count = static_cast<float>(drawn.size());
      master.compute(4 * count, 2 * count + 4, [&] {
        for (std::size_t i = 0; i < drawn.size(); ++i)
          add_scaled(1 / static_cast<float>(server.size()), clients.values(i).slice(all, trained), control);
        move_towards(clients.mean(participation_.weights(job, drawn), master.size()), rate_,
                     master.parameters());
      });
      server.end_round_of_server(round, master.parameters(), participation_.local_steps(job, drawn));
    }
    clients.close();
  }

  std::vector<RankPair> talking_pairs(int workers) const override { return pairs_with_servers(workers, 1); }

 private:
  Participation participation_;
  float rate_;
};

}  // namespace

ProtocolKind scaffold_kind() {
  nlohmann::json schema = Participation::schema();
  schema["server_learning_rate"] = server_learning_rate_schema(1);
  return {
      .kind = {.name = "scaffold",
               .summary = "SCAFFOLD: federated averaging whose clients correct their gradients by controls, "
                          "which travel with parameters",
               .options = std::move(schema)},
      .label = "SCAFFOLD",
      .make = [](const nlohmann::json& options) -> std::unique_ptr<Protocol> {
        return std::make_unique<Scaffold>(options);
      }};
}

}  // namespace isthmus
