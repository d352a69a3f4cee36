#include <algorithm>
#include <cmath>

#include "models/error.hpp"
#include "sim/protocols/protocol.hpp"
#include "sim/servers/contributors.hpp"
#include "sim/servers/options.hpp"
#include "sim/servers/speeds.hpp"

namespace isthmus {
namespace {

/// Asynchronous local SGD with delayed Nesterov (Liu et al. 2024, arXiv 2401.09135): each worker brings what
/// its local steps changed, Delta = x_handed_out - y, and the server makes a step of it at once; its momentum
/// m takes in N of them together:
///
///     D <- D + Delta
///     every N-th time:  m <- momentum m + D / N;  D <- 0
///                       x <- x - rate ((1 - c N + c) momentum m + Delta / N)
///     else:             x <- x - rate (c momentum m + Delta / N)
///
/// N = 1 is Nesterov's momentum of every change. With `steps_by_speed`, workers make local steps in
/// proportion to their speed, the fastest all of them (dynamic local updates).
class AsyncLocalSgd final : public Protocol {
 public:
  explicit AsyncLocalSgd(const nlohmann::json& options)
      : work_{.local_steps = options.at("local_steps").get<long>(), .fresh_optimizer = false},
        by_speed_(options.at("steps_by_speed").get<bool>()),
        delay_(options.value("momentum_delay", 0L)),
        share_(options.at("momentum_share").get<float>()),
        rate_(options.at("outer_learning_rate").get<float>()),
        momentum_(options.at("outer_momentum").get<float>()),
        at_once_(options.at("hand_out") == "at_once"),
        damping_(damping_named(options.at("damping").get<std::string>())) {}

  RoundPlan round_plan() const override { return {work_.local_steps}; }

  void require_fit(const Job& job) const override {
    const long delay = delay_of(job);
    if (share_ > 1 / static_cast<float>(delay)) {
      throw InputError("/protocol/momentum_share", "found " + std::to_string(share_) +
                                                       "; allowed: 1 / momentum_delay at most, here 1 / " +
                                                       std::to_string(delay));
    }
    if (!at_once_) require_workers("/protocol/momentum_delay", delay, job.workers());
  }

  int servers() const override { return 1; }
  bool depends_on_timing() const override { return true; }
  bool survives_losses() const override { return true; }

  void run(Worker& worker) const override {
    LocalWork work = work_;
    if (by_speed_) work.local_steps = local_steps(speed_beside_fastest(worker));
    bring_changes(worker, work);
  }

  void serve(Worker& server) const override {
    std::vector<double> speeds(static_cast<std::size_t>(server.size()), 1);
    if (by_speed_) speeds = tell_who_is_fastest(server);
    Master master(server, nullptr);
    const auto size = static_cast<std::uint64_t>(master.size());
    const Reservation memory = server.reserve(MemoryPart::optimizer, 2 * size * sizeof(float));
    std::vector<float> sum(server.live() ? size : 0), momentum(sum.size());  // D and m
    Contributors contributors(server, master, {server.size(), at_once_});
    const long delay = delay_of(server.job());
    long changes = 0, steps = 0, due = 0;
    for (const Round& round : server.job().rounds()) {
      const long before = steps;
      for (due += round.local_steps * server.size(); steps < due;) {
        const Desk::Visit change = contributors.next();
        server.note_update(change.staleness);
        scale(change.values, static_cast<float>(damping_(change.staleness)));
        const bool nth = ++changes % delay == 0;
        step(master, change.values, delay, nth, sum, momentum);
        contributors.taken(change, at_once_ || nth);
        steps += local_steps(speeds[static_cast<std::size_t>(change.worker)]);
      }
      server.end_round_of_server(round, master.parameters(), steps - before);
    }
    contributors.close();
  }

  std::vector<RankPair> talking_pairs(int workers) const override { return pairs_with_servers(workers, 1); }

 private:
  long delay_of(const Job& job) const { return delay_ > 0 ? delay_ : job.workers(); }
  /// Of a worker with that part of the fastest's speed.
  long local_steps(double speed) const {
    return std::max(1L, static_cast<long>(std::floor(speed * static_cast<double>(work_.local_steps))));
  }

  void step(Master& master, Values change, long delay, bool nth, Values sum, Values momentum) const {
    const auto n = static_cast<float>(delay);
    const float part = nth ? (1 - share_ * n + share_) * momentum_ : share_ * momentum_;
    master.compute(8, 7, [&] {
      const Values x = master.parameters();
      for (std::size_t i = 0; i < master.trained(); ++i) {
        float &d = sum.data()[i], &m = momentum.data()[i];
        d += change.data()[i];
        if (nth) m = momentum_ * m + std::exchange(d, 0.0F) / n;
        x.data()[i] -= rate_ * (part * m + change.data()[i] / n);
      }
      // Running statistics know no momentum.
      for (std::size_t i = master.trained(); i < x.size(); ++i) x.data()[i] -= change.data()[i] / n;
    });
  }

  LocalWork work_;
  bool by_speed_;
  long delay_;  // 0: as many as there are workers
  float share_, rate_, momentum_;
  bool at_once_;
  Damping damping_;
};

}  // namespace

ProtocolKind async_local_sgd_kind() {
  return {
      .kind =
          {.name = "async_local_sgd",
           .summary = "asynchronous local SGD with delayed Nesterov: workers bring what local steps changed, "
                      "and do not wait for each other",
           .options = {{"local_steps", local_steps_schema()},
                       {"steps_by_speed",
                        {{"description",
                          "Workers make local steps in proportion to their devices' speed, the fastest "
                          "all of them."},
                         {"type", "boolean"},
                         {"default", false}}},
                       {"outer_learning_rate", server_learning_rate_schema(0.7)},
                       {"outer_momentum",
                        {{"description", "Of the server's steps."},
                         {"type", "number"},
                         {"minimum", 0},
                         {"maximum", 0.999999},
                         {"default", 0.9}}},
                       {"momentum_delay",
                        {{"description",
                          "N: so many changes go into the momentum together. Default: as many as workers."},
                         {"type", "integer"},
                         {"minimum", 1}}},
                       {"momentum_share",
                        {{"description",
                          "c: the part of the momentum that goes into every change's step, 0 to 1 / N; "
                          "every N-th has the rest."},
                         {"type", "number"},
                         {"minimum", 0},
                         {"maximum", 1},
                         {"default", 0}}},
                       {"hand_out", handout_schema("at_once")},
                       {"damping", damping_schema("none")}},
           .required = {"local_steps"}},
      .label = "Async local SGD",
      .make = [](const nlohmann::json& options) -> std::unique_ptr<Protocol> {
        return std::make_unique<AsyncLocalSgd>(options);
      }};
}

}  // namespace isthmus
