#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace isthmus {

/// 32 hexadecimal digits that stand for these bytes (from SHA-1).
std::string content_hash(std::string_view bytes);

/// A file's contents. Throws std::runtime_error.
std::string read_bytes(const std::filesystem::path& file);

}  // namespace isthmus
