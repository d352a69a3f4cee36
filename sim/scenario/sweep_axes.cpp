#include "sim/scenario/sweep_axes.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include "models/error.hpp"
#include "sim/scenario/messages.hpp"
#include "sim/scenario/sweep_target.hpp"
#include "sim/scenario/units.hpp"

namespace isthmus {
namespace {

using nlohmann::json;

void read_named(SweepAxis& axis, const ScenarioDocument& named) {
  for (const auto& [label, value] : named.items()) {
    const std::string place = child_pointer(axis.place + "/named", label);
    if (label.empty()) throw InputError(place, "a label must not be empty");
    if (std::string_view("=+-@").find(label.front()) != std::string_view::npos) {
      throw InputError(place,
                       "a label must not begin with '=', '+', '-' or '@': it stands in CSV files, which "
                       "spreadsheets would take for a formula");
    }
    axis.labels.push_back(label);
    axis.values.emplace_back(value);
  }
}

std::vector<json> seed_values(const json& form, const SweepTarget& target, const Checker& checker) {
  if (target.kind() != "integer") {
    throw InputError(target.place, found(form) + "; \"seeds\" needs a place that takes integers, " +
                                       target.pointer + " does not");
  }
  std::vector<json> values;
  const auto first = form.value("first", std::int64_t{1});
  const auto count = form.at("seeds").get<std::int64_t>();
  for (std::int64_t seed = first; seed < first + count; ++seed) values.emplace_back(seed);
  const std::string place = child_pointer(target.place, form.contains("first") ? "first" : "seeds");
  require_value(values.front(), target, place, checker);
  require_value(values.back(), target, place, checker);
  constexpr std::int64_t largest = 9007199254740992;  // 2^53, as for integers that are written
  if (values.back() > largest) {
    throw InputError(place, "the last seed would be " + values.back().dump() + "; must be at most " +
                                std::to_string(largest));
  }
  return values;
}

void require_end(const json& value, const SweepTarget& target, const std::string& place,
                 const Checker& checker) {
  const std::string kind = target.kind();
  if (kind != "quantity" && !has_type({{"type", kind}}, value)) {
    throw InputError(place, found(value) + "; expected " + (kind == "integer" ? "an integer" : "a number") +
                                ", which is what " + target.pointer + " takes");
  }
  require_value(value, target, place, checker);
}

/// The ends of a range are as written. What lies between has four significant digits (quantities with the
/// prefix that fits), or is rounded where the place takes integers.
std::vector<json> range_values(const json& form, const SweepTarget& target, const Checker& checker) {
  const std::string kind = target.range_kind(form), quantity = target.quantity();
  for (const char* end : {"from", "to"}) {
    require_end(form[end], target, child_pointer(target.place, end), checker);
  }
  const auto number = [&](const json& value) {
    return quantity.empty() ? value.get<double>() : parse_quantity(quantity, value.get<std::string>());
  };
  const auto rounded = [&](double value) -> json {
    if (!quantity.empty()) {
      return format_quantity(quantity, value, form["from"].get<std::string>(), form["to"].get<std::string>());
    }
    if (kind == "integer") return std::llround(value);
    const double digits = to_four_digits(value);
    if (digits == std::trunc(digits)) return std::llround(digits);  // 10, not 10.0
    return digits;
  };
  const double from = number(form["from"]), to = number(form["to"]);
  if (from == to) {
    throw InputError(target.place, "both ends are " + short_dump(form["to"]) + "; they must differ");
  }
  const bool logarithmic = form.value("scale", "linear") == "log";
  if (logarithmic && std::min(from, to) <= 0) {
    const char* end = from <= 0 ? "from" : "to";
    throw InputError(child_pointer(target.place, end),
                     found(form[end]) + "; must be greater than 0 where \"scale\" is \"log\"");
  }

  const auto last = form["points"].get<std::size_t>() - 1;
  std::vector<json> values = {form["from"]};
  for (std::size_t i = 1; i <= last; ++i) {
    const double part = static_cast<double>(i) / static_cast<double>(last);
    const double exact =
        logarithmic ? std::exp(std::lerp(std::log(from), std::log(to), part)) : std::lerp(from, to, part);
    const json value = i == last ? form["to"] : rounded(exact);
    const double before = number(values.back()), now = number(value);
    if (from < to ? before >= now : before <= now) {
      throw InputError(child_pointer(target.place, "points"),
                       "found " + form["points"].dump() + ", too many for this range: values " +
                           std::to_string(i) + " and " + std::to_string(i + 1) + " would be " +
                           short_dump(values.back()) + " and " + short_dump(value) +
                           (kind == "integer" ? " as integers" : " with four significant digits"));
    }
    values.push_back(value);
  }
  return values;
}

SweepAxis read_axis(const std::string& pointer, const ScenarioDocument& form, const std::string& place,
                    const Checker& checker) {
  const SweepTarget target = find_target(pointer, place, checker.view());
  const json unordered = form;
  checker.check(unordered, checker.view().definition("sweep_axis", &unordered), place);
  SweepAxis axis{target.pointer, *pointer_tokens(target.pointer), place, {}, {}};
  if (form.is_array()) {
    axis.values.assign(form.begin(), form.end());
  } else if (form.contains("named")) {
    read_named(axis, form["named"]);
  } else {
    axis.values = (form.contains("seeds") ? seed_values : range_values)(unordered, target, checker);
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

/// The axes of a group of `zip`.
SweepGroup read_group(const ScenarioDocument& forms, const std::vector<SweepGroup>& groups,
                      const std::string& place, const Checker& checker) {
  checker.check_itself(forms, checker.view().definition("sweep_group", nullptr), place);
  SweepGroup group;
  for (const auto& [pointer, form] : forms.items()) {
    const SweepAxis axis = read_axis(pointer, form, child_pointer(place, pointer), checker);
    require_order(groups, group, axis);
    if (!group.axes.empty() && axis.values.size() != group.size()) {
      throw InputError(axis.place, "has " + std::to_string(axis.values.size()) + " values, but " +
                                       json(group.axes.front().pointer).dump() + " of the same group has " +
                                       std::to_string(group.size()) +
                                       "; axes that advance together need equally many");
    }
    group.axes.push_back(axis);
  }
  return group;
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

std::vector<SweepGroup> read_groups(const ScenarioDocument& sweep, const Checker& checker) {
  const SchemaView& view = checker.view();
  const auto of_sweep = view.child(view.at_root(nullptr), "sweep", nullptr);
  std::vector<SweepGroup> groups;
  for (const auto& [key, form] : sweep.items()) {
    if (key == "exclude") continue;
    const std::string place = child_pointer("/sweep", key);
    if (key == "zip") {
      checker.check_itself(form, view.child(of_sweep, key, nullptr), place);
      for (std::size_t i = 0; i < form.size(); ++i) {
        groups.push_back(read_group(form[i], groups, child_pointer(place, std::to_string(i)), checker));
      }
    } else {
      require_pointer(key, view);
      const SweepAxis axis = read_axis(key, form, place, checker);
      require_order(groups, {}, axis);
      groups.push_back({{axis}});
    }
  }
  return groups;
}

}  // namespace isthmus
