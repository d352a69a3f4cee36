#include "analysis/study/series.hpp"

#include <algorithm>
#include <functional>
#include <set>

#include "analysis/study/quantity.hpp"
#include "analysis/study/values.hpp"

namespace isthmus::analysis {
namespace {

constexpr std::string_view options_pointer = "/protocol/";

std::string display_name(const Run& run) {
  if (const std::string label = text_member(run.protocol, "label"); !label.empty()) return label;
  const std::string kind = protocol_kind(run);
  return kind.empty() ? "unknown protocol" : title_of(kind);
}

using Options = std::map<std::string, AxisValue>;

Options protocol_options(const Run& run) {
  Options options;
  for (const auto& [pointer, value] : configuration_leaves(run)) {
    if (!pointer.starts_with(options_pointer) || pointer == "/protocol/kind") continue;
    options[pointer.substr(options_pointer.size())] = axis_value(pointer, value);
  }
  return options;
}

std::string option_text(const std::string& key, const AxisValue& value) {
  const std::string_view of_choice = "/kind";  // compression/kind says which compression
  std::string name = key.ends_with(of_choice) ? key.substr(0, key.size() - of_choice.size()) : key;
  name = name.substr(name.rfind('/') + 1);
  std::ranges::replace(name, '_', ' ');
  if (value.value.is_null()) return "no " + name;
  if (value.value.is_number()) return name + ' ' + format_quantity(value.value.get<double>(), value.unit);
  const std::string text = value.value.get<std::string>();
  if (text == "yes") return name;
  return text == "no" ? "no " + name : text;
}

/// Leaves out options, the longer names first, without which the others tell as many series apart.
template <typename Count>
void drop_needless(std::set<std::string>& keys, Count&& count) {
  const std::size_t series = count(keys);
  std::vector<std::string> candidates(keys.begin(), keys.end());
  std::ranges::stable_sort(candidates, std::greater(), &std::string::size);
  for (const std::string& key : candidates) {
    std::set<std::string> fewer = keys;
    fewer.erase(key);
    if (count(fewer) == series) keys = std::move(fewer);
  }
}

}  // namespace

std::string protocol_kind(const Run& run) {
  const AxisValue kind = value_of(run, "/protocol/kind");
  return kind.value.is_string() ? kind.value.get<std::string>() : std::string();
}

std::string protocol_hue(const Run& run) { return text_member(run.protocol, "hue"); }

std::map<const Run*, std::string> protocol_labels(const std::vector<const Run*>& runs,
                                                  const std::map<std::string, std::string>& labels) {
  std::map<std::string, std::vector<std::pair<const Run*, Options>>> by_kind;
  for (const Run* run : runs) by_kind[protocol_kind(*run)].emplace_back(run, protocol_options(*run));
  const auto renamed = [&](const std::string& label) {
    const auto found = labels.find(label);
    return found == labels.end() ? label : found->second;
  };
  std::map<const Run*, std::string> result;
  for (const auto& entry : by_kind) {
    const std::string& kind = entry.first;
    const auto& members = entry.second;
    const auto custom = labels.find(kind);
    const std::string name = custom == labels.end() ? display_name(*members.front().first) : custom->second;
    std::set<std::string> keys;
    for (const auto& member : members) {
      for (const auto& option : member.second) keys.insert(option.first);
    }
    const auto value = [](const Options& options, const std::string& key) {
      const auto found = options.find(key);
      return found == options.end() ? AxisValue() : found->second;
    };
    std::erase_if(keys, [&](const std::string& key) {
      const Json first = value(members.front().second, key).value;
      return std::ranges::all_of(members, [&](const auto& m) { return value(m.second, key).value == first; });
    });
    drop_needless(keys, [&](const std::set<std::string>& kept) {
      std::set<Json> told_apart;
      for (const auto& member : members) {
        Json values = Json::array();
        for (const std::string& key : kept) values.push_back(value(member.second, key).value);
        told_apart.insert(std::move(values));
      }
      return told_apart.size();
    });
    for (const auto& [run, options] : members) {
      std::string text;
      for (const std::string& key : keys)
        text += (text.empty() ? "" : ", ") + option_text(key, value(options, key));
      // Who swept over named protocols has said what to call them.
      if (const std::string given = text_member(run->labels, "/protocol"); !given.empty()) {
        result[run] = renamed(given);
        continue;
      }
      result[run] = renamed(text.empty() ? name : name + " (" + text + ")");
    }
  }
  return result;
}

}  // namespace isthmus::analysis
