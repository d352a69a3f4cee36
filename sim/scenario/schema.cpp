#include "sim/scenario/schema.hpp"

#include <cstdint>
#include <limits>

namespace isthmus {
namespace {

using nlohmann::json;

/// Gives every integer in a schema a maximum, or a large one would wrap when it is read as an int.
void bound_integers(json& schema) {
  if (schema.is_object()) {
    const auto type = schema.find("type");
    if (type != schema.end() && *type == "integer" && !schema.contains("maximum") &&
        !schema.contains("exclusiveMaximum")) {
      schema["maximum"] = std::numeric_limits<std::int32_t>::max();
    }
  }
  if (schema.is_structured()) {
    for (json& part : schema) bound_integers(part);
  }
}

}  // namespace

// If-then rather than oneOf: a checker then complains about the one branch that was meant, and not about all
// others too.
json choice_schema(const std::string& discriminator, const std::vector<Kind>& kinds,
                   const json& common_options, const std::string& description) {
  json names = json::array();
  json summaries = json::array();
  json branches = json::array();
  for (const Kind& kind : kinds) {
    names.push_back(kind.name);
    summaries.push_back(kind.summary);

    json options = common_options;
    options.update(kind.options);
    bound_integers(options);
    options[discriminator] = {{"const", kind.name}, {"description", kind.summary}};
    json branch = {{"title", kind.name},
                   {"description", kind.summary},
                   {"properties", options},
                   {"additionalProperties", false}};
    if (!kind.required.empty()) branch["required"] = kind.required;
    const json condition = {{"properties", {{discriminator, {{"const", kind.name}}}}},
                            {"required", json::array({discriminator})}};
    branches.push_back({{"if", condition}, {"then", branch}});
  }
  json schema = {{"description", description},
                 {"type", "object"},
                 {"required", json::array({discriminator})},
                 {"properties", {{discriminator, {{"enum", names}, {"enumDescriptions", summaries}}}}}};
  if (!branches.empty()) schema["allOf"] = branches;
  return schema;
}

json scenario_schema(const std::vector<Kind>& protocols, const std::vector<Kind>& models,
                     const std::vector<Kind>& data_sets, const std::vector<Kind>& optimizers) {
  json schema = json::parse(base_schema_text());
  json& properties = schema["properties"];
  const auto assemble = [](json& field, const char* discriminator, const std::vector<Kind>& kinds,
                           const json& common_options) {
    field = choice_schema(discriminator, kinds, common_options, field["description"]);
  };
  // The common options of data sets stand in the base only to be copied into each branch.
  const json data_options = schema["definitions"]["data_options"]["properties"];
  schema["definitions"].erase("data_options");
  assemble(properties["protocol"], "kind", protocols, json::object());
  assemble(properties["model"], "kind", models, json::object());
  assemble(properties["data"], "set", data_sets, data_options);
  assemble(properties["training"]["properties"]["optimizer"], "kind", optimizers, json::object());
  return schema;
}

std::string schema_text(const json& schema) { return schema.dump(2) + '\n'; }

}  // namespace isthmus
