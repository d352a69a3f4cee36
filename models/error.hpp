#pragma once

#include <stdexcept>
#include <string>

namespace isthmus {

/// Something the user gave is wrong, at a place (JSON pointer, file:line; empty: the text names it): what was
/// found and what is allowed. Commands print `place: text` as their one message and end with exit code 2.
class InputError : public std::runtime_error {
 public:
  InputError(const std::string& place, const std::string& text)
      : std::runtime_error(place.empty() ? text : place + ": " + text), place_(place), text_(text) {}
  explicit InputError(const std::string& text) : InputError("", text) {}

  const std::string& place() const { return place_; }
  const std::string& text() const { return text_; }

 private:
  std::string place_, text_;
};

/// Files cannot be written: the disk is full, there is no permission ... The text says which and why.
class StorageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace isthmus
