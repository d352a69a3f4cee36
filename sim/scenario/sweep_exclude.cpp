#include "sim/scenario/sweep_exclude.hpp"

#include <algorithm>
#include <boost/algorithm/string/join.hpp>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "models/error.hpp"
#include "sim/scenario/messages.hpp"
#include "sim/scenario/sweep_target.hpp"
#include "sim/scenario/units.hpp"

namespace isthmus {
namespace {

using nlohmann::json;
using Predicate = std::function<bool(const json&)>;

/// "4.07Gbps" and "4070Mbps" are the same, however their products are rounded.
constexpr double rounding = 1e-12;

/// A number, or a quantity in SI units; nothing if `value` is neither, whose point will say so if it is kept.
std::optional<double> magnitude(const json& value, const std::string& quantity) {
  if (quantity.empty()) return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
  if (!value.is_string()) return std::nullopt;
  try {
    return parse_quantity(quantity, value.get<std::string>());
  } catch (const InputError&) {
    return std::nullopt;
  }
}

/// Whether an object is meant as a range: it names an end, at a place that has no members.
bool is_range(const json& condition, const SweepTarget& at, const SchemaView& view) {
  const auto is_end = [&](const char* key) {
    return condition.contains(key) && view.child(at.schemas, key, nullptr).empty();
  };
  return (is_end("from") || is_end("to")) && SchemaView::known_keys(at.schemas).empty();
}

Predicate read_range(const json& range, const SweepTarget& at, const Checker& checker) {
  checker.check(range, checker.view().definition("exclude_range", &range), at.place);
  at.range_kind(range);
  const std::string quantity = at.quantity();
  const auto end = [&](const char* key, double if_open) {
    if (!range.contains(key)) return if_open;
    const std::string place = child_pointer(at.place, key);
    const json& value = range[key];
    if (quantity.empty() && !value.is_number()) {
      throw InputError(place, found(value) + "; expected a number");
    }
    if (!quantity.empty()) require_value(value, at, place, checker);
    return *magnitude(value, quantity);
  };
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const double from = end("from", -infinity), to = end("to", infinity);
  if (from > to) {
    throw InputError(at.place, "\"from\" " + short_dump(range["from"]) + " is greater than \"to\" " +
                                   short_dump(range["to"]) + "; no value lies between");
  }
  return [=](const json& value) {
    const auto number = magnitude(value, quantity);
    if (!number) return false;
    const double slack = rounding * std::abs(*number);
    return *number >= from - slack && *number <= to + slack;
  };
}

Predicate read_value(const json& wanted, const SweepTarget& at, const Checker& checker) {
  require_value(wanted, at, at.place, checker);
  const std::string quantity = at.quantity();
  if (quantity.empty()) return [=](const json& value) { return value == wanted; };
  const double size = *magnitude(wanted, quantity);
  return [=](const json& value) {
    const auto number = magnitude(value, quantity);
    return number && std::abs(*number - size) <= rounding * size;
  };
}

/// Whether a list is one value of a place that takes arrays of such items, not alternatives.
bool is_array_value(const json& list, const SweepTarget& at, const Checker& checker) {
  const SweepTarget item{"", "", checker.view().child(at.schemas, "0", nullptr)};
  if (item.schemas.empty()) return false;
  try {
    for (const json& value : list) require_value(value, item, "", checker);
  } catch (const InputError&) {
    return false;
  }
  return true;
}

Predicate read_condition(const json& condition, const SweepTarget& at, const Checker& checker);

Predicate read_alternatives(const json& list, const SweepTarget& at, const Checker& checker) {
  if (list.empty()) throw InputError(at.place, "found []; must have at least 1 item");
  if (is_array_value(list, at, checker)) return [=](const json& value) { return value == list; };
  std::vector<Predicate> alternatives;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const SweepTarget here{at.pointer, child_pointer(at.place, std::to_string(i)), at.schemas};
    // In a list of lists each is a value.
    alternatives.push_back((list[i].is_array() ? read_value : read_condition)(list[i], here, checker));
  }
  return [=](const json& value) {
    return std::ranges::any_of(alternatives, [&](const Predicate& holds) { return holds(value); });
  };
}

Predicate read_members(const json& object, const SweepTarget& at, const Checker& checker) {
  if (object.empty()) throw InputError(at.place, "found {}; must have at least 1 member");
  std::vector<std::pair<std::string, Predicate>> members;
  for (const auto& [key, condition] : object.items()) {
    if (SchemaView::known_keys(at.schemas).empty() &&
        checker.view().child(at.schemas, key, nullptr).empty()) {
      throw InputError(at.place, found(object) + "; " + did_you_mean(key, {"from", "to"}) +
                                     "expected a value, an array of values, or {\"from\": ..., \"to\": ...}");
    }
    SweepTarget here = at;
    here.place = child_pointer(at.place, key);
    members.emplace_back(key, read_condition(condition, here.member(key, checker.view()), checker));
  }
  return [=](const json& value) {
    return std::ranges::all_of(members, [&](const auto& member) {
      return value.is_object() && value.contains(member.first) && member.second(value[member.first]);
    });
  };
}

Predicate read_condition(const json& condition, const SweepTarget& at, const Checker& checker) {
  if (condition.is_array()) return read_alternatives(condition, at, checker);
  if (!condition.is_object()) return read_value(condition, at, checker);
  if (is_range(condition, at, checker.view())) return read_range(condition, at, checker);
  return read_members(condition, at, checker);
}

}  // namespace

