#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "models/kind.hpp"

namespace isthmus {

/// The JSON Schema (draft 7) of scenarios: base_schema.json, and for each Kind of `protocol`, `model` (told
/// apart by `kind`), `data` (by `set`) and training's `optimizer` (by `kind`) a branch with exactly its options. Editors complete by it, Isthmus
/// checks by it.
///
/// Options of a Kind may refer to `#/definitions/bandwidth`, `latency`, `bytes`, `bytes_or_zero` and `speed`.
/// An option that is of use only where others have certain values says so with the keyword `onlyWith`:
/// `{"onlyWith": {"aggregate": ["ring_chunked"]}}`; its default holds only there, and given elsewhere it is
/// an error. An integer option without a `maximum` gets 2147483647, so that it can be read as an int.
nlohmann::json scenario_schema(const std::vector<Kind>& protocols, const std::vector<Kind>& models,
                               const std::vector<Kind>& data_sets, const std::vector<Kind>& optimizers);

/// The schema of an object whose member `discriminator` says which of `kinds` it is; `common_options` has each.
/// For an option of a Kind that is itself a choice.
nlohmann::json choice_schema(const std::string& discriminator, const std::vector<Kind>& kinds,
                             const nlohmann::json& common_options, const std::string& description);

/// The text of a schema as a file: stable, indented, with a newline at its end.
std::string schema_text(const nlohmann::json& schema);

/// base_schema.json, embedded when Isthmus is built.
std::string_view base_schema_text();

}  // namespace isthmus
