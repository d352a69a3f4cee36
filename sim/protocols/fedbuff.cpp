#include "models/error.hpp"
#include "sim/protocols/buffered.hpp"

namespace isthmus {
namespace {

/// FedBuff (Nguyen et al. 2022, arXiv 2106.06639): buffered asynchronous aggregation.
class Fedbuff final : public Buffered {
 public:
  explicit Fedbuff(const nlohmann::json& options)
      : Buffered({.work = {.local_steps = options.at("local_steps").get<long>()},
                  .buffer = options.at("buffer").get<int>(),
                  .concurrency = options.value("concurrency", 0),
                  .at_once = options.at("hand_out") == "at_once",
                  .damping = damping_named(options.at("damping").get<std::string>()),
                  .rate = options.at("server_learning_rate").get<float>()}) {}

  void require_fit(const Job& job) const override {
    require_workers("/protocol/concurrency", concurrency(job.workers()), job.workers());
    const int at_work = concurrency(job.workers()), buffer = settings().buffer;
    if (!settings().at_once && buffer > at_work) {
      throw InputError("/protocol/buffer", "found " + std::to_string(buffer) + " beside \"hand_out\": " +
                                               "\"at_update\" and " + std::to_string(at_work) +
                                               " workers at work; allowed: as many at most, else all wait");
    }
  }
};

}  // namespace

ProtocolKind fedbuff_kind() {
  return {.kind = {.name = "fedbuff",
                   .summary = "FedBuff: a server takes in changes as they come, and steps when a buffer of "
                              "them is full",
                   .options = {{"local_steps", local_steps_schema()},
                               {"buffer",
                                {{"description", "Changes that make one step of the server."},
                                 {"type", "integer"},
                                 {"minimum", 1},
                                 {"default", 10}}},
                               {"concurrency", concurrency_schema()},
                               {"hand_out", handout_schema("at_once")},
                               {"damping", damping_schema("inverse_square_root")},
                               {"server_learning_rate", server_learning_rate_schema(1)}},
                   .required = {"local_steps"}},
          .label = "FedBuff",
          .make = [](const nlohmann::json& options) -> std::unique_ptr<Protocol> {
            return std::make_unique<Fedbuff>(options);
          }};
}

}  // namespace isthmus
