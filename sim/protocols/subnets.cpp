#include "sim/protocols/subnets.hpp"

#include <algorithm>

#include "models/error.hpp"
#include "sim/core/replica.hpp"

namespace isthmus {

void train_subnets(Worker& worker, Exchange& exchange, const Deal& deal) {
  const Model& model = worker.job().model();
  Replica subnet(worker, nullptr);
  for (const Round& round : worker.job().rounds()) {
    const Partition partition = deal(round);
    subnet.reshape(model.subnet(partition.part(worker.rank())));
    exchange.dispatch(partition, subnet.parameters());
    subnet.train(round.local_steps);
    exchange.collect(partition, subnet.parameters());
    exchange.end_round(round);
  }
}

nlohmann::json DealtAxes::schema() {
  return {{"axes",
           {{"description",
             "What is dealt out: neurons of hidden dense layers, channels between convolutions (as in LoFT), "
             "or layers of either by name, such as \"hidden1\"."},
            {"type", "array"},
            {"items", {{"type", "string"}}},
            {"minItems", 1},
            {"uniqueItems", true},
            {"default", {"neurons"}}}}};
}

namespace {

bool names_axis(const std::string& name, const LayoutAxis& axis) {
  switch (axis.kind) {
    case AxisKind::neurons:
      return name == "neurons" || name == axis.name;
    case AxisKind::channels:
      return name == "channels" || name == axis.name;
    default:
      return false;
  }
}

}  // namespace

AxisSet DealtAxes::of(const ParameterLayout& layout) const {
  AxisSet dealt;
  for (const LayoutAxis& axis : layout.axes()) {
    dealt.push_back(
        std::ranges::any_of(names_, [&](const std::string& name) { return names_axis(name, axis); }));
  }
  return dealt;
}

void DealtAxes::require_fit(const Job& job, const std::string& protocol, std::size_t count,
                            const std::string& holders) const {
  const std::vector<LayoutAxis>& axes = job.model().layout().axes();
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (std::ranges::any_of(axes, [&](const LayoutAxis& axis) { return names_axis(names_[i], axis); }))
      continue;
    std::string found;
    for (const LayoutAxis& axis : axes) {
      if (axis.kind == AxisKind::fixed) continue;
      found += (found.empty() ? "" : ", ") + axis.name +
               (axis.kind == AxisKind::neurons ? " (neurons)" : " (channels)");
    }
    throw InputError("/protocol/axes/" + std::to_string(i),
                     "found \"" + names_[i] + "\", of which the model has none that " + protocol +
                         " could deal out; it has " + (found.empty() ? "nothing of the kind" : found));
  }
  const AxisSet dealt = of(job.model().layout());
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (!dealt[i] || axes[i].size >= static_cast<Index>(count)) continue;
    const std::string what = axes[i].kind == AxisKind::neurons ? "neurons" : "channels";
    throw InputError("/model", axes[i].name + " has " + std::to_string(axes[i].size) + " " + what +
                                   ", too few for " + protocol + " on " + std::to_string(count) + " " +
                                   holders + ": each needs at least one");
  }
}

void require_reset(const Job& job, const std::string& protocol, const std::string& network) {
  const OptimizerState state = job.training().optimizer_state;
  if (state != OptimizerState::keep && state != OptimizerState::average) return;
  const std::string found = state == OptimizerState::keep ? "keep" : "average";
  throw InputError("/training/optimizer_state", "found \"" + found + "\"; " + protocol +
                                                    " allows only \"reset\": after a round a worker's " +
                                                    network + " is another one");
}

}  // namespace isthmus
