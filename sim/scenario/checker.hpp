#pragma once

#include <memory>
#include <nlohmann/json.hpp>

namespace isthmus {

/// Checks documents against one JSON Schema. valijson finds what is wrong; the message is worked out from the
/// schema at that place.
class Checker {
 public:
  explicit Checker(nlohmann::json schema);
  Checker(const Checker&) = delete;
  Checker& operator=(const Checker&) = delete;
  ~Checker();

  /// Throws an InputError about the deepest violation: its JSON pointer, what was found, what is allowed.
  /// Also about options given where the keyword `onlyWith` says that they are of no use.
  void check(const nlohmann::json& document) const;

  /// The schema that documents are checked against.
  const nlohmann::json& schema() const { return schema_; }

 private:
  struct Compiled;  // keeps valijson's headers out of this one
  nlohmann::json schema_;
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace isthmus
