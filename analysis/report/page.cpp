#include "analysis/report/page.hpp"

#include <regex>
#include <stdexcept>

namespace isthmus::analysis {

std::string fill_template(const std::string& text, const std::map<std::string, std::string>& values) {
  std::string filled;
  std::size_t position = 0;
  while (true) {
    const std::size_t begin = text.find("{{", position);
    const std::size_t end = begin == std::string::npos ? begin : text.find("}}", begin);
    if (end == std::string::npos) return filled + text.substr(position);
    const auto value = values.find(text.substr(begin + 2, end - begin - 2));
    if (value == values.end()) {
      throw std::logic_error("the report's template asks for " + text.substr(begin, end + 2 - begin));
    }
    filled += text.substr(position, begin - position) + value->second;
    position = end + 2;
  }
}

std::string escape_html(const std::string& text) {
  std::string escaped;
  for (const char character : text) {
    switch (character) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += character;
    }
  }
  return escaped;
}

std::string escape_prose(const std::string& text) {
  static const std::regex before_unit("([0-9]) (?=(%|[kMGTPmun]?s|[kMGTP]?bps|[kMGTP]i?B|B)\\b|%)");
  return std::regex_replace(escape_html(text), before_unit, "$1&nbsp;");
}

std::string escape_for_script(const std::string& json) {
  std::string escaped;
  escaped.reserve(json.size());
  // In JSON, "<" occurs in strings only, where it can be written by its number.
  for (const char character : json) {
    if (character == '<') {
      escaped += "\\u003c";
    } else {
      escaped += character;
    }
  }
  return escaped;
}

}  // namespace isthmus::analysis
