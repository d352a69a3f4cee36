#include "analysis/statistics/contest.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "analysis/statistics/difference.hpp"

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

std::optional<double> common_target(const Dataset& data) {
  std::set<double> targets;
  for (const Run* run : data.runs()) {
    if (const auto target = run->summary_number("target_accuracy")) targets.insert(*target);
  }
  return targets.size() == 1 ? std::optional(*targets.begin()) : std::nullopt;
}

Standing standing_of(const Group& group, Measure measure) {
  Standing standing{.series = group.series, .by_seed = {}, .value = {}, .runs = group.n()};
  double sum = 0;
  for (const Run* run : group.runs) {
    const auto value = run->completed() ? run->summary_number(column_of(measure)) : std::nullopt;
    if (!value) continue;
    ++standing.with_value;
    sum += *value;
    standing.by_seed[value_of(*run, "/training/seed").value.dump()] = *value;
    if (measure == Measure::seconds_to_target) standing.at_most |= run->to_target_is_upper_bound();
  }
  if (standing.with_value == standing.runs) standing.value = sum / static_cast<double>(standing.runs);
  return standing;
}

double margin_of(Measure measure) {
  return measure == Measure::final_test_accuracy ? accuracy_margin : time_margin;
}

/// Seed by seed, where both have the same seeds.
bool differ(Measure measure, const Standing& a, const Standing& b) {
  std::vector<double> leads;
  for (const auto& [seed, value] : a.by_seed) {
    const auto same = b.by_seed.find(seed);
    if (same != b.by_seed.end()) leads.push_back(lead(measure, value, same->second));
  }
  if (leads.empty()) leads.push_back(lead(measure, *a.value, *b.value));
  return tells_apart(leads, margin_of(measure));
}

std::size_t count_leaders(Measure measure, const Contest& contest) {
  const std::vector<Standing>& all = contest.standings;
  if (contest.valued < 2) return 0;
  std::size_t leaders = 1;
  while (leaders < contest.valued && !differ(measure, all[0], all[leaders])) ++leaders;
  const bool bound_behind =
      std::any_of(all.begin() + 1, all.begin() + static_cast<std::ptrdiff_t>(contest.valued),
                  [](const Standing& standing) { return standing.at_most; });
  return bound_behind || (all[0].at_most && leaders > 1) ? 0 : leaders;
}

/// By how often they lead; then by the mean place.
std::vector<std::string> rank(const std::vector<Contest>& contests, const std::vector<std::string>& series) {
  std::map<std::string, std::pair<double, double>> score;  // leads, minus mean place
  for (const Contest& contest : contests) {
    for (std::size_t place = 0; place < contest.standings.size(); ++place) {
      const Standing& standing = contest.standings[place];
      auto& [wins, places] = score[standing.series];
      if (place < contest.leaders) ++wins;
      places -= standing.value ? static_cast<double>(place) : static_cast<double>(series.size());
    }
  }
  std::vector<std::string> ranking = series;
  std::ranges::stable_sort(ranking, std::ranges::greater{},
                           [&](const std::string& name) { return score[name]; });
  return ranking;
}

}  // namespace

Measure usual_measure(const Dataset& data) {
  const auto any = [&](const char* column) {
    return std::ranges::any_of(data.runs(),
                               [&](const Run* run) { return run->summary_number(column).has_value(); });
  };
  if (any("seconds_to_target") || any("target_accuracy")) return Measure::seconds_to_target;
  return any("final_test_accuracy") ? Measure::final_test_accuracy : Measure::simulated_seconds;
}

std::ptrdiff_t Contest::arrived() const {
  return std::ranges::count_if(standings, [](const Standing& each) { return each.with_value > 0; });
}

const Standing* Contest::only() const {
  if (standings.size() < 2 || valued > 1) return nullptr;
  if (valued == 1) return &standings.front();
  if (arrived() != 1) return nullptr;
  return &*std::ranges::find_if(standings, [](const Standing& each) { return each.with_value > 0; });
}

double lead(Measure measure, double a, double b) {
  return measure == Measure::final_test_accuracy ? a - b : std::log(b / a);
}

Contests hold_contests(const Dataset& data, Measure measure) {
  Contests held{.measure = measure, .target_accuracy = common_target(data), .contests = {}, .ranking = {}};
  std::vector<std::string> keys;
  for (const Group& group : data.groups()) {
    const std::string key = Json(group.coordinates).dump();
    auto at = static_cast<std::size_t>(std::ranges::find(keys, key) - keys.begin());
    if (at == keys.size()) {
      keys.push_back(key);
      held.contests.push_back({.coordinates = group.coordinates, .standings = {}});
    }
    held.contests[at].standings.push_back(standing_of(group, held.measure));
  }
  for (Contest& contest : held.contests) {
    std::ranges::stable_sort(contest.standings, [&](const Standing& a, const Standing& b) {
      if (!a.value || !b.value) return a.value.has_value() && !b.value;
      return better(held.measure, *a.value, *b.value);
    });
    contest.valued = static_cast<std::size_t>(std::ranges::count_if(
        contest.standings, [](const Standing& each) { return each.value.has_value(); }));
    contest.leaders = count_leaders(held.measure, contest);
    for (std::size_t i = 1; i < contest.leaders; ++i) {
      const double by = lead(held.measure, *contest.standings[0].value, *contest.standings[i].value);
      contest.by_chance = contest.by_chance || by > margin_of(held.measure);
    }
  }
  held.ranking = rank(held.contests, data.series());
  return held;
}

}  // namespace isthmus::analysis
