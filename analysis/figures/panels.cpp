#include "analysis/figures/panels.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <set>

#include "analysis/format.hpp"

namespace isthmus::analysis {
namespace {

struct Choice {
  std::size_t axis;
  std::vector<Json> values;  ///< those shown
};

bool nearly_equal(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number()) {
    const double x = a.get<double>(), y = b.get<double>();
    return std::abs(x - y) <= 1e-6 * std::max(std::abs(x), std::abs(y));
  }
  if (!a.is_array() || !b.is_array()) return a == b;
  return std::ranges::equal(a, b, nearly_equal);
}

/// "10 ms" says what it is; "4" needs "workers".
std::string value_label(const Axis& axis, const Json& value) {
  const std::string label = axis.label(value);
  return axis.unit == Unit::none ? lowered(axis.title) + ' ' + label : label;
}

/// Fewer values, of the axis that has most, until the panels are few enough; `kept` gives way last.
void thin_out(std::vector<Choice>& choices, const Dataset& dataset, std::optional<std::size_t> kept,
              std::size_t most) {
  const auto product = [&] {
    std::size_t count = 1;
    for (const Choice& choice : choices) count *= choice.values.size();
    return count;
  };
  while (product() > most) {
    Choice* largest = nullptr;
    for (Choice& choice : choices) {
      if (choice.values.size() < 2 || (kept && choice.axis == *kept)) continue;
      if (!largest || choice.values.size() > largest->values.size()) largest = &choice;
    }
    if (!largest) {
      largest = &*std::ranges::find(choices, *kept, &Choice::axis);
      largest->values = evenly(dataset.axes()[*kept].values, most);
      return;
    }
    const auto& all = dataset.axes()[largest->axis].values;
    const std::size_t fewer = largest->values.size() > 3 ? 3 : largest->values.size() - 1;
    largest->values = evenly(all, fewer);
  }
}

/// "out of memory"
std::string spelled(std::string name) {
  std::ranges::replace(name, '_', ' ');
  return name;
}

bool contains(const std::vector<std::size_t>& axes, std::size_t axis) {
  return std::ranges::find(axes, axis) != axes.end();
}

std::string selection_note(const Dataset& dataset, const std::vector<Choice>& choices,
                           const std::vector<std::size_t>& irrelevant) {
  std::string at, of, same;
  for (const Choice& choice : choices) {
    const Axis& axis = dataset.axes()[choice.axis];
    if (contains(irrelevant, choice.axis) && choice.values.size() == 1) {
      same += (same.empty() ? "" : " and ") + lowered(axis.title);
      continue;
    }
    if (choice.values.size() == 1 && axis.values.size() > 1) {
      at += (at.empty() ? "" : ", ") + lowered(axis.title) + ' ' + axis.label(choice.values.front());
    }
    if (choice.values.size() < axis.values.size()) {
      of += (of.empty() ? "" : ", ") + std::to_string(choice.values.size()) + " of " +
            std::to_string(axis.values.size()) + " values of " + lowered(axis.title);
    }
  }
  std::string note;
  const auto add = [&](const std::string& what, const std::string& values) {
    if (!values.empty()) note += (note.empty() ? "" : "; ") + what + values;
  };
  add("at ", at);
  add("shown: ", of);
  add("the same at every ", same);
  return sentence(note);
}

}  // namespace

std::string lowered(std::string title) {
  if (title.size() > 1 && !std::isupper(static_cast<unsigned char>(title[1])))
    title[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(title[0])));
  return title;
}

std::string sentence(std::string text) {
  if (text.empty()) return text;
  text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text + '.';
}

std::string sentences(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) {
    if (!part.empty()) text += (text.empty() ? "" : " ") + part;
  }
  return text;
}

std::string point_label(const Dataset& dataset, const Group& group, const std::vector<std::size_t>& axes) {
  std::string label;
  for (const std::size_t axis : axes) {
    label += (label.empty() ? "" : ", ") + value_label(dataset.axes()[axis], group.coordinates[axis]);
  }
  return label;
}

const Group* Panels::find(const std::string& series, const std::vector<Json>& coordinates) const {
  const auto found = std::ranges::find_if(groups, [&](const PlacedGroup& placed) {
    return placed.group->series == series && placed.group->coordinates == coordinates;
  });
  return found == groups.end() ? nullptr : found->group;
}

