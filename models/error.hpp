#pragma once

#include <stdexcept>
#include <string>

namespace isthmus {

/// Something the user gave is wrong. The text names the place (JSON pointer, file:line), what was found and
/// what is allowed. Commands print it as their one message and end with exit code 2.
class InputError : public std::runtime_error {
 public:
  InputError(const std::string& place, const std::string& what) : std::runtime_error(place + ": " + what) {}
  explicit InputError(const std::string& message) : std::runtime_error(message) {}
};

/// Files cannot be written: the disk is full, there is no permission ... The text says which and why.
class StorageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace isthmus
