#include "models/error.hpp"
#include "sim/protocols/buffered.hpp"

namespace isthmus {
namespace {

/// Local SGD with backup workers (Chen et al. 2016, arXiv 1604.00981, for single steps): a round is over when
/// the first `quorum` workers have brought their changes. Who comes later with changes of older parameters
/// has worked, and sent, in vain, and goes on with the new ones.
class Quorum final : public Buffered {
 public:
  explicit Quorum(const nlohmann::json& options)
      : Buffered({.work = {.local_steps = options.at("local_steps").get<long>()},
                  .buffer = options.at("quorum").get<int>(),
                  .at_once = false,
                  .late_count = false}) {}

  void require_fit(const Job& job) const override {
    require_workers("/protocol/quorum", settings().buffer, job.workers());
  }
};

}  // namespace

ProtocolKind quorum_kind() {
  nlohmann::json local_steps = local_steps_schema();
  local_steps["default"] = 1;
  return {.kind = {.name = "quorum",
                   .summary = "local SGD with backup workers: the first ones to come make the mean, and the "
                              "work of the others is lost",
                   .options = {{"local_steps", local_steps},
                               {"quorum",
                                {{"description", "Workers whose changes make a round."},
                                 {"type", "integer"},
                                 {"minimum", 1}}}},
                   .required = {"quorum"}},
          .label = "Quorum",
          .make = [](const nlohmann::json& options) -> std::unique_ptr<Protocol> {
            return std::make_unique<Quorum>(options);
          }};
}

}  // namespace isthmus
