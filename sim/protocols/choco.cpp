#include "sim/averaging/coded_tensors.hpp"
#include "sim/core/replica.hpp"
#include "sim/graphs/neighbourhood.hpp"
#include "sim/protocols/exchange.hpp"
#include "sim/protocols/protocol.hpp"
#include "sim/scenario/schema.hpp"

namespace isthmus {
namespace {

/// CHOCO-SGD (Koloskova et al. 2019, arXiv 1902.00340): decentralised SGD whose workers tell their neighbours
/// on a graph, by a lossy codec C, only how far their parameters x have moved from what is known of them, h:
///
///     local steps on x_i;  q_i = C(x_i - h_i), sent to the neighbours
///     h_i <- h_i + q_i;  s_i <- s_i + sum_j W_ij q_j;  x_i <- x_i + consensus_step (s_i - h_i)
///
/// s_i is the neighbours' mean of h_j. All begin alike, so that h and s begin with the initial parameters.
class Choco final : public Protocol {
 public:
  explicit Choco(const nlohmann::json& options)
      : graph_(graph_named(options.at("graph").get<std::string>())),
        local_steps_(options.at("local_steps").get<long>()),
        consensus_step_(options.at("consensus_step").get<float>()),
        codec_(options.contains("compression") ? make_codec(options.at("compression")) : nullptr),
        charged_(options.at("charge_compression").get<bool>()) {
    if (codec_) require_plain_wire(options);
  }

  RoundPlan round_plan() const override { return {local_steps_}; }

  void run(Worker& worker) const override {
    const ParameterLayout& layout = worker.job().model().layout();
    const std::size_t trained = layout.trainable_size();
    Replica replica(worker);
    replica.initialise();
    Known known(worker, replica.parameters().first(trained));
    for (const Round& round : worker.job().rounds()) {
      replica.train(round.local_steps);
      const Values x = replica.parameters().first(trained);
      if (codec_) {
        exchange_coded(worker, round, tensors_in(layout, {0, trained}), x, known);
      } else {
        exchange_whole(worker, round, x, known);
      }
      const auto values = static_cast<double>(trained);
      worker.compute({{plain_kernel(KernelKind::elementwise, 3 * values, 4 * values), 1}}, [&] {
        for (std::size_t i = 0; i < trained; ++i)
          x.data()[i] += consensus_step_ * (known.of_neighbours[i] - known.of_own[i]);
      });
      worker.end_round_apart(round, replica.parameters());
    }
  }

  std::vector<RankPair> talking_pairs(int workers) const override {
    return isthmus::talking_pairs(graph_, workers);
  }

 private:
  /// h and s.
  class Known final : private RoundState {
   public:
    Known(Worker& worker, ConstValues initial)
        : entry_(worker, *this),
          reservation_(worker.reserve(MemoryPart::optimizer, 2 * initial.size() * sizeof(float))) {
      if (!initial.is_phantom()) of_own.assign(initial.begin(), initial.end());
      of_neighbours = of_own;
    }
    std::vector<float> of_own, of_neighbours;

   private:
    void save(std::vector<std::vector<float>>& values) const override {
      values.insert(values.end(), {of_own, of_neighbours});
    }
    void resume(const Round&, const std::vector<std::vector<float>>& values, std::size_t& next) override {
      of_own = values.at(next++);
      of_neighbours = values.at(next++);
    }
    StateEntry entry_;
    Reservation reservation_;
  };

  /// Of each that is heard, and of the worker itself.
  static float weight(const Neighbourhood& peers) { return 1 / static_cast<float>(peers.heard().size() + 1); }

  static Kernel pass(std::size_t size, double flops, double values) {
    const auto count = static_cast<double>(size);
    return plain_kernel(KernelKind::elementwise, flops * count, values * count);
  }

