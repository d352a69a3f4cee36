#include "sim/scenario/checker.hpp"

#include <string>
#include <utility>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>
#include <vector>

#include "models/error.hpp"
#include "sim/scenario/explain.hpp"
#include "sim/scenario/messages.hpp"
#include "sim/scenario/schema_view.hpp"

namespace isthmus {
namespace {

using nlohmann::json;
using valijson::adapters::NlohmannJsonAdapter;

/// The error about the innermost place: errors farther out only say that something in them is wrong.
valijson::ValidationResults::Error deepest(const valijson::ValidationResults& results) {
  valijson::ValidationResults::Error best;
  for (const auto& error : results) {
    if (error.context.size() > best.context.size()) best = error;
  }
  return best;
}

/// What to say about the place that valijson names as `<root>`, `[training]`, `[batch]`.
std::string explain_error(const valijson::ValidationResults::Error& error, const json& document,
                          const SchemaView& view) {
  std::string pointer;
  const json* value = &document;
  SchemaView::Schemas schemas = view.at_root(value);
  for (std::size_t i = 1; i < error.context.size(); ++i) {
    const std::string key = error.context[i].substr(1, error.context[i].size() - 2);
    pointer = child_pointer(pointer, key);
    value = value->is_array() ? &value->at(std::stoul(key)) : &value->at(key);
    schemas = view.child(schemas, key, value);
  }
  const auto message = explain(view, *value, schemas, pointer);
  return message ? *message : place_name(pointer) + ": " + found(*value) + "; " + error.description;
}

/// Patterns cannot say all that makes a quantity valid (a number out of range, for one); its parser does.
void check_quantities(const json& value, const SchemaView& view, const SchemaView::Schemas& schemas,
                      const std::string& pointer) {
  if (const auto problem = explain_quantity(value, schemas, pointer)) throw InputError(*problem);
  for_each_child(value, [&](const std::string& key, const json& member) {
    check_quantities(member, view, view.child(schemas, key, &member), child_pointer(pointer, key));
  });
}

/// Options given where they are of no use. `completed`: the same with its defaults.
void check_companions(const json& value, const json& completed, const SchemaView& view,
                      const SchemaView::Schemas& schemas, const std::string& pointer) {
  for_each_child(value, [&](const std::string& key, const json& member) {
    const auto of_member = view.child(schemas, key, &member);
    const json& whole = completed.is_array() ? completed.at(std::stoul(key)) : completed.at(key);
    if (const auto missing = SchemaView::missing_companion(of_member, completed)) {
      const auto& [companion, allowed] = *missing;
      std::string choices;
      for (const json& choice : allowed) choices += (choices.empty() ? "" : " or ") + choice.dump();
      throw InputError(child_pointer(pointer, key),
                       "only " + json(companion).dump() + ": " + choices + " has it; found " +
                           (completed.contains(companion)
                                ? json(companion).dump() + ": " + short_dump(completed.at(companion))
                                : "no " + json(companion).dump()));
    }
    check_companions(member, whole, view, of_member, child_pointer(pointer, key));
  });
}

}  // namespace

struct Checker::Compiled {
  valijson::Schema schema;
  valijson::Validator validator;  // keeps the regular expressions that it has compiled
};

Checker::Checker(json schema) : schema_(std::move(schema)), compiled_(std::make_unique<Compiled>()) {
  valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
  parser.populateSchema(NlohmannJsonAdapter(schema_), compiled_->schema);
}

Checker::~Checker() = default;

void Checker::check(const json& document) const {
  const SchemaView view(schema_);
  valijson::ValidationResults results;
  if (!compiled_->validator.validate(compiled_->schema, NlohmannJsonAdapter(document), &results)) {
    throw InputError(explain_error(deepest(results), document, view));
  }
  check_quantities(document, view, view.at_root(&document), "");
  json completed = document;
  view.fill_defaults(completed);
  check_companions(document, completed, view, view.at_root(&document), "");
}

}  // namespace isthmus
