#include "sim/core/replica.hpp"
#include "sim/graphs/neighbourhood.hpp"
#include "sim/protocols/protocol.hpp"

namespace isthmus {
namespace {

/// Decentralised SGD (D-PSGD; Lian et al. 2017, arXiv 1705.09056): nobody hears more than its neighbours on a
/// graph, whose matrix W mixes the workers' parameters x:
///
///     x_i <- sum_j W_ij x_j - rate g_i(x_i)          (beside: what is sent goes on beside the gradient)
///     x_i <- sum_j W_ij (x_j - rate g_j(x_j))        (after the local steps, as most codes do it)
class Dpsgd final : public Protocol {
 public:
  explicit Dpsgd(const nlohmann::json& options)
      : graph_(graph_named(options.at("graph").get<std::string>())),
        local_steps_(options.at("local_steps").get<long>()),
        beside_(options.at("mix").get<std::string>() == "beside") {}

  RoundPlan round_plan() const override { return {local_steps_}; }

  void run(Worker& worker) const override {
    Replica replica(worker);
    replica.initialise();
    const std::size_t trained = worker.job().model().layout().trainable_size();
    const auto stream = beside_ ? worker.communication_stream() : nullptr;
    for (const Round& round : worker.job().rounds()) {
      if (stream) {
        replica.train(round.local_steps - 1);
        // Running statistics stay each worker's own: the forward pass changes them meanwhile.
        Buffer before = worker.communicator().buffer(trained);
        copy(replica.parameters().first(trained), before.values());
        Mixing mixing(worker, graph_, round, trained);
        stream->enqueue([&](Communicator& comm) { mixing.hear(comm, before); });
        replica.compute_gradient();
        stream->wait();
        mixing.mix(before);
        copy(before, replica.parameters().first(trained));
        replica.apply_gradient();
      } else {
        replica.train(round.local_steps);
        Mixing mixing(worker, graph_, round, replica.parameters().size());
        mixing.hear(worker.communicator(), replica.parameters());
        mixing.mix(replica.parameters());
      }
      worker.end_round_apart(round, replica.parameters());
    }
  }

  std::vector<RankPair> talking_pairs(int workers) const override {
    return isthmus::talking_pairs(graph_, workers);
  }

 private:
  /// A worker's mean of its neighbours' parameters and its own, once.
  class Mixing {
   public:
    Mixing(Worker& worker, const Graph& graph, const Round& round, std::size_t size)
        : worker_(worker), neighbours_(worker, graph, round), buffers_(neighbours_.buffers(worker, size)) {}

    /// Parameters go to those who hear them, and the neighbours' come in.
    void hear(Communicator& comm, Values own) { neighbours_.exchange(comm, own, buffers_); }

    /// In rank order.
    void mix(Values own) {
      const auto elements = static_cast<double>(own.size()), heard = static_cast<double>(buffers_.size());
      const Kernel kernel =
          plain_kernel(KernelKind::elementwise, (heard + 1) * elements, (heard + 2) * elements);
      worker_.compute({{kernel, 1}}, [&] {
        std::vector<float> sum(own.size());
        neighbours_.in_rank_order([&](std::size_t i, bool is_own) { add(is_own ? own : buffers_[i], sum); });
        scale(sum, 1 / static_cast<float>(buffers_.size() + 1));
        copy(sum, own);
      });
    }

   private:
    Worker& worker_;
    Neighbourhood neighbours_;
    std::vector<Buffer> buffers_;  // of what is heard
  };

  const Graph& graph_;
  long local_steps_;
  bool beside_;
};

}  // namespace

ProtocolKind d_psgd_kind() {
  nlohmann::json local_steps = local_steps_schema();
  local_steps["description"] = "Local steps between two mixings.";
  local_steps["default"] = 1;
  return {
      .kind =
          {.name = "d_psgd",
           .summary = "decentralised SGD: each worker takes the mean of its neighbours on a graph",
           .options =
               {{"graph", graph_schema()},
                {"local_steps", local_steps},
                {"mix",
                 {{"description",
                   "after: what local steps made of parameters is mixed. beside: what a step begins with, "
                   "while its gradient is computed."},
                  {"enum", {"after", "beside"}},
                  {"default", "after"}}}}},
      .label = "D-PSGD",
      .make = [](const nlohmann::json& options) -> std::unique_ptr<Protocol> {
        return std::make_unique<Dpsgd>(options);
      }};
}

}  // namespace isthmus
