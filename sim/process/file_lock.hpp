#pragma once

#include <filesystem>

namespace isthmus {

/// Whether a process holds a lock on this file. It is only asked, not locked. False where there is no such
/// file.
bool is_locked(const std::filesystem::path& file);

}  // namespace isthmus
