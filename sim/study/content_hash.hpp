#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace isthmus {

/// 32 hexadecimal digits that stand for these bytes (XXH3, 128 bits).
std::string content_hash(std::string_view bytes);

/// The same for what is in a file now; none if it cannot be read.
std::optional<std::string> hash_of_file(const std::filesystem::path& file);

/// The same; read once in a process. Throws std::runtime_error.
std::string file_hash(const std::filesystem::path& file);

}  // namespace isthmus
