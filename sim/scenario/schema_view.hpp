#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace isthmus {

/// Walks a JSON Schema beside a document: which parts of the schema speak about a place.
class SchemaView {
 public:
  using Schemas = std::vector<const nlohmann::json*>;

  /// The schema must outlive the view.
  explicit SchemaView(const nlohmann::json& root) : root_(root) {}

  /// All schemas that speak about the whole document. With `value` null, every branch of every choice counts.
  Schemas at_root(const nlohmann::json* value) const { return applicable(root_, value); }

  /// The same for `#/definitions/<name>`.
  Schemas definition(const std::string& name, const nlohmann::json* value) const;

  /// All schemas that speak about member or item `key` of what `schemas` speak about.
  Schemas child(const Schemas& schemas, const std::string& key, const nlohmann::json* value) const;

  /// `schema` itself and what it refers to and includes; with a value not the alternatives of its `anyOf`.
  Schemas applicable(const nlohmann::json& schema, const nlohmann::json* value) const;

  /// The names of all members that `schemas` know.
  static std::vector<std::string> known_keys(const Schemas& schemas);

  /// Fills in what `value` leaves out and `schemas`, those about its place, have a `default` for. What is
  /// `onlyWith` other members is left out where those are not so.
  void fill_members(nlohmann::json& value, const Schemas& schemas) const;

  /// The same at all depths.
  void fill_defaults(nlohmann::json& value, const Schemas& schemas) const;
  void fill_defaults(nlohmann::json& document) const { fill_defaults(document, at_root(&document)); }

  /// What the keyword `onlyWith` of the schemas about a member of `object` misses in it: another member, and
  /// what that may be. `{"onlyWith": {"split": ["by_label"]}}` says that an option is of use only with that
  /// split.
  static std::optional<std::pair<std::string, nlohmann::json>> missing_companion(
      const Schemas& schemas, const nlohmann::json& object);

 private:
  void collect(const nlohmann::json& schema, const nlohmann::json* value, Schemas& result) const;

  const nlohmann::json& root_;
};

/// What the first of `schemas` that has the keyword says; null: none has it.
const nlohmann::json* find_keyword(const SchemaView::Schemas& schemas, const char* keyword);

/// Whether `value` is of the `type` that `schema` asks for, if any.
bool has_type(const nlohmann::json& schema, const nlohmann::json& value);

/// Visits each member of an object or item of an array with its key and its place.
template <typename Json, typename Function>
void for_each_child(Json& value, const Function& function) {
  if (value.is_object()) {
    for (auto& [key, member] : value.items()) function(key, member);
  } else if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) function(std::to_string(i), value[i]);
  }
}

}  // namespace isthmus
