#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace isthmus {

/// This build: version, git revision, and the libraries it runs with.
nlohmann::ordered_json build_provenance();

/// A hash of the sources that numbers depend on: builds with the same one, on the same instruction set, train
/// alike.
std::string numerics_version();

/// "0.1.0 (1a2b3c4)"
std::string version_text();

/// The tree it was built from, which may be gone.
std::filesystem::path source_folder();

}  // namespace isthmus
