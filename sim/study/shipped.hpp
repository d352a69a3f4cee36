#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace isthmus {

using ShippedFiles = std::map<std::string, std::filesystem::path>;

/// The JSON files, but schemas, of a folder that comes with the program, installed beside it or in the tree
/// it was built from, by name.
ShippedFiles shipped_files(const std::string& folder);

/// Of a name or file that there is not: "did you mean ...; expected a scenario, or the name of one that comes
/// with isthmus: ...".
std::string expected_one_of(const ShippedFiles& shipped, const std::string& given, const std::string& what);

}  // namespace isthmus
