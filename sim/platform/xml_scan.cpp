#include "sim/platform/xml_scan.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <utility>

namespace isthmus {
namespace {

/// What a parser passes over, wherever it stands between tags, with whatever inside.
struct Skipped {
  std::string_view open, close;
};
constexpr std::array<Skipped, 3> skipped{{{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}}};

/// The last character of the comment, CDATA or instruction that begins at `at`; `at` itself if none does.
std::size_t end_of_skipped(const std::string& text, std::size_t at) {
  for (const auto& [open, close] : skipped) {
    if (text.compare(at, open.size(), open) != 0) continue;
    const auto found = text.find(close, at + open.size());
    return found == std::string::npos ? text.size() - 1 : found + close.size() - 1;
  }
  return at;
}

bool name_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == ':';
}

/// Reads the attributes of one tag; on faults it stops, SimGrid will speak of them.
std::map<std::string, std::string> read_attributes(const std::string& tag) {
  std::map<std::string, std::string> attributes;
  std::size_t at = 0;
  while (at < tag.size()) {
    while (at < tag.size() && !name_character(tag[at])) ++at;
    const std::size_t begin = at;
    while (at < tag.size() && name_character(tag[at])) ++at;
    const std::string name = tag.substr(begin, at - begin);
    const auto quote = tag.find_first_of("\"'", at);
    if (quote == std::string::npos) break;
    const auto close = tag.find(tag[quote], quote + 1);
    if (close == std::string::npos) break;
    attributes[name] = tag.substr(quote + 1, close - quote - 1);
    at = close + 1;
  }
  return attributes;
}

}  // namespace

const std::string& XmlElement::operator[](const std::string& attribute) const {
  static const std::string none;
  const auto found = attributes.find(attribute);
  return found == attributes.end() ? none : found->second;
}

std::vector<XmlElement> scan_xml(const std::string& text) {
  std::vector<XmlElement> elements;
  std::vector<int> open;
  int line = 1;
  std::size_t counted = 0;
  for (auto at = text.find('<'); at != std::string::npos; at = text.find('<', at + 1)) {
    line += static_cast<int>(
        std::count(text.begin() + static_cast<long>(counted), text.begin() + static_cast<long>(at), '\n'));
    counted = at;
    if (const std::size_t last = end_of_skipped(text, at); last != at) {
      at = last;
      continue;
    }
    // The tag ends at a '>' outside quotes.
    char quote = 0;
    std::size_t end = at + 1;
    for (; end < text.size(); ++end) {
      if (quote != 0) {
        if (text[end] == quote) quote = 0;
      } else if (text[end] == '"' || text[end] == '\'') {
        quote = text[end];
      } else if (text[end] == '>') {
        break;
      }
    }
    if (end >= text.size()) break;
    if (text[at + 1] == '/') {
      if (!open.empty()) open.pop_back();
    } else if (name_character(text[at + 1])) {
      std::size_t name_end = at + 1;
      while (name_character(text[name_end])) ++name_end;
      XmlElement element{text.substr(at + 1, name_end - at - 1), line, open.empty() ? -1 : open.back(), {}};
      element.attributes = read_attributes(text.substr(name_end, end - name_end));
      elements.push_back(std::move(element));
      if (text[end - 1] != '/') open.push_back(static_cast<int>(elements.size()) - 1);
    }
    at = end;
  }
  return elements;
}

}  // namespace isthmus
