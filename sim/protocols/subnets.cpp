#include "sim/protocols/subnets.hpp"

#include <algorithm>

#include "models/error.hpp"
#include "models/partition/units.hpp"
#include "sim/core/replica.hpp"

namespace isthmus {

void train_subnets(Worker& worker, Exchange& exchange, const Deal& deal) {
  const Model& model = worker.job().model();
  Replica subnet(worker, nullptr);
  for (const Round& round : worker.job().rounds()) {
    const SharedPartition partition = deal(round);
    subnet.reshape(model.subnet(partition->part(worker.rank())));
    exchange.dispatch(*partition, subnet.parameters());
    subnet.train(round.local_steps);
    exchange.collect(*partition, subnet.parameters());
    exchange.end_round(round);
  }
}

nlohmann::json DealtAxes::schema() {
  return {
      {"axes",
       {{"description",
         "What is dealt out, as far as the model has it: neurons of hidden dense layers, channels between "
         "two convolutions (as in LoFT), streams (the channels that residual blocks add to), or layers of "
         "these by name, such as \"hidden1\"."},
        {"type", "array"},
        {"items", {{"type", "string"}}},
        {"minItems", 1},
        {"uniqueItems", true},
        {"default", {"neurons"}}}}};
}

nlohmann::json DealtAxes::schema_of_shares() {
  nlohmann::json schema = DealtAxes::schema();
  schema["scale_at_test"] = {
      {"description",
       "In tests, what a dealt neuron or channel says counts by the share of them that a worker trains, "
       "since each was trained with others missing. A batch norm behind it does that by itself; without "
       "one, as inside blocks that activate first, the whole network is far off otherwise."},
      {"type", "boolean"},
      {"default", false}};
  return schema;
}

BatchResult DealtAxes::test(const Job& job, std::vector<float> parameters, double share) const {
  if (scaled_at_test_)
    scale_readers(job.model().layout(), of(job.model().layout()), static_cast<float>(share), parameters);
  return job.test(job.model(), std::move(parameters));
}

namespace {

std::string kind_name(AxisKind kind) {
  switch (kind) {
    case AxisKind::neurons:
      return "neurons";
    case AxisKind::channels:
      return "channels";
    case AxisKind::streams:
      return "streams";
    default:
      return "";
  }
}

bool is_kind(const std::string& name) { return name == "neurons" || name == "channels" || name == "streams"; }

bool names_axis(const std::string& name, const LayoutAxis& axis) {
  return axis.kind != AxisKind::fixed && (name == kind_name(axis.kind) || name == axis.name);
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
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
  std::string known;
  for (const LayoutAxis& axis : axes) {
    if (axis.kind == AxisKind::fixed) continue;
    known += (known.empty() ? "" : ", ") + axis.name + " (" + kind_name(axis.kind) + ")";
  }
  if (known.empty()) known = "nothing of the kind";
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const auto is_named = [&](const LayoutAxis& axis) { return names_axis(names_[i], axis); };
    if (is_kind(names_[i]) || std::ranges::any_of(axes, is_named)) continue;
    throw InputError("/protocol/axes/" + std::to_string(i),
                     "found \"" + names_[i] + "\"; the model has " + known);
  }
  const AxisSet dealt = of(job.model().layout());
  if (std::ranges::find(dealt, true) == dealt.end())
    throw InputError("/model", "has no " + joined(names_) + " that " + protocol +
                                   " could deal out (see \"axes\" in the protocol); it has " + known);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (!dealt[i] || axes[i].size >= static_cast<Index>(count)) continue;
    throw InputError("/model", axes[i].name + " has " + std::to_string(axes[i].size) + " " +
                                   (axes[i].kind == AxisKind::neurons ? "neurons" : "channels") +
                                   ", too few for " + protocol + " on " + std::to_string(count) + " " +
                                   holders + ": each needs at least one");
  }
}

nlohmann::json holders_schema(int preset) {
  return {{"description",
           "How many workers have each of the things that are dealt: a worker's own and those of its next "
           "neighbours, so that parts overlap. Each parameter becomes the mean over those that have it."},
          {"type", "integer"},
          {"minimum", 1},
          {"default", preset}};
}

void require_holders(int holders, int workers) {
  if (holders <= workers) return;
  throw InputError("/protocol/holders", "found " + std::to_string(holders) + "; there are only " +
                                            std::to_string(workers) + " workers");
}

nlohmann::json partition_sections_schema() {
  return {{"description", "Sections of the network (1, 2, ...) whose blocks are dealt out."},
          {"type", "array"},
          {"items", {{"type", "integer"}, {"minimum", 1}}},
          {"minItems", 1},
          {"uniqueItems", true},
          {"default", {3}}};
}

void require_sections(const ParameterLayout& layout, const std::vector<int>& sections,
                      const std::string& protocol) {
  if (std::ranges::none_of(layout.units(), &Unit::removable))
    throw InputError("/model", "has no residual blocks that " + protocol + " could deal out");
  for (std::size_t i = 0; i < sections.size(); ++i) {
    if (!dealt_units(layout, {sections[i]}).empty()) continue;
    throw InputError("/protocol/partition_sections/" + std::to_string(i),
                     "found " + std::to_string(sections[i]) +
                         ", a section of the model without a block that can be left out");
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
