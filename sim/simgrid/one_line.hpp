#pragma once

#include <sstream>
#include <string>

namespace isthmus {

/// A message of SimGrid's as one line of reasonable length, without its list of all settings.
inline std::string one_line(const std::string& message) {
  std::istringstream words(message.substr(0, message.find("\nExisting config keys")));
  std::string text;
  for (std::string word; words >> word;) text += (text.empty() ? "" : " ") + word;
  constexpr std::size_t longest = 400;
  return text.size() <= longest ? text : text.substr(0, longest) + "...";
}

}  // namespace isthmus
