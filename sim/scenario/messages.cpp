#include "sim/scenario/messages.hpp"

#include <algorithm>
#include <boost/algorithm/string/join.hpp>
#include <cstddef>
#include <cstdio>

#include "analysis/text.hpp"

namespace isthmus {
namespace {

using nlohmann::json;

std::string type_phrase(const json& value) {
  switch (value.type()) {
    case json::value_t::object:
      return "an object";
    case json::value_t::array:
      return "an array";
    case json::value_t::boolean:
      return "a truth value";
    default:
      return "a number";
  }
}

std::string cut(const std::string& text, std::size_t longest) {
  if (text.size() <= longest) return text;
  std::size_t end = longest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;  // keep UTF-8 whole
  return text.substr(0, end) + "...";
}

bool is_utf8(std::string_view text) {
  try {
    return !json(text).dump().empty();
  } catch (const json::exception&) {
    return false;
  }
}

}  // namespace

std::string short_dump(const json& value) {
  constexpr std::size_t longest = 60;
  return cut(value.dump(-1, ' ', false, json::error_handler_t::replace), longest);
}

std::string printable(std::string_view text, std::size_t longest, std::string_view kept) {
  const bool utf8 = is_utf8(text);
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte >= 0x80 ? utf8 : byte >= 0x20 && byte != 0x7F;
    char escaped[5];
    std::snprintf(escaped, sizeof escaped, "\\x%02x", byte);
    result += plain || kept.find(c) != std::string_view::npos ? std::string(1, c) : escaped;
  }
  return cut(result, longest);
}

std::string found(const json& value) {
  std::string text = "found " + short_dump(value);
  if (!value.is_null() && !value.is_string()) text += " (" + type_phrase(value) + ")";
  return text;
}

std::string quoted_list(const std::vector<std::string>& names) {
  return names.empty() ? "" : '"' + boost::algorithm::join(names, "\", \"") + '"';
}

std::optional<std::string> nearest(std::string_view name, const std::vector<std::string>& candidates) {
  constexpr std::size_t longest_name = 64;  // longer ones are no typing errors, and the distance is quadratic
  if (name.size() > longest_name) return std::nullopt;
  std::optional<std::string> best;
  std::size_t best_distance = 0;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(name, candidate);
    const std::size_t near = std::max<std::size_t>(1, std::max(name.size(), candidate.size()) / 3);
    if (distance > near || (best && distance >= best_distance)) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates) {
  const auto candidate = nearest(name, candidates);
  return candidate ? "did you mean \"" + *candidate + "\"? " : "";
}

std::string child_pointer(const std::string& pointer, std::string_view key) {
  return pointer + (json::json_pointer() / std::string(key)).to_string();
}

std::optional<std::vector<std::string>> pointer_tokens(std::string_view pointer) {
  try {
    std::vector<std::string> tokens;
    for (json::json_pointer rest{std::string(pointer)}; !rest.empty(); rest.pop_back())
      tokens.insert(tokens.begin(), rest.back());
    return tokens;
  } catch (const json::parse_error&) {
    return std::nullopt;
  }
}

std::string place_name(const std::string& pointer) { return pointer.empty() ? "the scenario" : pointer; }

}  // namespace isthmus
