#include "sim/scenario/sweep_target.hpp"

#include <algorithm>
#include <initializer_list>

#include "models/error.hpp"
#include "sim/scenario/explain.hpp"
#include "sim/scenario/messages.hpp"

namespace isthmus {
namespace {

using nlohmann::json;

bool names_type(const json& schema, const char* type) {
  const auto found_type = schema.find("type");
  if (found_type == schema.end()) return false;
  return found_type->is_array() ? std::ranges::find(*found_type, type) != found_type->end()
                                : *found_type == type;
}

bool takes(const SchemaView::Schemas& schemas, const char* type) {
  return std::ranges::any_of(schemas, [&](const json* schema) { return names_type(*schema, type); });
}

}  // namespace

SchemaView::Schemas find_member(const SchemaView::Schemas& container, const std::string& container_pointer,
                                const std::string& key, const std::string& place, const SchemaView& view) {
  auto member = view.child(container, key, nullptr);
  if (!member.empty()) return member;
  const auto known = SchemaView::known_keys(container);
  throw InputError(place, place_name(container_pointer) + " has no " + json(key).dump() + "; " +
                              did_you_mean(key, known) +
                              "allowed there: " + (known.empty() ? "nothing" : quoted_list(known)));
}

SweepTarget find_target(const std::string& pointer, const std::string& place, const SchemaView& view) {
  const auto tokens = pointer_tokens(pointer);
  if (!tokens || tokens->empty()) {
    throw InputError(place, "found " + json(pointer).dump() +
                                "; expected a JSON pointer, such as \"/platform/bandwidth\"");
  }
  if (tokens->front() == "sweep" || tokens->front() == "name" || tokens->front() == "slurm") {
    throw InputError(place, "a sweep cannot change " + json("/" + tokens->front()).dump());
  }
  SweepTarget target{pointer, *tokens, place, view.at_root(nullptr)};
  std::string reached;
  for (const std::string& token : target.tokens) {
    target.schemas = find_member(target.schemas, reached, token, place, view);
    reached = child_pointer(reached, token);
  }
  return target;
}

void require_value(const json& value, const SchemaView::Schemas& schemas, const std::string& place,
                   const SchemaView& view) {
  std::string first_complaint;
  for (const json* schema : schemas) {
    const bool says_something =
        std::ranges::any_of(std::initializer_list<const char*>{"type", "enum", "const"},
                            [&](const char* keyword) { return schema->contains(keyword); });
    if (!says_something) continue;
    const auto complaint = explain(view, value, {schema}, place);
    if (!complaint) return;
    if (first_complaint.empty()) first_complaint = *complaint;
  }
  if (!first_complaint.empty()) throw InputError(first_complaint);
}

void require_form(const json& value, const std::string& definition, const std::string& place,
                  const SchemaView& view) {
  const auto schemas = view.definition(definition);
  if (const auto complaint = explain(view, value, schemas, place)) throw InputError(*complaint);
  for_each_child(value, [&](const std::string& key, const json& member) {
    const auto of_member = view.child(schemas, key, &member);
    if (const auto complaint = explain(view, member, of_member, child_pointer(place, key))) {
      throw InputError(*complaint);
    }
  });
}

ValueKind value_kind(const SchemaView::Schemas& schemas) {
  if (!quantity_name(schemas).empty()) return ValueKind::quantity;
  if (takes(schemas, "integer")) return ValueKind::integer;
  return takes(schemas, "number") ? ValueKind::number : ValueKind::other;
}

std::string quantity_name(const SchemaView::Schemas& schemas) {
  for (const json* schema : schemas) {
    if (const auto name = schema->find("quantity"); name != schema->end()) return *name;
  }
  return {};
}

}  // namespace isthmus
