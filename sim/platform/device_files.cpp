#include "sim/platform/device_files.hpp"

#include <fstream>
#include <iterator>
#include <system_error>
#include <vector>

#include "models/error.hpp"
#include "sim/scenario/checker.hpp"
#include "sim/scenario/messages.hpp"
#include "sim/scenario/read.hpp"
#include "sim/study/provenance.hpp"

namespace isthmus {

namespace fs = std::filesystem;

namespace {

const Checker& device_checker() {
  static const Checker checker(nlohmann::json::parse(device_schema_text()));
  return checker;
}

std::string text_of(const fs::path& file) {
  std::error_code ignored;
  if (fs::is_directory(file, ignored))
    throw InputError(file.string(), "is a directory; expected a device file");
  std::ifstream stream(file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (!stream.is_open() || stream.bad()) throw InputError(file.string(), "cannot be read");
  return text;
}

}  // namespace

std::map<std::string, fs::path> shipped_devices() {
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  std::map<std::string, fs::path> found;
  for (const fs::path& folder :
       {program / "../share/isthmus/platforms/devices", source_folder() / "platforms/devices"}) {
    for (const auto& entry : fs::directory_iterator(folder, ignored)) {
      const fs::path name = entry.path().filename();
      if (name.extension() == ".json" && name != "device.schema.json")
        found.emplace(name.stem(), fs::weakly_canonical(entry.path()));
    }
  }
  return found;
}

DeviceFile parse_device(std::string_view text, const std::string& name) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
    throw InputError(name + ":1:1", "the file is empty; expected a JSON object, the device");
  DeviceFile device;
  try {
    device.document = parse_scenario(text, name);
    device_checker().check(device.document);
  } catch (const InputError& error) {
    if (error.place().starts_with(name)) throw;
    throw InputError(name + ": " + error.place(), error.text());
  }
  device.file = name;
  device.profile = parse_device_profile(fs::path(name).stem(), device.document);
  return device;
}

DeviceFile find_device(const std::string& name_or_file, const std::string& place) {
  const auto shipped = shipped_devices();
  if (const auto named = shipped.find(name_or_file); named != shipped.end())
    return parse_device(text_of(named->second), named->second.string());
  std::error_code ignored;
  if (fs::exists(name_or_file, ignored)) return parse_device(text_of(name_or_file), name_or_file);
  std::vector<std::string> names;
  std::string list;
  for (const auto& [name, file] : shipped) {
    names.push_back(name);
    list += (list.empty() ? "" : ", ") + name;
  }
  const std::string text = "no such device; " + did_you_mean(fs::path(name_or_file).stem().string(), names) +
                           "expected a device file, or the name of one that comes with isthmus: " + list;
  throw InputError(place.empty() ? name_or_file : place,
                   place.empty() ? text : found(name_or_file) + "; " + text);
}

}  // namespace isthmus
