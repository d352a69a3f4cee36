#include "sim/core/replica.hpp"
#include "sim/protocols/protocol.hpp"
#include "sim/servers/desk.hpp"
#include "sim/servers/master.hpp"

namespace isthmus {
namespace {

/// Asynchronous elastic averaging SGD (Zhang et al. 2015, arXiv 1412.6651): every so many local steps a
/// worker brings its parameters x, which the server's centre c pulls, and which pull the centre:
///
///     d = (elasticity / n) (x - c);  x <- x - d;  c <- c + d
///
/// With Nesterov's momentum inside it is EAMSGD.
class Easgd final : public Protocol {
 public:
  explicit Easgd(const nlohmann::json& options)
      : local_steps_(options.at("local_steps").get<long>()),
        elasticity_(options.at("elasticity").get<float>()) {}

  RoundPlan round_plan() const override { return {local_steps_}; }
  int servers() const override { return 1; }
  bool depends_on_timing() const override { return true; }
  bool survives_losses() const override { return true; }

  void run(Worker& worker) const override {
    Replica replica(worker);
    Buffer brought = worker.communicator().buffer(replica.parameters().size());
    ServerLink server(worker);
    if (!server.hello(replica.parameters())) return;
    do {
      replica.set_progress(worker.progress());
      replica.train(local_steps_);
      copy(ConstValues(replica.parameters()), brought.values());
    } while (server.exchange(brought, replica.parameters()));
  }

  void serve(Worker& server) const override {
    Master centre(server, nullptr);
    Desk desk(server, server.size(), centre.size());
    const float pull = elasticity_ / static_cast<float>(server.size());
    const auto hand_out = [&](const Desk::Visit& visit) {
      centre.write_to(visit.values);
      desk.answer(visit);
    };
    for (const Round& round : server.job().rounds()) {
      for (int exchange = 0; exchange < server.size(); ++exchange) {
        const Desk::Visit visit = desk.next(hand_out);
        server.note_update(visit.staleness);
        desk.updated();
        centre.compute(4, 4, [&] {
          const Values c = centre.parameters(), x = visit.values;
          for (std::size_t i = 0; i < c.size(); ++i) {
            const float d = pull * (x.data()[i] - c.data()[i]);
            x.data()[i] -= d;
            c.data()[i] += d;
          }
        });
        desk.answer(visit);
      }
      server.end_round_of_server(round, centre.parameters(), server.size() * local_steps_);
    }
    desk.close();
  }

  std::vector<RankPair> talking_pairs(int workers) const override { return pairs_with_servers(workers, 1); }

 private:
  long local_steps_;
  float elasticity_;
};

}  // namespace

ProtocolKind easgd_kind() {
  return {
      .kind =
          {.name = "easgd",
           .summary = "elastic averaging SGD: workers and a server's centre pull each other, at any time",
           .options = {{"local_steps", local_steps_schema()},
                       {"elasticity",
                        {{"description",
                          "How far a worker and the centre move to each other, times the number of workers."},
                         {"type", "number"},
                         {"minimum", 0},
                         {"maximum", 1000000},
                         {"default", 0.9}}}},
           .required = {"local_steps"}},
      .label = "EASGD",
      .make = [](const nlohmann::json& options) -> std::unique_ptr<Protocol> {
        return std::make_unique<Easgd>(options);
      }};
}

}  // namespace isthmus
