#include "sim/platform/device_files.hpp"

#include <fstream>
#include <iterator>
#include <system_error>

#include "models/error.hpp"
#include "sim/scenario/checker.hpp"
#include "sim/scenario/messages.hpp"
#include "sim/scenario/read.hpp"

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

const ShippedFiles& shipped_devices() {
  static const ShippedFiles shipped = shipped_files("platforms/devices");
  return shipped;
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

std::string resolve_device(const std::string& name_or_file, const fs::path& folder) {
  const bool is_file = name_or_file.find_first_of("./") != std::string::npos;
  return is_file ? (folder / name_or_file).lexically_normal().string() : name_or_file;
}

DeviceFile find_device(const std::string& name_or_file, const std::string& place) {
  const ShippedFiles& shipped = shipped_devices();
  if (const auto named = shipped.find(name_or_file); named != shipped.end()) {
    // Each point of a sweep asks.
    static std::map<std::string, DeviceFile> read;
    const auto known = read.find(name_or_file);
    if (known != read.end()) return known->second;
    return read[name_or_file] = parse_device(text_of(named->second), named->second.string());
  }
  std::error_code ignored;
  if (fs::exists(name_or_file, ignored)) return parse_device(text_of(name_or_file), name_or_file);
  const std::string text = "no such device; " + expected_one_of(shipped, name_or_file, "a device file");
  throw InputError(place.empty() ? name_or_file : place,
                   place.empty() ? text : found(name_or_file) + "; " + text);
}

}  // namespace isthmus