Panels choose_panels(const Dataset& dataset, const AxisRoles& roles, const FigureOptions& options,
                     std::size_t most_panels) {
  const auto& axes = dataset.axes();
  std::optional<std::size_t> facet;
  if (!options.facet.empty()) {
    facet = dataset.find_axis(options.facet);
    if (!facet) throw NotApplicable(dataset.axis(options.facet).title + " is the same in all runs");
  }
  std::vector<Choice> choices;
  for (std::size_t axis = 0; axis < axes.size(); ++axis) {
    if (contains(roles.shown, axis)) continue;
    const bool single = contains(roles.irrelevant, axis) && axis != facet;
    choices.push_back({axis, single ? evenly(axes[axis].values, 1) : axes[axis].values});
  }
  thin_out(choices, dataset, facet, most_panels);
  std::vector<Choice*> varying;
  for (Choice& choice : choices) {
    if (choice.values.size() > 1) varying.push_back(&choice);
  }
  constexpr std::size_t row = 4;
  if (varying.size() == 1 && !facet)
    varying[0]->values = evenly(axes[varying[0]->axis].values, std::min(row, varying[0]->values.size()));
  std::vector<std::size_t> named;
  for (const Choice* choice : varying) named.push_back(choice->axis);
  Panels panels;
  if (!varying.empty()) panels.columns = varying.back()->values.size();
  panels.note = selection_note(dataset, choices, roles.irrelevant);
  std::map<std::vector<std::size_t>, std::string> order;
  for (const Group& group : dataset.groups()) {
    std::vector<std::size_t> position;
    const bool chosen = std::ranges::all_of(choices, [&](const Choice& choice) {
      const auto at = std::ranges::find(choice.values, group.coordinates[choice.axis]);
      position.push_back(static_cast<std::size_t>(at - choice.values.begin()));
      return at != choice.values.end();
    });
    if (!chosen) continue;
    panels.groups.push_back({&group, point_label(dataset, group, named)});
    order[position] = panels.groups.back().panel;
  }
  for (const auto& [position, label] : order) panels.labels.push_back(label);
  return panels;
}

std::vector<std::size_t> irrelevant_axes(const Dataset& dataset,
                                         const std::function<Json(const Group&)>& outcome) {
  std::vector<Json> outcomes;
  for (const Group& group : dataset.groups()) outcomes.push_back(outcome(group));
  std::vector<std::size_t> irrelevant;
  for (std::size_t axis = 0; axis < dataset.axes().size(); ++axis) {
    // The first outcome with the same series and the same values on the other axes.
    std::map<std::string, const Json*> elsewhere;
    bool matters = false;
    for (std::size_t i = 0; i < outcomes.size() && !matters; ++i) {
      std::vector<Json> key = dataset.groups()[i].coordinates;
      key[axis] = dataset.groups()[i].series;
      const auto [entry, is_new] = elsewhere.emplace(Json(key).dump(), &outcomes[i]);
      matters = !is_new && !nearly_equal(*entry->second, outcomes[i]);
    }
    if (!matters) irrelevant.push_back(axis);
  }
  return irrelevant;
}

std::string sample_note(const std::vector<PlacedGroup>& groups, const std::string& interval_mark) {
  std::size_t least = SIZE_MAX, most = 0;
  for (const PlacedGroup& placed : groups) {
    least = std::min(least, placed.group->n());
    most = std::max(most, placed.group->n());
  }
  if (most <= 1) return "One run per point (n = 1), so no interval.";
  const std::string n =
      least == most ? std::to_string(most) : std::to_string(least) + " to " + std::to_string(most);
  return "Mean of n = " + n + " seeds; " + interval_mark + ": 95 % confidence interval (Student t).";
}

std::string outcome_summary(const std::vector<PlacedGroup>& groups) {
  std::map<std::string, std::size_t> runs;
  for (const PlacedGroup& placed : groups) {
    for (const Run* run : placed.group->runs) {
      if (!run->completed()) ++runs[run->outcome];
    }
  }
  std::string summary;
  for (const auto& [outcome, count] : runs)
    summary += (summary.empty() ? "" : "; ") + spelled(outcome) + ": " + counted(count, "run");
  return sentence(summary);
}

std::vector<std::string> outcome_notes(const Dataset& dataset, const std::vector<PlacedGroup>& groups) {
  std::vector<std::size_t> axes;
  for (std::size_t axis = 0; axis < dataset.axes().size(); ++axis) axes.push_back(axis);
  std::map<std::string, std::set<std::string>> by_outcome;
  for (const PlacedGroup& placed : groups) {
    for (const Run* run : placed.group->runs) {
      if (run->completed()) continue;
      const std::string where = point_label(dataset, *placed.group, axes);
      by_outcome[run->outcome].insert(placed.group->series + (where.empty() ? "" : " at " + where));
    }
  }
  std::vector<std::string> notes;
  for (const auto& [outcome, places] : by_outcome) {
    std::string list;
    for (const std::string& place : places) list += (list.empty() ? "" : "; ") + place;
    notes.push_back(sentence(spelled(outcome) + ": " + list));
  }
  return notes;
}

}  // namespace isthmus::analysis
