#include "sim/process/plain_words.hpp"

#include <filesystem>
#include <new>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <typeinfo>

namespace isthmus {

std::string plain_words(const std::exception& error) {
  const auto is = [&]<typename Kind>(const Kind*) { return dynamic_cast<const Kind*>(&error) != nullptr; };
  // A length that no container can have was computed from sizes that no memory can hold.
  if (is(static_cast<std::bad_alloc*>(nullptr)) || is(static_cast<std::length_error*>(nullptr))) {
    return "the memory of this machine does not suffice for it";
  }
  if (const auto* failure = dynamic_cast<const std::filesystem::filesystem_error*>(&error)) {
    return failure->path1().string() + ": " + failure->code().message();
  }
  if (is(static_cast<nlohmann::json::exception*>(nullptr))) {
    return "JSON that was read is not what it has to be: a member is missing or of another type";
  }
  // Never meant for users: somebody's index, argument or cast.
  if (is(static_cast<std::logic_error*>(nullptr)) || is(static_cast<std::bad_cast*>(nullptr))) {
    return "a value is not what the program takes for granted; please report this with the files and the "
           "command";
  }
  return error.what();
}

}  // namespace isthmus
