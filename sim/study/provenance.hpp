#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace isthmus {

/// This build: version, git revision, and the libraries it runs with.
nlohmann::ordered_json build_provenance();

/// "0.1.0 (1a2b3c4)"
std::string version_text();

}  // namespace isthmus
