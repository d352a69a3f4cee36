#include "sim/scenario/messages.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdio>

namespace isthmus {
namespace {

using nlohmann::json;

/// Damerau-Levenshtein distance in its "optimal string alignment" form.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> distance(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        distance[i][j] = i + j;
        continue;
      }
      const std::size_t replaced = distance[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      distance[i][j] = std::min({distance[i - 1][j] + 1, distance[i][j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        distance[i][j] = std::min(distance[i][j], distance[i - 2][j - 2] + 1);
      }
    }
  }
  return distance[a.size()][b.size()];
}

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
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "\"" : ", \"") + name + '"';
  return text;
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
  if (!candidate) return {};
  std::string text = "did you mean \"";
  text += *candidate;
  text += "\"? ";
  return text;
}

std::string pointer_token(std::string_view key) {
  std::string token;
  for (const char c : key) {
    if (c == '~') {
      token += "~0";
    } else if (c == '/') {
      token += "~1";
    } else {
      token += c;
    }
  }
  return token;
}

std::string child_pointer(const std::string& pointer, std::string_view key) {
  std::string result = pointer;
  result += '/';
  result += pointer_token(key);
  return result;
}

std::optional<std::vector<std::string>> pointer_tokens(std::string_view pointer) {
  std::vector<std::string> tokens;
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] == '/') {
      tokens.emplace_back();
    } else if (tokens.empty()) {
      return std::nullopt;  // a pointer begins with '/'
    } else if (pointer[i] != '~') {
      tokens.back() += pointer[i];
    } else if (i + 1 < pointer.size() && (pointer[i + 1] == '0' || pointer[i + 1] == '1')) {
      tokens.back() += pointer[++i] == '0' ? '~' : '/';
    } else {
      return std::nullopt;  // '~' stands only in ~0 and ~1
    }
  }
  return tokens;
}

std::string place_name(const std::string& pointer) { return pointer.empty() ? "the scenario" : pointer; }

}  // namespace isthmus