  void exchange_whole(Worker& worker, const Round& round, ConstValues x, Known& known) const {
    const Neighbourhood peers(worker, graph_, round);
    Communicator& comm = worker.communicator();
    Buffer own = comm.buffer(x.size());
    worker.compute({{pass(x.size(), 1, 3), 1}}, [&] {
      for (std::size_t i = 0; i < x.size(); ++i) own.values().data()[i] = x.data()[i] - known.of_own[i];
    });
    std::vector<Buffer> buffers = peers.buffers(worker, x.size());
    peers.exchange(comm, own, buffers);
    const auto senders = static_cast<double>(peers.heard().size() + 1);
    worker.compute({{pass(x.size(), 2 * senders + 1, 2 * senders + 2), 1}}, [&] {
      add(own, known.of_own);
      peers.in_rank_order([&](std::size_t i, bool is_own) {
        add_scaled(weight(peers), is_own ? own : buffers[i], known.of_neighbours);
      });
    });
  }

  void exchange_coded(Worker& worker, const Round& round, const std::vector<Tensor>& tensors, ConstValues x,
                      Known& known) const {
    const Neighbourhood peers(worker, graph_, round);
    const CodedTensors coded(*codec_, tensors);
    const auto stream = [&](int rank) {
      return random_stream(worker.job().training().seed, "choco", static_cast<std::uint64_t>(rank),
                           static_cast<std::uint64_t>(round.index));
    };
    Communicator& comm = worker.communicator();
    Room own(comm, coded.bytes());
    Work work = {{pass(x.size(), 1, 3), 1}};
    if (charged_) append(work, coded.encode_work());
    worker.compute(work, [&] {
      std::vector<float> change(x.begin(), x.end());
      for (std::size_t i = 0; i < change.size(); ++i) change[i] -= known.of_own[i];
      Random random = stream(worker.rank());
      coded.encode(change, own.payload(), random);
    });
    std::vector<Room> rooms;
    std::vector<Request> requests;
    for (std::size_t i = 0; i < peers.heard().size(); ++i) rooms.emplace_back(comm, coded.bytes());
    for (const int peer : peers.hearing()) requests.push_back(comm.post_send(peer, own.payload()));
    for (std::size_t i = 0; i < peers.heard().size(); ++i)
      requests.push_back(comm.post_receive(peers.heard()[i], rooms[i].payload()));
    comm.wait_all(requests);
    comm.count_synchronised_bytes(coded.bytes());
    const auto senders = static_cast<double>(peers.heard().size() + 1);
    work = {{pass(x.size(), 2 * senders + 1, 2 * senders + 2), 1}};
    for (std::size_t i = 0; charged_ && i <= peers.heard().size(); ++i) append(work, coded.decode_work());
    worker.compute(work, [&] {
      peers.in_rank_order([&](std::size_t i, bool is_own) {
        std::vector<float> change(x.size());
        Random random = stream(is_own ? worker.rank() : peers.heard()[i]);
        coded.add_decoded(is_own ? own.payload() : rooms[i].payload(), change, random);
        add_scaled(weight(peers), change, known.of_neighbours);
        if (is_own) add(change, known.of_own);
      });
    });
  }

  const Graph& graph_;
  long local_steps_;
  float consensus_step_;
  std::unique_ptr<Codec> codec_;  // null: none
  bool charged_;
};

}  // namespace

ProtocolKind choco_kind() {
  nlohmann::json local_steps = local_steps_schema();
  local_steps["description"] = "Local steps between two exchanges.";
  local_steps["default"] = 1;
  return {
      .kind = {.name = "choco",
               .summary = "CHOCO-SGD: decentralised SGD with compressed changes",
               .options = {{"graph", graph_schema()},
                           {"local_steps", local_steps},
                           {"consensus_step",
                            {{"description",
                              "How far parameters go to the neighbours' mean of what is known: 1, all the "
                              "way; the less a codec tells, the less is stable."},
                             {"type", "number"},
                             {"exclusiveMinimum", 0},
                             {"maximum", 1},
                             {"default", 0.5}}},
                           {"charge_compression", charge_compression_schema()},
                           {"compression",
                            choice_schema("kind", kinds_of(codec_kinds()), nlohmann::json::object(),
                                          "By what changes are told. Default: they are told as they are.")}}},
      .label = "CHOCO-SGD",
      .make = [](const nlohmann::json& options) -> std::unique_ptr<Protocol> {
        return std::make_unique<Choco>(options);
      }};
}

}  // namespace isthmus
