#include "sim/scenario/sweep_axes.hpp"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "models/error.hpp"
#include "sim/scenario/messages.hpp"
#include "sim/scenario/sweep_range.hpp"
#include "sim/scenario/sweep_target.hpp"

namespace isthmus {
namespace {

using nlohmann::json;

void read_list(SweepAxis& axis, const ScenarioDocument& list) {
  if (list.empty()) throw InputError(axis.place, "found []; must have at least 1 item");
  axis.values.assign(list.begin(), list.end());
}

void read_named(SweepAxis& axis, const ScenarioDocument& named, const SchemaView& view) {
  require_form(named, "sweep_named", axis.place, view);
  const std::string place = child_pointer(axis.place, "named");
  for (const auto& [label, value] : named.at("named").items()) {
    if (label.empty()) throw InputError(child_pointer(place, label), "a label must not be empty");
    if (std::string_view("=+-@").find(label.front()) != std::string_view::npos) {
      throw InputError(child_pointer(place, label),
                       "a label must not begin with '=', '+', '-' or '@': it stands in CSV files, which "
                       "spreadsheets would take for a formula");
    }
    axis.labels.push_back(label);
    axis.values.emplace_back(value);
  }
  if (axis.values.empty()) throw InputError(place, "found {}; must have at least 1 label with its value");
}

void read_seeds(SweepAxis& axis, const json& form, const SweepTarget& target, const SchemaView& view) {
  require_form(form, "sweep_seeds", axis.place, view);
  if (value_kind(target.schemas) != ValueKind::integer) {
    throw InputError(axis.place, found(form) + "; \"seeds\" needs a place that takes integers, " +
                                     target.pointer + " does not");
  }
  const auto first = form.value("first", std::int64_t{1});
  const auto count = form.at("seeds").get<std::int64_t>();
  for (std::int64_t seed = first; seed < first + count; ++seed) axis.values.emplace_back(seed);
  const std::string place = child_pointer(axis.place, form.contains("first") ? "first" : "seeds");
  require_value(axis.values.front(), target.schemas, place, view);
  require_value(axis.values.back(), target.schemas, place, view);
  constexpr std::int64_t largest = 9007199254740992;  // 2^53, as for integers that are written
  if (axis.values.back() > largest) {
    throw InputError(place, "the last seed would be " + axis.values.back().dump() + "; must be at most " +
                                std::to_string(largest));
  }
}

[[noreturn]] void refuse_form(const SweepAxis& axis, const ScenarioDocument& form) {
  std::string hint;
  if (form.is_object()) {
    for (const auto& [key, unused] : form.items()) {
      if (hint.empty()) hint = did_you_mean(key, {"named", "from", "to", "points", "scale", "seeds"});
    }
  }
  throw InputError(axis.place, found(form) + "; " + hint +
                                   "expected an array of the values to try, {\"from\": ..., \"to\": ..., "
                                   "\"points\": ...}, {\"named\": {label: value, ...}} or {\"seeds\": ...}");
}

SweepAxis read_axis(const std::string& pointer, const ScenarioDocument& form, const std::string& place,
                    const SchemaView& view) {
  const SweepTarget target = find_target(pointer, place, view);
  SweepAxis axis{target.pointer, target.tokens, target.place, {}, {}};
  const auto has_any = [&](std::initializer_list<const char*> keys) {
    return form.is_object() && std::ranges::any_of(keys, [&](const char* key) { return form.contains(key); });
  };
  if (form.is_array()) {
    read_list(axis, form);
  } else if (has_any({"named"})) {
    read_named(axis, form, view);
  } else if (has_any({"seeds"})) {
    read_seeds(axis, form, target, view);
  } else if (has_any({"from", "to", "points", "scale"})) {
    axis.values = range_values(form, target, view);
  } else {
    refuse_form(axis, form);
  }
  return axis;
}

/// An axis that sets a whole object undoes what an earlier axis has put into it.
void require_order(const std::vector<SweepGroup>& groups, const SweepGroup& group, const SweepAxis& axis) {
  const auto compare = [&](const SweepAxis& earlier) {
    if (earlier.pointer == axis.pointer) {
      throw InputError(axis.place, json(axis.pointer).dump() + " is swept already, at " + earlier.place);
    }
    if (earlier.pointer.starts_with(axis.pointer + '/')) {
      throw InputError(axis.place, "would overwrite what " + json(earlier.pointer).dump() +
                                       " sets; write this axis before it");
    }
  };
  for (const SweepGroup& before : groups) std::ranges::for_each(before.axes, compare);
  std::ranges::for_each(group.axes, compare);
}

void read_zip(std::vector<SweepGroup>& groups, const ScenarioDocument& zip, const SchemaView& view) {
  const std::string place = "/sweep/zip";
  const std::string example =
      "; expected an array of objects, each with axes that advance together, such as "
      "[{\"/platform/workers\": [2, 4], \"/training/batch\": [256, 128]}]";
  if (!zip.is_array() || zip.empty()) throw InputError(place, found(zip) + example);
  for (std::size_t i = 0; i < zip.size(); ++i) {
    const std::string group_place = child_pointer(place, std::to_string(i));
    if (!zip[i].is_object() || zip[i].empty()) throw InputError(group_place, found(zip[i]) + example);
    SweepGroup group;
    for (const auto& [pointer, form] : zip[i].items()) {
      const SweepAxis axis = read_axis(pointer, form, child_pointer(group_place, pointer), view);
      require_order(groups, group, axis);
      if (!group.axes.empty() && axis.values.size() != group.size()) {
        throw InputError(axis.place, "has " + std::to_string(axis.values.size()) + " values, but " +
                                         json(group.axes.front().pointer).dump() + " of the same group has " +
                                         std::to_string(group.size()) +
                                         "; axes that advance together need equally many");
      }
      group.axes.push_back(axis);
    }
    groups.push_back(std::move(group));
  }
}

/// Refuses a member of `sweep` that is neither a pointer nor a word.
void require_pointer(const std::string& key, const SchemaView& view) {
  if (key.starts_with('/')) return;  // find_target() has more to say
  std::string hint = did_you_mean(key, {"zip", "exclude"});
  const std::string as_pointer = '/' + key;
  const auto tokens = pointer_tokens(as_pointer);
  if (hint.empty() && tokens && !view.child(view.at_root(nullptr), tokens->front(), nullptr).empty()) {
    hint = did_you_mean(as_pointer, {as_pointer});
  }
  throw InputError(child_pointer("/sweep", key),
                   "found " + short_dump(key) + "; " + hint +
                       "expected a JSON pointer, such as \"/platform/bandwidth\", \"zip\" or \"exclude\"");
}

}  // namespace

std::vector<SweepGroup> read_groups(const ScenarioDocument& sweep, const SchemaView& view) {
  std::vector<SweepGroup> groups;
  for (const auto& [key, form] : sweep.items()) {
    if (key == "exclude") continue;
    if (key == "zip") {
      read_zip(groups, form, view);
      continue;
    }
    require_pointer(key, view);
    const SweepAxis axis = read_axis(key, form, child_pointer("/sweep", key), view);
    require_order(groups, {}, axis);
    groups.push_back({{axis}});
  }
  return groups;
}

}  // namespace isthmus
