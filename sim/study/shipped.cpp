#include "sim/study/shipped.hpp"

#include <system_error>
#include <vector>

#include "sim/scenario/messages.hpp"
#include "sim/study/provenance.hpp"

namespace isthmus {

namespace fs = std::filesystem;

ShippedFiles shipped_files(const std::string& folder) {
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  ShippedFiles found;
  for (const fs::path& place : {program / "../share/isthmus" / folder, source_folder() / folder}) {
    for (const auto& entry : fs::directory_iterator(place, ignored)) {
      const fs::path name = entry.path().filename();
      if (name.extension() == ".json" && name.stem().extension() != ".schema")
        found.emplace(name.stem(), fs::weakly_canonical(entry.path()));
    }
  }
  return found;
}

std::string expected_one_of(const ShippedFiles& shipped, const std::string& given, const std::string& what) {
  std::vector<std::string> names;
  std::string list;
  for (const auto& [name, file] : shipped) {
    names.push_back(name);
    list += (list.empty() ? "" : ", ") + name;
  }
  return did_you_mean(fs::path(given).stem().string(), names) + "expected " + what +
         ", or the name of one that comes with isthmus: " + list;
}

}  // namespace isthmus
