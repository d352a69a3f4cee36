#include <algorithm>
#include <cctype>

#include "sim/scenario/messages.hpp"
#include "sim/scenario/sweep.hpp"

namespace isthmus {
namespace {

using nlohmann::json;

/// Letters, digits, '_', '.', and '-' for everything else; bounded, as file names are.
std::string slug(const std::string& text) {
  constexpr std::size_t longest = 60;
  std::string result;
  for (const char c : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.';
    if (plain) {
      result += c;
    } else if (!result.empty() && result.back() != '-') {
      result += '-';
    }
    if (result.size() == longest) break;
  }
  while (!result.empty() && result.back() == '-') result.pop_back();
  return result;
}

/// The label of the value at `pointer`; null: it has none.
const std::string* find_label(const SweptLabels& labels, const std::string& pointer) {
  const auto label = std::ranges::find(labels, pointer, &SweptLabels::value_type::first);
  return label == labels.end() ? nullptr : &label->second;
}

}  // namespace

std::string short_name(const std::string& pointer, const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_object()) {
    for (const char* discriminator : {"kind", "set"}) {
      if (value.contains(discriminator) && value[discriminator].is_string()) return value[discriminator];
    }
    return "";
  }
  if (value.is_array()) {
    std::string joined;
    for (const json& item : value) joined += (joined.empty() ? "" : "x") + short_name("", item);
    return joined;
  }
  std::string name;  // the last token that is no index
  for (const std::string& token : pointer_tokens(pointer).value_or(std::vector<std::string>{})) {
    if (token.find_first_not_of("0123456789") != std::string::npos) name = token;
  }
  return name + value.dump();
}

std::string swept_name(const SweptLabels& labels, const std::string& pointer, const json& value) {
  const std::string* label = find_label(labels, pointer);
  return label != nullptr ? *label : short_name(pointer, value);
}

std::string point_id(std::size_t index, std::size_t count, const SweepPoint& point,
                     const std::string& fallback) {
  const std::size_t width = std::to_string(count - 1).size();
  std::string id = std::to_string(index);
  id.insert(0, width - id.size(), '0');
  std::string text;
  for (const auto& [pointer, value] : point.values) text += swept_name(point.labels, pointer, value) + '-';
  const std::string name = slug(point.values.empty() ? fallback : text);
  return name.empty() ? id : id + '-' + name;
}

std::string describe_values(const SweptValues& values, const SweptLabels& labels) {
  std::string text;
  for (const auto& [pointer, value] : values) {
    const std::string* label = find_label(labels, pointer);
    text +=
        (text.empty() ? "" : ", ") + pointer + " = " + short_dump(label != nullptr ? json(*label) : value);
  }
  return text;
}

}  // namespace isthmus
