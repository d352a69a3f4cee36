#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "models/device/device_profile.hpp"
#include "sim/study/shipped.hpp"

namespace isthmus {

/// A device as its file has it: the profile, and the document with the sources of its figures.
struct DeviceFile {
  std::filesystem::path file;
  nlohmann::ordered_json document;
  DeviceProfile profile;
};

/// The devices that come with the program, installed beside it or in the tree it was built from, by name.
const ShippedFiles& shipped_devices();

/// A file's path from that folder; a device's name as it is.
std::string resolve_device(const std::string& name_or_file, const std::filesystem::path& folder);

/// A file, or a device that comes with the program by its name: a name without an extension or folder, such
/// as "v100-sxm2". An InputError begins with `place`, if given, and says what is known; what is wrong in a
/// file is at `FILE: POINTER`.
DeviceFile find_device(const std::string& name_or_file, const std::string& place = {});

/// The same from text; `name` stands for the file in messages.
DeviceFile parse_device(std::string_view text, const std::string& name);

/// device.schema.json, embedded when Isthmus is built.
std::string_view device_schema_text();

}  // namespace isthmus
