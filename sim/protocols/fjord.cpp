#include "models/error.hpp"
#include "models/optimizer/optimizer.hpp"
#include "models/random.hpp"
#include "sim/protocols/submodels.hpp"

namespace isthmus {
namespace {

/// FjORD (Horvath et al. 2021, arXiv 2102.13451), ordered dropout: a client has the first neurons and
/// channels of each layer, as many as its width allows, and in every local step trains the first of these
/// alone, to a width that it draws among those of all clients. All widths share their batch norms, and
/// nothing is distilled from the widest.
class Fjord final : public Submodels {
 public:
  explicit Fjord(const nlohmann::json& options)
      : Submodels(options), all_(options.at("widths").get<std::vector<double>>()), widths_(options) {}

  void require_fit(const Job& job) const override {
    Submodels::require_fit(job);
    if (make_optimizer(job.training().optimizer)->states() > 0)
      throw InputError("/training/optimizer",
                       "remembers something of each parameter (such as a momentum), but fjord trains another "
                       "network every step; allowed is sgd without momentum");
  }

 protected:
  std::string name() const override { return "fjord"; }

  Selection choose(const Job& job, const Turn& turn) const override {
    return choose_first(job.model().layout(), widths_.of(job.training().seed, turn.round, turn.client));
  }

  void train(Worker& client, Replica& subnet, const Turn& turn, long steps) const override {
    const Job& job = client.job();
    const double widest = widths_.of(job.training().seed, turn.round, turn.client);
    const Selection own = choose(job, turn);
    Buffer y = client.communicator().buffer(own.size());
    copy(ConstValues(subnet.parameters()), y.values());
    Random random =
        random_stream(job.training().seed, "ordered dropout", static_cast<std::uint64_t>(client.rank()),
                      static_cast<std::uint64_t>(turn.round));
    std::vector<double> allowed;
    for (const double width : all_) {
      if (width <= widest) allowed.push_back(width);
    }
    for (long step = 0; step < steps; ++step) {
      const double width =
          allowed[boost::random::uniform_int_distribution<std::size_t>(0, allowed.size() - 1)(random)];
      const Selection part = choose_first(job.model().layout(), width);
      const Transfer transfer(part, own);
      const auto carry = [&](const std::function<void()>& values) {
        client.compute({{plain_kernel(KernelKind::copy, 0, 2 * static_cast<double>(part.size())), 1}},
                       values);
      };
      subnet.reshape(job.model().subnet(part));
      carry([&] { transfer.gather(y, subnet.parameters()); });
      subnet.train(1);
      carry([&] { transfer.scatter(subnet.parameters(), y); });
    }
    subnet.reshape(job.model().subnet(own));
    copy(ConstValues(y), subnet.parameters());
  }

 private:
  std::vector<double> all_;
  Widths widths_;
};

}  // namespace

ProtocolKind fjord_kind() {
  nlohmann::json schema = Submodels::schema({"neurons", "channels", "streams"});
  schema.update(Widths::schema({0.2, 0.4, 0.6, 0.8, 1}));
  return {.kind = {.name = "fjord",
                   .summary = "FjORD: federated averaging of sub-models, each step of another width of each "
                              "layer's first neurons and channels",
                   .options = std::move(schema)},
          .label = "FjORD",
          .make = [](const nlohmann::json& options) -> std::unique_ptr<Protocol> {
            return std::make_unique<Fjord>(options);
          }};
}

}  // namespace isthmus
