#include "sim/scenario/sweep_target.hpp"

#include <algorithm>
#include <optional>

#include "models/error.hpp"
#include "sim/scenario/messages.hpp"

namespace isthmus {
namespace {

using nlohmann::json;

bool takes(const SchemaView::Schemas& schemas, const json& type) {
  return std::ranges::any_of(schemas, [&](const json* schema) {
    const json named = schema->value("type", json::array());
    return named.is_array() ? std::ranges::find(named, type) != named.end() : named == type;
  });
}

}  // namespace

SweepTarget SweepTarget::member(const std::string& key, const SchemaView& view) const {
  SweepTarget result{child_pointer(pointer, key), place, view.child(schemas, key, nullptr)};
  if (!result.schemas.empty()) return result;
  const auto known = SchemaView::known_keys(schemas);
  throw InputError(place, place_name(pointer) + " has no " + json(key).dump() + "; " +
                              did_you_mean(key, known) +
                              "allowed there: " + (known.empty() ? "nothing" : quoted_list(known)));
}

std::string SweepTarget::kind() const {
  if (!quantity().empty()) return "quantity";
  for (const char* type : {"integer", "number"}) {
    if (takes(schemas, type)) return type;
  }
  return "";
}

std::string SweepTarget::range_kind(const json& range) const {
  if (!kind().empty()) return kind();
  throw InputError(place, found(range) + "; a range needs a place that takes numbers or quantities, " +
                              pointer + " does not; list the values instead");
}

std::string SweepTarget::quantity() const {
  const json* name = find_keyword(schemas, "quantity");
  return name == nullptr ? "" : name->get<std::string>();
}

SweepTarget find_target(const std::string& pointer, const std::string& place, const SchemaView& view) {
  const auto tokens = pointer_tokens(pointer);
  if (!tokens || tokens->empty()) {
    throw InputError(place, found(pointer) + "; expected a JSON pointer, such as \"/platform/bandwidth\"");
  }
  if (tokens->front() == "sweep" || tokens->front() == "name" || tokens->front() == "slurm") {
    throw InputError(place, "a sweep cannot change " + json("/" + tokens->front()).dump());
  }
  SweepTarget target{"", place, view.at_root(nullptr)};
  for (const std::string& token : *tokens) target = target.member(token, view);
  return target;
}

void require_value(const json& value, const SweepTarget& target, const std::string& place,
                   const Checker& checker) {
  std::optional<InputError> complaint;
  for (const json* schema : target.schemas) {
    if (!schema->contains("type") && !schema->contains("enum") && !schema->contains("const")) continue;
    try {
      return checker.check_itself(value, {schema}, place);
    } catch (const InputError& error) {
      if (!complaint) complaint = error;
    }
  }
  if (complaint) throw *complaint;
}

}  // namespace isthmus
