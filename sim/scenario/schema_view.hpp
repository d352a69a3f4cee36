#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace isthmus {

/// Walks a JSON Schema beside a document: which parts of the schema speak about a place. It knows the
/// keywords that scenario_schema() uses: $ref into the same document, allOf, anyOf, oneOf, if-then-else on
/// constants.
class SchemaView {
 public:
  using Schemas = std::vector<const nlohmann::json*>;

  /// The schema must outlive the view.
  explicit SchemaView(const nlohmann::json& root) : root_(root) {}

  /// All schemas that speak about the whole document. With `value` null, every branch of every choice counts.
  Schemas at_root(const nlohmann::json* value) const;

  /// All schemas of `#/definitions/<name>`.
  Schemas definition(const std::string& name) const;

  /// All schemas that speak about member or item `key` of what `schemas` speak about.
  Schemas child(const Schemas& schemas, const std::string& key, const nlohmann::json* value) const;

  /// `schema` itself and what it refers to and includes. Alternatives of anyOf and oneOf count if they fit in
  /// type.
  Schemas applicable(const nlohmann::json& schema, const nlohmann::json* value) const;

  /// The names of all members that `schemas` know.
  static std::vector<std::string> known_keys(const Schemas& schemas);

  /// Fills in what `value` leaves out and the schemas have a `default` for, at all depths. What is `onlyWith`
  /// other members is left out where those are not so.
  void fill_defaults(nlohmann::json& value) const;

  /// The member that the keyword `onlyWith` of `schemas` misses in an object, and what it may be there; null:
  /// none. `{"onlyWith": {"split": ["by_label"]}}` says that an option is of use only with that split.
  static std::optional<std::pair<std::string, nlohmann::json>> missing_companion(
      const Schemas& schemas, const nlohmann::json& object);

 private:
  void collect(const nlohmann::json& schema, const nlohmann::json* value, Schemas& result) const;
  void fill_defaults(nlohmann::json& value, const Schemas& schemas) const;
  bool fill_members(nlohmann::json& value, const Schemas& schemas) const;

  const nlohmann::json& root_;
};

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
