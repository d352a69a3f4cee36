#include <algorithm>
#include <numeric>
#include <optional>

#include "sim/collectives/pairs.hpp"
#include "sim/core/replica.hpp"
#include "sim/protocols/protocol.hpp"

namespace isthmus {
namespace {

/// NoLoCo (Kolehmainen et al., arXiv 2506.10911): DiLoCo without an all-reduce. After some local steps the
/// workers meet in pairs, drawn anew each time, and take the mean of two instead of the mean of all. phi are
/// a worker's slow weights, theta what local steps made of them:
///
///     m <- momentum m + rate mean(theta - phi) + pull (mean(phi) - phi)
///     phi <- phi + m;  theta <- phi
///
/// means over the pair; with an odd number of workers one is alone each time.
class Noloco final : public Protocol {
 public:
  explicit Noloco(const nlohmann::json& options)
      : local_steps_(options.at("local_steps").get<long>()),
        rate_(options.at("outer_learning_rate").get<float>()),
        momentum_(options.at("outer_momentum").get<float>()),
        pull_(options.value("pull", rate_)) {}

  RoundPlan round_plan() const override { return {local_steps_}; }

  void run(Worker& worker) const override {
    Replica replica(worker);
    replica.initialise();
    SlowWeights slow(worker, replica.parameters());
    for (const Round& round : worker.job().rounds()) {
      slow.begin_round(replica.parameters());
      replica.train(round.local_steps);
      step(worker, partner(worker, round), slow, replica.parameters());
      worker.end_round_apart(round, replica.parameters());
    }
  }

  std::vector<RankPair> talking_pairs(int workers) const override { return all_pairs_of(workers); }

 private:
  /// phi, which a round begins with, and m.
  class SlowWeights final : private RoundState {
   public:
    SlowWeights(Worker& worker, ConstValues parameters)
        : entry_(worker, *this),
          live_(worker.live()),
          reservation_(worker.reserve(MemoryPart::optimizer, 2 * parameters.size() * sizeof(float))) {
      if (live_) m.assign(parameters.size(), 0);
    }
    void begin_round(ConstValues parameters) {
      if (!parameters.is_phantom()) phi.assign(parameters.begin(), parameters.end());
    }

    std::vector<float> phi, m;

   private:
    void save(std::vector<std::vector<float>>& values) const override { values.push_back(m); }
    void resume(const Round&, const std::vector<std::vector<float>>& values, std::size_t& next) override {
      m = values.at(next++);
    }

    StateEntry entry_;
    bool live_;
    Reservation reservation_;
  };

  /// Who this worker meets; nobody if it is left over.
  static std::optional<int> partner(const Worker& worker, const Round& round) {
    std::vector<int> ranks(static_cast<std::size_t>(worker.size()));
    std::iota(ranks.begin(), ranks.end(), 0);
    Random random =
        random_stream(worker.job().training().seed, "noloco", 0, static_cast<std::uint64_t>(round.index));
    shuffle(ranks, random);
    const auto place = static_cast<std::size_t>(std::ranges::find(ranks, worker.rank()) - ranks.begin());
    const std::size_t other = place ^ 1U;
    return other < ranks.size() ? std::optional(ranks[other]) : std::nullopt;
  }

  /// phi and theta - phi go to the partner, and its come here.
  void step(Worker& worker, std::optional<int> partner, SlowWeights& slow, Values theta) const {
    Communicator& comm = worker.communicator();
    const std::size_t size = theta.size();
    Buffer own = comm.buffer(2 * size), others = comm.buffer(2 * size);
    const Values mine = own.values(), theirs = others.values();
    const auto elements = static_cast<double>(size);
    worker.compute({{plain_kernel(KernelKind::optimizer, elements, 4 * elements), 1}}, [&] {
      std::copy(slow.phi.begin(), slow.phi.end(), mine.data());
      for (std::size_t i = 0; i < size; ++i) mine.data()[size + i] = theta.data()[i] - slow.phi[i];
    });
    if (partner) {
      comm.send_receive(*partner, mine, *partner, theirs);
      comm.count_synchronised(2 * size);
    }
    const Values other = partner ? theirs : mine;
    const std::size_t trainable = worker.job().model().layout().trainable_size();
    worker.compute({{plain_kernel(KernelKind::optimizer, 9 * elements, 7 * elements), 1}}, [&, this] {
      const auto mean = [&](std::size_t i) { return (mine.data()[i] + other.data()[i]) / 2; };
      for (std::size_t i = 0; i < trainable; ++i) {
        slow.m[i] = momentum_ * slow.m[i] + rate_ * mean(size + i) + pull_ * (mean(i) - slow.phi[i]);
        theta.data()[i] = slow.phi[i] + slow.m[i];
      }
      // Running statistics know no momentum.
      for (std::size_t i = trainable; i < size; ++i) theta.data()[i] = mean(i) + mean(size + i);
    });
  }

  long local_steps_;
  float rate_, momentum_, pull_;
};

nlohmann::json number_schema(const char* description, double least, double most) {
  return {{"description", description}, {"type", "number"}, {"minimum", least}, {"maximum", most}};
}

}  // namespace

ProtocolKind noloco_kind() {
  nlohmann::json schema = {
      {"local_steps", local_steps_schema()},
      {"outer_learning_rate", number_schema("Size of the slow weights' steps.", 0, 1000000)},
      {"outer_momentum", number_schema("Momentum of these steps.", 0, 0.999999)},
      {"pull", number_schema("How far slow weights go to the mean of a pair's. Default: outer_learning_rate.",
                             0, 1000000)}};
  schema["outer_learning_rate"]["default"] = 0.7;
  schema["outer_momentum"]["default"] = 0.5;
  return {.kind = {.name = "noloco",
                   .summary = "NoLoCo: as DiLoCo, but workers meet in pairs, drawn anew each time, and no "
                              "all-reduce is needed",
                   .options = std::move(schema),
                   .required = {"local_steps"}},
          .label = "NoLoCo",
          .make = [](const nlohmann::json& options) -> std::unique_ptr<Protocol> {
            return std::make_unique<Noloco>(options);
          }};
}

}  // namespace isthmus
