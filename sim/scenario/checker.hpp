#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>

#include "sim/scenario/schema_view.hpp"

namespace isthmus {

/// Checks documents against one JSON Schema (draft 7), of which it knows the keywords that scenarios use, and
/// a few of their own: `quantity` (a text with a unit, see parse_quantity()), `onlyWith`, and editors'
/// `errorMessage` and `patternErrorMessage`.
class Checker {
 public:
  using Schemas = SchemaView::Schemas;

  /// Throws a std::logic_error about a keyword that is not known: it would not be checked.
  explicit Checker(nlohmann::json schema);
  Checker(const Checker&) = delete;
  Checker& operator=(const Checker&) = delete;

  const SchemaView& view() const { return view_; }

  /// Throws an InputError about the first thing that is wrong: its JSON pointer, what was found, what is
  /// allowed. Remembers what was right: the points of a sweep have most in common.
  void check(const nlohmann::json& document) const;

  /// The document with its defaults. It need not be right.
  nlohmann::json with_defaults(nlohmann::json document) const;

  /// As check(), of what is at `place` by the schemas about it.
  void check(const nlohmann::json& value, const Schemas& schemas, const std::string& place) const;

  /// Without what is in it.
  void check_itself(const nlohmann::json& value, const Schemas& schemas, const std::string& place) const;

 private:
  void check_member(const std::string& key, const nlohmann::json& member, const Schemas& schemas,
                    const std::string& place) const;
  void check_members(const nlohmann::json& value, const Schemas& schemas, const std::string& place) const;
  void check_alternatives(const nlohmann::json& value, const Schemas& schemas,
                          const std::string& place) const;
  void check_companions(const nlohmann::json& value, const Schemas& schemas, const std::string& place) const;
  std::string expected(const Schemas& schemas) const;

  nlohmann::json schema_;
  SchemaView view_;
  using Member = std::pair<std::string, std::string>;  ///< of a document: key and value
  mutable std::set<Member> right_;
  mutable std::map<Member, nlohmann::json> with_defaults_;
};

}  // namespace isthmus
