#include "analysis/report/contest.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

namespace isthmus::analysis {
namespace {

const char* column_of(Measure measure) {
  switch (measure) {
    case Measure::seconds_to_target:
      return "seconds_to_target";
    case Measure::final_test_accuracy:
      return "final_test_accuracy";
    case Measure::simulated_seconds:
      return "simulated_seconds";
  }
  return "";
}

bool better(Measure measure, double a, double b) {
  return measure == Measure::final_test_accuracy ? a > b : a < b;
}

Measure choose_measure(const Dataset& data) {
  const auto any = [&](const char* column) {
    return std::ranges::any_of(data.runs(),
                               [&](const Run* run) { return run->summary_number(column).has_value(); });
  };
  if (any("seconds_to_target") || any("target_accuracy")) return Measure::seconds_to_target;
  return any("final_test_accuracy") ? Measure::final_test_accuracy : Measure::simulated_seconds;
}

std::optional<double> common_target(const Dataset& data) {
  std::set<double> targets;
  for (const Run* run : data.runs()) {
    if (const auto target = run->summary_number("target_accuracy")) targets.insert(*target);
  }
  return targets.size() == 1 ? std::optional(*targets.begin()) : std::nullopt;
}

Standing standing_of(const Group& group, Measure measure) {
  Standing standing{.series = group.series, .value = {}, .runs = group.n()};
  double sum = 0;
  for (const Run* run : group.runs) {
    const auto value = run->completed() ? run->summary_number(column_of(measure)) : std::nullopt;
    standing.completed += run->completed() ? 1 : 0;
    standing.reached += value ? 1 : 0;
    sum += value.value_or(0);
  }
  if (standing.reached == standing.runs) standing.value = sum / static_cast<double>(standing.runs);
  return standing;
}

/// By wins; then by the mean place.
std::vector<std::string> rank(const std::vector<Contest>& contests, const std::vector<std::string>& series) {
  std::map<std::string, std::pair<double, double>> score;  // wins, minus mean place
  for (const Contest& contest : contests) {
    const Standing* winner = contest.winner();
    for (std::size_t place = 0; place < contest.standings.size(); ++place) {
      const Standing& standing = contest.standings[place];
      auto& [wins, places] = score[standing.series];
      if (&standing == winner) ++wins;
      places -= standing.value ? static_cast<double>(place) : static_cast<double>(series.size());
    }
  }
  std::vector<std::string> ranking = series;
  std::ranges::stable_sort(ranking, std::ranges::greater{},
                           [&](const std::string& name) { return score[name]; });
  return ranking;
}

std::optional<double> value_of(const Contest& contest, const std::string& series) {
  for (const Standing& standing : contest.standings) {
    if (standing.series == series) return standing.value;
  }
  return std::nullopt;
}

/// A point of a line along the axis.
struct Lead {
  double position, lead;
  const Contest* contest;
};

/// The lines along an axis, by the values of the other axes.
std::map<std::string, std::vector<Lead>> lines_along(const Contests& contests, std::size_t axis,
                                                     const std::string& a, const std::string& b) {
  std::map<std::string, std::vector<Lead>> lines;
  for (const Contest& contest : contests.contests) {
    const auto first = value_of(contest, a), second = value_of(contest, b);
    const Json& position = contest.coordinates[axis];
    if (!first || !second || !position.is_number()) continue;
    std::vector<Json> others = contest.coordinates;
    others[axis] = nullptr;
    lines[Json(others).dump()].push_back(
        {position.get<double>(), lead(contests.measure, *first, *second), &contest});
  }
  for (auto& [key, line] : lines) std::ranges::sort(line, {}, &Lead::position);
  return lines;
}

}  // namespace

const Standing* Contest::winner() const {
  return standings.size() >= 2 && standings[1].value ? &standings.front() : nullptr;
}

double lead(Measure measure, double a, double b) {
  return measure == Measure::final_test_accuracy ? a - b : std::log(b / a);
}

Contests hold_contests(const Dataset& data) {
  Contests held{
      .measure = choose_measure(data), .target_accuracy = common_target(data), .contests = {}, .ranking = {}};
  std::vector<std::string> keys;
  for (const Group& group : data.groups()) {
    const std::string key = Json(group.coordinates).dump();
    auto at = static_cast<std::size_t>(std::ranges::find(keys, key) - keys.begin());
    if (at == keys.size()) {
      keys.push_back(key);
      held.contests.push_back({group.coordinates, {}});
    }
    held.contests[at].standings.push_back(standing_of(group, held.measure));
  }
  for (Contest& contest : held.contests) {
    std::ranges::stable_sort(contest.standings, [&](const Standing& a, const Standing& b) {
      if (!a.value || !b.value) return a.value.has_value() && !b.value;
      return better(held.measure, *a.value, *b.value);
    });
  }
  held.ranking = rank(held.contests, data.series());
  return held;
}

std::vector<Crossing> crossings(const Dataset& data, const Contests& contests, std::size_t axis,
                                const std::string& a, const std::string& b) {
  std::vector<Crossing> found;
  if (!data.axes().at(axis).logarithmic()) return found;
  for (const auto& [key, line] : lines_along(contests, axis, a, b)) {
    for (std::size_t i = 0; i + 1 < line.size(); ++i) {
      const Lead &low = line[i], &high = line[i + 1];
      if ((low.lead > 0) == (high.lead > 0)) continue;
      const double fraction = low.lead / (low.lead - high.lead);
      const double position = low.position * std::pow(high.position / low.position, fraction);
      const bool a_first = low.lead > 0;
      found.push_back({position, low.position, high.position, a_first ? a : b, a_first ? b : a,
                       low.contest->coordinates});
    }
  }
  return found;
}

}  // namespace isthmus::analysis
