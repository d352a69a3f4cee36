#include "analysis/compare/compare.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace isthmus::analysis {
namespace {

using Pointer = Json::json_pointer;

/// Names keys that may hold "/" and "~" as JSON pointers do (RFC 6901).
std::string escaped(std::string key) {
  for (std::size_t at = 0; (at = key.find_first_of("~/", at)) != std::string::npos; at += 2) {
    key.replace(at, 1, key[at] == '~' ? "~0" : "~1");
  }
  return key;
}

Json member(const Json& object, const std::string& key) {
  return object.is_object() && object.contains(key) ? object.at(key) : Json();
}

void add_changes(const std::string& pointer, const Json& before, const Json& after,
                 std::vector<Change>& found) {
  // Compared without regard to the order of keys.
  if (nlohmann::json(before) == nlohmann::json(after)) return;
  const bool descend = (before.is_object() || before.is_null()) && (after.is_object() || after.is_null());
  if (!descend) {
    found.push_back({pointer, before, after});
    return;
  }
  for (const auto& [key, value] : before.items()) {
    add_changes(pointer + "/" + escaped(key), value, member(after, key), found);
  }
  for (const auto& [key, value] : after.items()) {
    if (member(before, key).is_null()) add_changes(pointer + "/" + escaped(key), Json(), value, found);
  }
}

std::set<std::string> swept_pointers(const Study& study) {
  std::set<std::string> pointers;
  for (const Run& run : study.runs) {
    for (const auto& [pointer, value] : run.swept.items()) pointers.insert(pointer);
  }
  return pointers;
}

Json at_pointer(const Json& document, const std::string& pointer) {
  const Pointer place(pointer);
  return document.is_object() && document.contains(place) ? document.at(place) : Json();
}

/// Matching runs have the same key: the resolved values of all that either study sweeps.
std::map<std::string, std::vector<const Run*>> by_key(const Study& study,
                                                      const std::set<std::string>& pointers) {
  std::map<std::string, std::vector<const Run*>> runs;
  for (const Run& run : study.runs) {
    nlohmann::json key = nlohmann::json::object();
    for (const std::string& pointer : pointers) key[pointer] = at_pointer(run.configuration, pointer);
    runs[key.dump()].push_back(&run);
  }
  return runs;
}

bool same_value(const Json& before, const Json& after, double tolerance) {
  if (!before.is_number() || !after.is_number()) return before == after;
  const double a = before.get<double>(), b = after.get<double>();
  return std::abs(b - a) <= tolerance * std::max(std::abs(a), std::abs(b));
}

std::vector<ResultChange> result_changes(const Run& before, const Run& after, double tolerance) {
  std::vector<ResultChange> found;
  if (before.outcome != after.outcome) found.push_back({"outcome", before.outcome, after.outcome});
  const auto compare = [&](const std::string& column) {
    const Json a = member(before.summary, column), b = member(after.summary, column);
    if (column != "wall_seconds" && !same_value(a, b, tolerance)) found.push_back({column, a, b});
  };
  for (const auto& [column, value] : before.summary.items()) compare(column);
  for (const auto& [column, value] : after.summary.items()) {
    if (!before.summary.is_object() || !before.summary.contains(column)) compare(column);
  }
  return found;
}

}  // namespace

std::vector<Change> changes(const Json& before, const Json& after) {
  std::vector<Change> found;
  add_changes("", before, after, found);
  return found;
}

bool Comparison::same() const {
  return scenario.empty() && only_before.empty() && only_after.empty() && ambiguous.empty() &&
         std::ranges::all_of(runs, [](const RunPair& pair) { return pair.changes.empty(); });
}

Comparison compare_studies(const Study& before, const Study& after, double tolerance) {
  Comparison comparison;
  comparison.scenario = changes(member(before.file, "scenario"), member(after.file, "scenario"));
  comparison.build = changes(member(before.file, "build"), member(after.file, "build"));
  std::set<std::string> pointers = swept_pointers(before);
  pointers.merge(swept_pointers(after));
  const auto old_runs = by_key(before, pointers), new_runs = by_key(after, pointers);
  for (const auto& [key, runs] : old_runs) {
    const auto match = new_runs.find(key);
    for (const Run* run : runs) {
      if (match == new_runs.end()) {
        comparison.only_before.push_back(run->id);
      } else if (runs.size() > 1 || match->second.size() > 1) {
        comparison.ambiguous.push_back(run->id);
      } else {
        const Run* other = match->second.front();
        comparison.runs.push_back({run->id == other->id ? run->id : run->id + " -> " + other->id, run, other,
                                   result_changes(*run, *other, tolerance)});
      }
    }
  }
  for (const auto& [key, runs] : new_runs) {
    if (old_runs.contains(key)) continue;
    for (const Run* run : runs) comparison.only_after.push_back(run->id);
  }
  for (auto* ids : {&comparison.only_before, &comparison.only_after, &comparison.ambiguous})
    std::ranges::sort(*ids);
  std::ranges::sort(comparison.runs, {}, [](const RunPair& pair) { return pair.before->id; });
  return comparison;
}

}  // namespace isthmus::analysis
