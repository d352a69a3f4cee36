#include "sim/core/replica.hpp"
#include "sim/graphs/neighbourhood.hpp"
#include "sim/protocols/protocol.hpp"

namespace isthmus {
namespace {

/// Stochastic gradient push (Assran et al. 2019, arXiv 1811.10792): workers push shares of their parameters x
/// along the edges of a directed graph, and with them of a weight w, which says how much of the sum they
/// hold:
///
///     z_i = x_i / w_i;  x_i <- x_i - rate g_i(z_i)
///     x_i, w_i <- sum over those who push to i, itself included, of p (x_j, w_j)
///
/// p = 1 / (1 + those it pushes to). On graphs where all push to as many as push to them w stays 1, and this
/// is decentralised SGD (D-PSGD).
class Sgp final : public Protocol {
 public:
  explicit Sgp(const nlohmann::json& options)
      : graph_(graph_named(options.at("graph").get<std::string>())),
        local_steps_(options.at("local_steps").get<long>()) {}

  RoundPlan round_plan() const override { return {local_steps_}; }

  void run(Worker& worker) const override {
    Replica replica(worker);
    replica.initialise();
    PushWeight weight(worker);
    const std::size_t size = replica.parameters().size();
    for (const Round& round : worker.job().rounds()) {
      Buffer own = worker.communicator().buffer(size + 1);  // x and w
      const Values x = own.values().first(size), z = replica.parameters();
      const auto values = static_cast<double>(size);
      worker.compute({{plain_kernel(KernelKind::elementwise, 2 * values, 2 * values), 1}}, [&] {
        for (std::size_t i = 0; i < size; ++i) x.data()[i] = weight.w * z.data()[i] - z.data()[i];
      });
      replica.train(round.local_steps);
      worker.compute({{plain_kernel(KernelKind::elementwise, values, 3 * values), 1}}, [&] {
        for (std::size_t i = 0; i < size; ++i) x.data()[i] += z.data()[i];
        own.values().data()[size] = weight.w;
      });
      push(worker, round, own);
      worker.compute({{plain_kernel(KernelKind::elementwise, values, 2 * values), 1}}, [&] {
        weight.w = own.values().data()[size];
        for (std::size_t i = 0; i < size; ++i) z.data()[i] = x.data()[i] / weight.w;
      });
      worker.end_round_apart(round, replica.parameters());
    }
  }

  std::vector<RankPair> talking_pairs(int workers) const override {
    return isthmus::talking_pairs(graph_, workers);
  }

 private:
  /// w.
  class PushWeight final : private RoundState {
   public:
    explicit PushWeight(Worker& worker) : entry_(worker, *this) {}
    float w = 1;

   private:
    void save(std::vector<std::vector<float>>& values) const override { values.push_back({w}); }
    void resume(const Round&, const std::vector<std::vector<float>>& values, std::size_t& next) override {
      w = values.at(next++).at(0);
    }
    StateEntry entry_;
  };

  /// Shares go out, and become the sum of those that come in and the own one, in rank order.
  void push(Worker& worker, const Round& round, Values own) const {
    const Neighbourhood neighbours(worker, graph_, round);
    const auto values = static_cast<double>(own.size());
    worker.compute({{plain_kernel(KernelKind::elementwise, values, 2 * values), 1}},
                   [&] { scale(own, 1 / static_cast<float>(neighbours.hearing().size() + 1)); });
    std::vector<Buffer> shares = neighbours.buffers(worker, own.size());
    neighbours.exchange(worker.communicator(), own, shares);
    const auto count = static_cast<double>(shares.size());
    worker.compute({{plain_kernel(KernelKind::elementwise, count * values, (count + 2) * values), 1}}, [&] {
      std::vector<float> sum(own.size());
      neighbours.in_rank_order([&](std::size_t i, bool is_own) { add(is_own ? own : shares[i], sum); });
      copy(sum, own);
    });
  }

  const Graph& graph_;
  long local_steps_;
};

}  // namespace

ProtocolKind sgp_kind() {
  nlohmann::json local_steps = local_steps_schema(), graph = graph_schema();
  local_steps["description"] = "Local steps between two pushes.";
  local_steps["default"] = 1;
  graph["default"] = "one_peer_exponential";
  return {
      .kind = {.name = "sgp",
               .summary = "stochastic gradient push: workers push shares of their parameters along a graph",
               .options = {{"graph", graph}, {"local_steps", local_steps}}},
      .label = "SGP",
      .make = [](const nlohmann::json& options) -> std::unique_ptr<Protocol> {
        return std::make_unique<Sgp>(options);
      }};
}

}  // namespace isthmus
