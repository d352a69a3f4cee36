#include "sim/protocols/local_sgd.hpp"

namespace isthmus {

/// DiLoCo (Douillard et al., arXiv 2311.08105): local SGD whose mean change is the gradient of an outer
/// optimizer, Nesterov's momentum; each worker's inner optimizer (`training.optimizer`, AdamW in the paper)
/// keeps its state. So it is local SGD with other defaults.
ProtocolKind diloco_kind() {
  nlohmann::json schema = LocalSgd::options();
  schema.erase("slow_momentum");
  schema.erase("slow_learning_rate");
  schema.update(OuterOptimizerOptions::diloco_schema());
  return {.kind = {.name = "diloco",
                   .summary = "DiLoCo: many local steps, of AdamW say, then a step of Nesterov's momentum by "
                              "what they changed in the mean",
                   .options = std::move(schema),
                   .required = {"local_steps"}},
          .label = "DiLoCo",
          .hue = "sky",
          .make = [](const nlohmann::json& options) -> std::unique_ptr<Protocol> {
            return std::make_unique<LocalSgd>(options);
          }};
}

}  // namespace isthmus
