#include "sim/scenario/schema_view.hpp"

#include <algorithm>

namespace isthmus {
namespace {

using nlohmann::json;

bool is_type(const std::string& type, const json& value) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "integer") return value.is_number_integer();
  return type == "number" && value.is_number();
}

/// Conditions of `if`: members present, members equal to constants if present.
bool holds(const json& condition, const json& value) {
  if (!value.is_object()) return true;
  for (const json& key : condition.value("required", json::array())) {
    if (!value.contains(key.get<std::string>())) return false;
  }
  const json properties = condition.value("properties", json::object());
  for (const auto& [key, schema] : properties.items()) {
    const auto member = value.find(key);
    if (member != value.end() && schema.at("const") != *member) return false;
  }
  return true;
}

bool is_index(const std::string& key) {
  return !key.empty() && key.size() < 10 &&
         std::ranges::all_of(key, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

const json* find_keyword(const SchemaView::Schemas& schemas, const char* keyword) {
  for (const json* schema : schemas) {
    if (const auto found = schema->find(keyword); found != schema->end()) return &*found;
  }
  return nullptr;
}

bool has_type(const json& schema, const json& value) {
  const auto type = schema.find("type");
  if (type == schema.end()) return true;
  if (type->is_string()) return is_type(*type, value);
  return std::ranges::any_of(*type, [&](const json& one) { return is_type(one, value); });
}

void SchemaView::collect(const json& schema, const json* value, Schemas& result) const {
  if (!schema.is_object()) return;
  result.push_back(&schema);
  if (const auto reference = schema.find("$ref"); reference != schema.end()) {
    collect(root_.at(json::json_pointer(reference->get<std::string>().substr(1))), value, result);
  }
  for (const char* keyword : {"allOf", "anyOf"}) {
    const auto parts = schema.find(keyword);
    if (parts == schema.end() || (keyword == std::string_view("anyOf") && value != nullptr)) continue;
    for (const json& part : *parts) collect(part, value, result);
  }
  if (const auto condition = schema.find("if"); condition != schema.end()) {
    const bool chosen = value != nullptr && holds(*condition, *value);
    if ((value == nullptr || chosen) && schema.contains("then")) collect(schema["then"], value, result);
    if ((value == nullptr || !chosen) && schema.contains("else")) collect(schema["else"], value, result);
  }
}

SchemaView::Schemas SchemaView::applicable(const json& schema, const json* value) const {
  Schemas result;
  collect(schema, value, result);
  return result;
}

SchemaView::Schemas SchemaView::definition(const std::string& name, const json* value) const {
  return applicable(root_.at("definitions").at(name), value);
}

SchemaView::Schemas SchemaView::child(const Schemas& schemas, const std::string& key,
                                      const json* value) const {
  Schemas result;
  for (const json* schema : schemas) {
    const auto properties = schema->find("properties");
    const auto others = schema->find("additionalProperties"), items = schema->find("items");
    if (properties != schema->end() && properties->contains(key)) {
      collect((*properties)[key], value, result);
    } else if (others != schema->end()) {
      collect(*others, value, result);
    }
    if (items != schema->end() && is_index(key)) collect(*items, value, result);
  }
  return result;
}

std::vector<std::string> SchemaView::known_keys(const Schemas& schemas) {
  std::vector<std::string> keys;
  for (const json* schema : schemas) {
    const auto properties = schema->find("properties");
    if (properties == schema->end()) continue;
    for (const auto& [key, unused] : properties->items()) {
      if (std::ranges::find(keys, key) == keys.end()) keys.push_back(key);
    }
  }
  return keys;
}

std::optional<std::pair<std::string, json>> SchemaView::missing_companion(const Schemas& schemas,
                                                                          const json& object) {
  for (const json* schema : schemas) {
    const auto companions = schema->find("onlyWith");
    if (companions == schema->end()) continue;
    for (const auto& [key, allowed] : companions->items()) {
      const auto member = object.find(key);
      if (member == object.end() || std::ranges::find(allowed, *member) == allowed.end())
        return std::pair(key, allowed);
    }
  }
  return std::nullopt;
}

void SchemaView::fill_members(json& value, const Schemas& schemas) const {
  if (!value.is_object()) return;
  // Until nothing changes: what one option is filled with may be what another one is only with.
  for (bool filled = true; filled;) {
    filled = false;
    for (const std::string& key : known_keys(schemas)) {
      if (value.contains(key)) continue;
      const Schemas of_member = child(schemas, key, nullptr);
      const json* fallback = find_keyword(of_member, "default");
      if (fallback == nullptr || missing_companion(of_member, value)) continue;
      value[key] = *fallback;
      filled = true;
    }
  }
}

void SchemaView::fill_defaults(json& value, const Schemas& schemas) const {
  fill_members(value, schemas);
  for_each_child(value, [&](const std::string& key, json& member) {
    fill_defaults(member, child(schemas, key, &member));
  });
}

}  // namespace isthmus
