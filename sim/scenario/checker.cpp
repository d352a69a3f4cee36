#include "sim/scenario/checker.hpp"

#include <algorithm>
#include <boost/algorithm/string/join.hpp>
#include <functional>
#include <iterator>
#include <optional>
#include <regex>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/format.hpp"
#include "models/error.hpp"
#include "sim/scenario/messages.hpp"
#include "sim/scenario/units.hpp"

namespace isthmus {
namespace {

using nlohmann::json;
using Schemas = SchemaView::Schemas;

constexpr std::string_view known_keywords[] = {
    // what is checked
    "$ref", "additionalProperties", "allOf", "anyOf", "const", "else", "enum", "exclusiveMaximum",
    "exclusiveMinimum", "if", "items", "maxItems", "maxLength", "maximum", "minItems", "minLength",
    "minProperties", "minimum", "not", "onlyWith", "pattern", "properties", "propertyNames", "quantity",
    "required", "then", "type", "uniqueItems",
    // what is said
    "$schema", "default", "definitions", "description", "enumDescriptions", "errorMessage", "examples",
    "patternErrorMessage", "timeOnly", "title"};

void require_known_keywords(const json& schema) {
  if (!schema.is_object()) return;
  for (const auto& [keyword, value] : schema.items()) {
    if (std::ranges::find(known_keywords, keyword) == std::end(known_keywords)) {
      throw std::logic_error("a schema has a keyword that is not known: " + keyword);
    }
    if (keyword == "properties" || keyword == "definitions" || keyword == "allOf" || keyword == "anyOf") {
      for (const json& part : value) require_known_keywords(part);
    } else if (keyword != "const" && keyword != "default" && keyword != "onlyWith") {
      require_known_keywords(value);
    }
  }
}

std::vector<std::string> strings(const json& array) {
  std::vector<std::string> result;
  for (const json& value : array)
    result.push_back(value.is_string() ? value.get<std::string>() : value.dump());
  return result;
}

std::string listed(const json& values, const std::string& separator = ", ") {
  std::vector<std::string> texts;
  for (const json& value : values) texts.push_back(value.dump());
  return boost::algorithm::join(texts, separator);
}

/// Compiled once: that takes a hundred times as long as matching.
bool matches(const std::string& text, const std::string& pattern) {
  thread_local std::map<std::string, std::regex> compiled;
  const auto regex = compiled.try_emplace(pattern, pattern).first;
  return std::regex_search(text, regex->second);
}

void check_pattern(const std::string& text, const json& schema, const std::string& place) {
  if (!schema.contains("pattern")) return;
  const auto pattern = schema["pattern"].get<std::string>();
  if (matches(text, pattern)) return;
  throw InputError(place, found(text) + "; " + schema.value("patternErrorMessage", "must match " + pattern));
}

void check_choice(const json& value, const json& schema, const std::string& place) {
  json allowed = schema.value("enum", json::array());
  if (schema.contains("const")) allowed.push_back(schema["const"]);
  if (allowed.empty() || std::ranges::find(allowed, value) != allowed.end()) return;
  const std::string hint = value.is_string() ? did_you_mean(value.get<std::string>(), strings(allowed)) : "";
  throw InputError(place, found(value) + "; " + hint + "allowed: " + listed(allowed));
}

void check_number(const json& value, const json& schema, const std::string& place) {
  if (!value.is_number()) return;
  const auto require = [&](const char* keyword, const char* words, const auto& holds) {
    const auto limit = schema.find(keyword);
    if (limit == schema.end() || holds(value.get<double>(), limit->get<double>())) return;
    throw InputError(place, "found " + value.dump() + "; must be " + words + limit->dump());
  };
  require("minimum", "at least ", std::greater_equal<>());
  require("maximum", "at most ", std::less_equal<>());
  require("exclusiveMinimum", "greater than ", std::greater<>());
  require("exclusiveMaximum", "less than ", std::less<>());
}

void check_string(const json& value, const json& schema, const std::string& place) {
  if (!value.is_string()) return;
  const auto text = value.get<std::string>();
  if (schema.contains("quantity")) parse_quantity(schema["quantity"].get<std::string>(), text, place);
  if (text.size() < schema.value("minLength", std::size_t{0})) {
    throw InputError(place, found(value) + "; must not be empty");
  }
  if (schema.contains("maxLength") && text.size() > schema["maxLength"]) {
    throw InputError(place,
                     found(value) + "; must have at most " + schema["maxLength"].dump() + " characters");
  }
  check_pattern(text, schema, place);
}

/// How many items or members there are, and whether items differ.
void check_size(const json& value, const json& schema, const std::string& place) {
  if (!value.is_structured()) return;
  const auto refuse = [&](const char* words, const json& limit) {
    const std::string text = words + counted(limit.get<std::size_t>(), value.is_array() ? "item" : "member");
    throw InputError(place, found(value) + "; " + schema.value("errorMessage", text));
  };
  const char* least = value.is_array() ? "minItems" : "minProperties";
  if (schema.contains(least) && value.size() < schema[least]) refuse("must have at least ", schema[least]);
  if (!value.is_array()) return;
  if (schema.contains("maxItems") && value.size() > schema["maxItems"]) {
    refuse("must have at most ", schema["maxItems"]);
  }
  if (!schema.value("uniqueItems", false)) return;
  for (auto item = value.begin(); item != value.end(); ++item) {
    if (std::find(value.begin(), item, *item) != item) {
      throw InputError(place, "found " + short_dump(*item) + " twice; items must be distinct");
    }
  }
}

/// What a misspelt key of an object may have been.
std::string hint_at_key(const json& value, const std::vector<std::string>& known) {
  std::string hint;
  if (!value.is_object()) return hint;
  for (const auto& [key, unused] : value.items()) {
    if (hint.empty()) hint = did_you_mean(key, known);
  }
  return hint;
}

/// Whether an alternative of `anyOf` is the one that was meant: of the same type, and with one of its keys.
bool is_meant(const Schemas& alternative, const json& value) {
  if (!std::ranges::all_of(alternative, [&](const json* schema) { return has_type(*schema, value); })) {
    return false;
  }
  const auto known = SchemaView::known_keys(alternative);
  return !value.is_object() || known.empty() ||
         std::ranges::any_of(known, [&](const std::string& key) { return value.contains(key); });
}

}  // namespace

Checker::Checker(json schema) : schema_(std::move(schema)), view_(schema_) {
  require_known_keywords(schema_);
}

void Checker::check(const json& document) const {
  const Schemas schemas = view_.at_root(&document);
  check_itself(document, schemas, "");
  for_each_child(document, [&](const std::string& key, const json& member) {
    const Member known(key, member.dump());
    if (right_.contains(known)) return;
    check_member(key, member, schemas, "");
    right_.insert(known);
  });
  check_companions(document, schemas, "");
}

json Checker::with_defaults(json document) const {
  const Schemas schemas = view_.at_root(&document);
  view_.fill_members(document, schemas);
  for_each_child(document, [&](const std::string& key, json& member) {
    const auto [known, is_new] = with_defaults_.try_emplace({key, member.dump()}, member);
    if (is_new) view_.fill_defaults(known->second, view_.child(schemas, key, &member));
    member = known->second;
  });
  return document;
}

void Checker::check(const json& value, const Schemas& schemas, const std::string& place) const {
  check_itself(value, schemas, place);
  for_each_child(
      value, [&](const std::string& key, const json& member) { check_member(key, member, schemas, place); });
  check_companions(value, schemas, place);
}

void Checker::check_member(const std::string& key, const json& member, const Schemas& schemas,
                           const std::string& place) const {
  const std::string member_place = child_pointer(place, key);
  if (const json* names = find_keyword(schemas, "propertyNames")) {
    for (const json* schema : view_.applicable(*names, nullptr)) check_pattern(key, *schema, member_place);
  }
  check(member, view_.child(schemas, key, &member), member_place);
}

void Checker::check_itself(const json& value, const Schemas& schemas, const std::string& pointer) const {
  const std::string place = place_name(pointer);
  for (const json* schema : schemas) {
    if (!has_type(*schema, value)) throw InputError(place, found(value) + "; " + expected(schemas));
  }
  for (const json* schema : schemas) {
    for (const auto& check_kind : {check_choice, check_number, check_string, check_size}) {
      check_kind(value, *schema, place);
    }
  }
  check_members(value, schemas, pointer);
  check_alternatives(value, schemas, pointer);
}

/// Members that the schemas do not know, or do not want together, or miss. Unknown ones first: a misspelt key
/// is often the one that is missing.
void Checker::check_members(const json& value, const Schemas& schemas, const std::string& place) const {
  if (!value.is_object()) return;
  for (const json* schema : schemas) {
    if (schema->value("additionalProperties", json()) != false) continue;
    const auto allowed = SchemaView::known_keys({schema});
    for (const auto& [key, unused] : value.items()) {
      if (std::ranges::find(allowed, key) != allowed.end()) continue;
      const bool is_branch = !place.empty() && schema->contains("title");
      throw InputError(child_pointer(place, key),
                       "unknown key; " + did_you_mean(key, allowed) + "allowed " +
                           (is_branch ? "for " + (*schema)["title"].dump() : "here") + ": " +
                           (allowed.empty() ? "nothing" : boost::algorithm::join(allowed, ", ")));
    }
  }
  for (const json* schema : schemas) {
    for (const json& name : schema->value("required", json::array())) {
      const auto key = name.get<std::string>();
      if (value.contains(key)) continue;
      const std::string what = "missing; " + expected(view_.child(schemas, key, nullptr));
      if (place.empty()) throw InputError(child_pointer(place, key), what);
      throw InputError(place, name.dump() + " is " + what);
    }
    if (!schema->contains("not")) continue;
    auto names = strings((*schema)["not"].at("required"));
    if (!std::ranges::all_of(names, [&](const std::string& name) { return value.contains(name); })) continue;
    const std::string last = names.back();
    names.pop_back();
    throw InputError(child_pointer(place, last),
                     "given together with " + quoted_list(names) + "; only one of them is allowed");
  }
}

void Checker::check_alternatives(const json& value, const Schemas& schemas, const std::string& place) const {
  const json* alternatives = find_keyword(schemas, "anyOf");
  if (alternatives == nullptr) return;
  std::optional<InputError> complaint;
  Schemas all;
  for (const json& alternative : *alternatives) {
    const Schemas one = view_.applicable(alternative, &value);
    all.insert(all.end(), one.begin(), one.end());
    try {
      return check(value, one, place);
    } catch (const InputError& error) {
      if (!complaint && is_meant(one, value)) complaint = error;
    }
  }
  if (complaint) throw *complaint;
  const std::string hint = hint_at_key(value, SchemaView::known_keys(all));
  throw InputError(place_name(place), found(value) + "; " + hint + expected(schemas));
}

/// Options given where they are of no use.
void Checker::check_companions(const json& value, const Schemas& schemas, const std::string& place) const {
  if (!value.is_object()) return;
  json completed;
  for (const auto& [key, member] : value.items()) {
    const Schemas of_member = view_.child(schemas, key, &member);
    if (find_keyword(of_member, "onlyWith") == nullptr) continue;
    if (completed.is_null()) view_.fill_members(completed = value, schemas);
    const auto missing = SchemaView::missing_companion(of_member, completed);
    if (!missing) continue;
    const auto& [companion, allowed] = *missing;
    const std::string name = json(companion).dump();
    throw InputError(
        child_pointer(place, key),
        "only " + name + ": " + listed(allowed, " or ") + " has it; found " +
            (completed.contains(companion) ? name + ": " + short_dump(completed[companion]) : "no " + name));
  }
}

/// `expected an array of integers, such as [512, 512]`.
std::string Checker::expected(const Schemas& schemas) const {
  if (const json* message = find_keyword(schemas, "errorMessage")) return message->get<std::string>();
  if (const json* values = find_keyword(schemas, "enum")) return "allowed: " + listed(*values);
  if (const json* value = find_keyword(schemas, "const")) return "allowed: " + value->dump();
  const json* type = find_keyword(schemas, "type");
  if (type == nullptr) return "expected another value";
  const auto phrase = [&](const std::string& name) -> std::string {
    if (name == "boolean") return "true or false";
    if (name != "array") return (name == "integer" || name == "object" ? "an " : "a ") + name;
    const json* items = find_keyword(view_.child(schemas, "0", nullptr), "type");
    return items != nullptr && items->is_string() && *items != "boolean"
               ? "an array of " + items->get<std::string>() + "s"
               : "an array";
  };
  std::string text;
  for (const std::string& name : strings(type->is_array() ? *type : json::array({*type}))) {
    text += (text.empty() ? "expected " : " or ") + phrase(name);
  }
  if (find_keyword(schemas, "quantity") != nullptr) text += " with its unit";
  for (const char* discriminator : {"kind", "set"}) {
    const json* names = find_keyword(view_.child(schemas, discriminator, nullptr), "enum");
    if (names != nullptr) text += " with \"" + std::string(discriminator) + "\" one of " + listed(*names);
  }
  if (const json* examples = find_keyword(schemas, "examples"); examples != nullptr && !examples->empty()) {
    text += ", such as " + (*examples)[0].dump();
  }
  return text;
}

}  // namespace isthmus
