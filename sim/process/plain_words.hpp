#pragma once

#include <exception>
#include <string>

namespace isthmus {

/// What an exception says, for a user to read: what a library throws ("std::bad_alloc", "stoi",
/// "[json.exception.type_error.302] ...") becomes a sentence.
std::string plain_words(const std::exception& error);

}  // namespace isthmus
