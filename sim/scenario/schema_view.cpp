#include "sim/scenario/schema_view.hpp"

#include <algorithm>
#include <initializer_list>
#include <regex>
#include <string_view>

namespace isthmus {
namespace {

using nlohmann::json;

bool is_type(const std::string& type, const json& value) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  return type == "null" && value.is_null();
}

/// The conditions that scenario_schema() writes: members equal to constants, members present.
bool holds(const json& condition, const json& value) {
  if (!value.is_object()) return true;
  for (const json& key : condition.value("required", json::array())) {
    if (!value.contains(key.get<std::string>())) return false;
  }
  const json properties = condition.value("properties", json::object());
  for (const auto& [key, schema] : properties.items()) {
    const auto member = value.find(key);
    if (member != value.end() && schema.contains("const") && schema["const"] != *member) return false;
  }
  return true;
}

bool is_index(const std::string& key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

bool has_type(const json& schema, const json& value) {
  const auto type = schema.find("type");
  if (type == schema.end()) return true;
  if (type->is_string()) return is_type(*type, value);
  return std::any_of(type->begin(), type->end(), [&](const json& one) { return is_type(one, value); });
}

void SchemaView::collect(const json& schema, const json* value, Schemas& result) const {
  if (!schema.is_object()) return;
  result.push_back(&schema);
  if (const auto reference = schema.find("$ref"); reference != schema.end()) {
    collect(root_.at(json::json_pointer(reference->get<std::string>().substr(1))), value, result);
  }
  if (const auto all = schema.find("allOf"); all != schema.end()) {
    for (const json& part : *all) collect(part, value, result);
  }
  for (const char* keyword : {"anyOf", "oneOf"}) {
    const auto alternatives = schema.find(keyword);
    if (alternatives == schema.end()) continue;
    for (const json& alternative : *alternatives) {
      // What only requires members says nothing about their values, and must not be taken for a demand.
      if (!alternative.contains("type") && !alternative.contains("$ref")) continue;
      if (value == nullptr || has_type(alternative, *value)) collect(alternative, value, result);
    }
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

SchemaView::Schemas SchemaView::at_root(const json* value) const { return applicable(root_, value); }

SchemaView::Schemas SchemaView::definition(const std::string& name) const {
  return applicable(root_.at("definitions").at(name), nullptr);
}

SchemaView::Schemas SchemaView::child(const Schemas& schemas, const std::string& key,
                                      const json* value) const {
  Schemas result;
  for (const json* schema : schemas) {
    bool named = false;
    if (const auto properties = schema->find("properties"); properties != schema->end()) {
      if (const auto property = properties->find(key); property != properties->end()) {
        collect(*property, value, result);
        named = true;
      }
    }
    if (const auto patterns = schema->find("patternProperties"); patterns != schema->end()) {
      for (const auto& [pattern, part] : patterns->items()) {
        if (!std::regex_search(key, std::regex(pattern))) continue;
        collect(part, value, result);
        named = true;
      }
    }
    if (!named && schema->contains("additionalProperties")) {
      collect((*schema)["additionalProperties"], value, result);
    }
    if (is_index(key) && schema->contains("items")) collect((*schema)["items"], value, result);
  }
  return result;
}

std::vector<std::string> SchemaView::known_keys(const Schemas& schemas) {
  std::vector<std::string> keys;
  for (const json* schema : schemas) {
    const auto properties = schema->find("properties");
    if (properties == schema->end()) continue;
    for (const auto& [key, unused] : properties->items()) {
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
    }
  }
  return keys;
}

void SchemaView::fill_defaults(json& value) const { fill_defaults(value, at_root(&value)); }

std::optional<std::pair<std::string, json>> SchemaView::missing_companion(const Schemas& schemas,
                                                                          const json& object) {
  for (const json* schema : schemas) {
    const json companions = schema->value("onlyWith", json::object());
    for (const auto& [key, allowed] : companions.items()) {
      const auto member = object.find(key);
      if (member == object.end() || std::ranges::find(allowed, *member) == allowed.end())
        return std::pair(key, allowed);
    }
  }
  return std::nullopt;
}

/// Whether anything was filled in.
bool SchemaView::fill_members(json& value, const Schemas& schemas) const {
  bool filled = false;
  for (const std::string& key : known_keys(schemas)) {
    if (value.contains(key)) continue;
    const Schemas of_member = child(schemas, key, nullptr);
    if (missing_companion(of_member, value)) continue;
    const auto found =
        std::ranges::find_if(of_member, [](const json* schema) { return schema->contains("default"); });
    if (found == of_member.end()) continue;
    value[key] = (**found)["default"];
    filled = true;
  }
  return filled;
}

void SchemaView::fill_defaults(json& value, const Schemas& schemas) const {
  if (value.is_object()) {
    // Until nothing changes: what one option is filled with may be what another one is only with.
    while (fill_members(value, schemas)) {
    }
  }
  for_each_child(value, [&](const std::string& key, json& member) {
    fill_defaults(member, child(schemas, key, &member));
  });
}

}  // namespace isthmus
