#include "sim/scenario/explain.hpp"

#include <algorithm>
#include <regex>
#include <vector>

#include "models/error.hpp"
#include "sim/scenario/messages.hpp"
#include "sim/scenario/units.hpp"

namespace isthmus {
namespace {

using nlohmann::json;
using Schemas = SchemaView::Schemas;
using Explanation = std::optional<std::string>;

std::vector<std::string> strings(const json& array) {
  std::vector<std::string> result;
  for (const json& value : array)
    result.push_back(value.is_string() ? value.get<std::string>() : value.dump());
  return result;
}

std::string listed(const json& values) {
  std::string text;
  for (const json& value : values) text += (text.empty() ? "" : ", ") + value.dump();
  return text;
}

/// The first of `schemas` that has the keyword.
const json* keyword(const Schemas& schemas, const char* name) {
  for (const json* schema : schemas) {
    if (schema->contains(name)) return &(*schema)[name];
  }
  return nullptr;
}

std::string type_name(const std::string& type, const SchemaView& view, const Schemas& schemas) {
  if (type == "boolean") return "true or false";
  if (type == "null") return "null";
  if (type == "array") {
    const json* items = keyword(view.child(schemas, "0", nullptr), "type");
    if (items != nullptr && items->is_string() && *items != "boolean") {
      return "an array of " + items->get<std::string>() + "s";
    }
    return "an array";
  }
  return (type == "integer" || type == "object" ? "an " : "a ") + type;
}

/// `expected an array of integers, such as [512, 512]`.
std::string expected(const SchemaView& view, const Schemas& schemas) {
  if (const json* values = keyword(schemas, "enum")) return "allowed: " + listed(*values);
  if (const json* value = keyword(schemas, "const")) return "allowed: " + value->dump();
  std::string text;
  if (keyword(schemas, "quantity") != nullptr) {
    text = "expected a string with its unit";
  } else if (const json* type = keyword(schemas, "type")) {
    for (const std::string& name : type->is_array() ? strings(*type) : std::vector<std::string>{*type}) {
      text += (text.empty() ? "expected " : " or ") + type_name(name, view, schemas);
    }
  } else {
    return "expected another value";
  }
  for (const char* discriminator : {"kind", "set"}) {
    const json* names = keyword(view.child(schemas, discriminator, nullptr), "enum");
    if (names != nullptr) text += " with \"" + std::string(discriminator) + "\" one of " + listed(*names);
  }
  if (const json* examples = keyword(schemas, "examples"); examples != nullptr && !examples->empty()) {
    text += ", such as " + (*examples)[0].dump();
  }
  return text;
}

Explanation explain_choice(const json& value, const json& schema) {
  json allowed = schema.value("enum", json::array());
  if (schema.contains("const")) allowed = json::array({schema["const"]});
  if (allowed.empty() || std::find(allowed.begin(), allowed.end(), value) != allowed.end())
    return std::nullopt;
  const std::string hint = value.is_string() ? did_you_mean(value.get<std::string>(), strings(allowed)) : "";
  return found(value) + "; " + hint + "allowed: " + listed(allowed);
}

Explanation explain_number(const json& value, const json& schema) {
  if (!value.is_number()) return std::nullopt;
  const auto limit = [&](const char* name) { return schema[name].get<double>(); };
  const auto shown = [&](const char* name) { return schema[name].dump(); };
  const double number = value.get<double>();
  const std::string start = "found " + value.dump() + "; must be ";
  if (schema.contains("minimum") && number < limit("minimum")) return start + "at least " + shown("minimum");
  if (schema.contains("maximum") && number > limit("maximum")) return start + "at most " + shown("maximum");
  if (schema.contains("exclusiveMinimum") && number <= limit("exclusiveMinimum")) {
    return start + "greater than " + shown("exclusiveMinimum");
  }
  if (schema.contains("exclusiveMaximum") && number >= limit("exclusiveMaximum")) {
    return start + "less than " + shown("exclusiveMaximum");
  }
  return std::nullopt;
}

Explanation explain_string(const json& value, const json& schema) {
  if (!value.is_string()) return std::nullopt;
  const auto text = value.get<std::string>();
  if (text.size() < schema.value("minLength", std::size_t{0})) return found(value) + "; must not be empty";
  if (schema.contains("maxLength") && text.size() > schema["maxLength"].get<std::size_t>()) {
    return found(value) + "; must have at most " + schema["maxLength"].dump() + " characters";
  }
  if (!schema.contains("pattern")) return std::nullopt;
  const auto pattern = schema["pattern"].get<std::string>();
  if (std::regex_search(text, std::regex(pattern))) return std::nullopt;
  return found(value) + "; " + schema.value("patternErrorMessage", "must match " + pattern);
}

Explanation explain_array(const json& value, const json& schema) {
  if (!value.is_array()) return std::nullopt;
  const auto count = [](const json& number) { return number.dump() + (number == 1 ? " item" : " items"); };
  if (schema.contains("minItems") && value.size() < schema["minItems"]) {
    return found(value) + "; must have at least " + count(schema["minItems"]);
  }
  if (schema.contains("maxItems") && value.size() > schema["maxItems"]) {
    return found(value) + "; must have at most " + count(schema["maxItems"]);
  }
  if (!schema.value("uniqueItems", false)) return std::nullopt;
  for (auto item = value.begin(); item != value.end(); ++item) {
    if (std::find(value.begin(), item, *item) != item) {
      return "found " + short_dump(*item) + " twice; items must be distinct";
    }
  }
  return std::nullopt;
}

/// Members that the schema does not know, or does not want together, or misses. These speak of a member that
/// may not be there, so they give the whole message with its place.
Explanation explain_members(const SchemaView& view, const json& value, const Schemas& schemas,
                            const json& schema, const std::string& pointer) {
  if (!value.is_object()) return std::nullopt;
  if (schema.value("additionalProperties", json()) == false) {
    const auto allowed = SchemaView::known_keys({&schema});
    for (const auto& [key, unused] : value.items()) {
      if (!view.child({&schema}, key, nullptr).empty()) continue;
      const bool is_branch = !pointer.empty() && schema.contains("title");
      const std::string where = is_branch ? "Allowed for " + schema["title"].dump() + ": " : "Allowed here: ";
      std::string list;
      for (const std::string& name : allowed) list += (list.empty() ? "" : ", ") + name;
      return child_pointer(pointer, key) + ": unknown key; " + did_you_mean(key, allowed) + where +
             (list.empty() ? "nothing" : list);
    }
  }
  for (const json& name : schema.value("required", json::array())) {
    const auto key = name.get<std::string>();
    if (value.contains(key)) continue;
    const std::string what = expected(view, view.child(schemas, key, nullptr));
    return pointer.empty() ? child_pointer(pointer, key) + ": missing; " + what
                           : pointer + ": " + name.dump() + " is missing; " + what;
  }
  if (const auto refused = schema.find("not"); refused != schema.end() && refused->contains("required")) {
    const auto names = strings((*refused)["required"]);
    const auto present = [&](const std::string& name) { return value.contains(name); };
    if (std::all_of(names.begin(), names.end(), present)) {
      return child_pointer(pointer, names.back()) + ": given together with " +
             quoted_list({names.begin(), names.end() - 1}) + "; only one of them is allowed";
    }
  }
  return std::nullopt;
}

/// anyOf and oneOf: the complaint of the first alternative, if none is content.
Explanation explain_alternatives(const SchemaView& view, const json& value, const Schemas& schemas,
                                 const json& schema, const std::string& pointer) {
  for (const char* name : {"anyOf", "oneOf"}) {
    Explanation first;
    bool content = false;
    for (const json& alternative : schema.value(name, json::array())) {
      Schemas around = view.applicable(alternative, &value);
      const std::size_t own = around.size();
      around.insert(around.end(), schemas.begin(), schemas.end());
      Explanation message;
      for (std::size_t i = 0; i < own && !message; ++i) {
        message = explain_members(view, value, around, *around[i], pointer);
      }
      content = content || !message;
      if (!first) first = message;
    }
    if (!content && first) return first;
  }
  return std::nullopt;
}

}  // namespace

Explanation explain_quantity(const json& value, const Schemas& schemas, const std::string& pointer) {
  const json* quantity = keyword(schemas, "quantity");
  if (quantity == nullptr || !value.is_string()) return std::nullopt;
  try {
    parse_quantity(quantity->get<std::string>(), value.get<std::string>(), pointer);
  } catch (const InputError& error) {
    return error.what();
  }
  return std::nullopt;
}

Explanation explain(const SchemaView& view, const json& value, const Schemas& schemas,
                    const std::string& pointer) {
  const auto at_place = [&](const std::string& text) { return place_name(pointer) + ": " + text; };
  for (const json* schema : schemas) {
    if (!has_type(*schema, value)) return at_place(found(value) + "; " + expected(view, schemas));
  }
  if (auto message = explain_quantity(value, schemas, pointer)) return message;
  for (const json* schema : schemas) {
    for (const auto& explain_kind : {explain_choice, explain_number, explain_string, explain_array}) {
      if (const auto message = explain_kind(value, *schema)) return at_place(*message);
    }
  }
  // Unknown keys first: a misspelt key is often the one that is missing.
  for (const json* schema : schemas) {
    if (auto message = explain_members(view, value, schemas, *schema, pointer)) return message;
  }
  for (const json* schema : schemas) {
    if (auto message = explain_alternatives(view, value, schemas, *schema, pointer)) return message;
  }
  return std::nullopt;
}

}  // namespace isthmus