ExclusionRules::ExclusionRules(const ScenarioDocument& rules, const Checker& checker) {
  const SchemaView& view = checker.view();
  const std::string place = "/sweep/exclude";
  checker.check_itself(
      rules, view.child(view.child(view.at_root(nullptr), "sweep", nullptr), "exclude", nullptr), place);
  for (std::size_t i = 0; i < rules.size(); ++i) {
    Rule rule{child_pointer(place, std::to_string(i)), {}};
    checker.check_itself(rules[i], view.definition("exclude_rule", nullptr), rule.place);
    for (const auto& [pointer, condition] : rules[i].items()) {
      const SweepTarget target = find_target(pointer, child_pointer(rule.place, pointer), view);
      rule.conditions.push_back(
          {json::json_pointer(pointer), short_dump(condition), read_condition(condition, target, checker)});
    }
    rules_.push_back(std::move(rule));
  }
}

bool ExclusionRules::test(Condition& condition, const json& configuration) {
  const json* value = configuration.contains(condition.pointer) ? &configuration[condition.pointer] : nullptr;
  const bool holds = value != nullptr && condition.holds(*value);
  condition.has_held = condition.has_held || holds;
  constexpr std::size_t most_shown = 5;
  if (!condition.has_held && value != nullptr && condition.seen.size() <= most_shown) {
    std::string text = condition.seen.size() == most_shown ? "..." : short_dump(*value);
    if (std::ranges::find(condition.seen, text) == condition.seen.end()) condition.seen.push_back(text);
  }
  return holds;
}

bool ExclusionRules::removes(const json& configuration) {
  bool removed = false;
  for (Rule& rule : rules_) {
    bool all_hold = true;
    for (Condition& condition : rule.conditions) all_hold = test(condition, configuration) && all_hold;
    rule.was_used = rule.was_used || all_hold;
    removed = removed || all_hold;
  }
  return removed;
}

void ExclusionRules::require_use() const {
  for (const Rule& rule : rules_) {
    if (rule.was_used) continue;
    for (const Condition& condition : rule.conditions) {
      if (condition.has_held) continue;
      const std::string pointer = condition.pointer.to_string();
      throw InputError(
          child_pointer(rule.place, pointer),
          "found " + condition.text + ", which holds at no point, so the rule removes none; " +
              (condition.seen.empty() ? "no point has " + pointer
                                      : "the points have " + boost::algorithm::join(condition.seen, ", ")));
    }
    throw InputError(rule.place,
                     "removes no point: each of its conditions holds at some, but nowhere all do");
  }
}

}  // namespace isthmus
