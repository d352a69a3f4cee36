#include "analysis/statistics/crossover.hpp"

#include <algorithm>
#include <boost/math/interpolators/barycentric_rational.hpp>
#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>
#include <cstdint>
#include <map>
#include <numeric>

#include "analysis/statistics/difference.hpp"

// Where Boost 1.83 has what 1.74 has in boost::math.
namespace boost::math::interpolators {}

namespace isthmus::analysis {
namespace {

/// Coordinates but for one axis, as a key.
std::string elsewhere(const Group& group, std::size_t axis) {
  std::vector<Json> others = group.coordinates;
  others.erase(others.begin() + static_cast<std::ptrdiff_t>(axis));
  return Json(others).dump();
}

/// (x, seconds) ascending, by seed.
using TimesAlong = std::map<std::string, std::map<double, double>>;

struct Line {
  const Group* group = nullptr;
  TimesAlong times;
};

using Lines = std::map<std::pair<std::string, std::string>, Line>;  // by (elsewhere, series)

Lines lines_along(const Dataset& dataset, std::size_t axis, const TimeMeasure& measure) {
  Lines lines;
  for (const Group& group : dataset.groups()) {
    const Json& x = group.coordinates[axis];
    if (!x.is_number() || x.get<double>() <= 0) continue;
    Line& line = lines[{elsewhere(group, axis), group.series}];
    if (!line.group) line.group = &group;
    const Times times = times_of(group, measure);
    if (times.at_most > 0) continue;
    for (const auto& [seed, seconds] : times.by_seed) {
      if (seconds > 0) line.times[seed][x.get<double>()] = seconds;
    }
  }
  return lines;
}

std::vector<TimePair> pairs_of(const std::map<double, double>& base, const std::map<double, double>& other) {
  std::vector<TimePair> pairs;
  for (const auto& [x, seconds] : base) {
    const auto same = other.find(x);
    if (same != other.end()) pairs.push_back({x, seconds, same->second});
  }
  return pairs;
}

/// Who is faster by the logarithm of a ratio of times (positive: `b`): 1, -1, or 0 within the margin.
int side(double log_ratio) { return log_ratio > time_margin ? 1 : log_ratio < -time_margin ? -1 : 0; }

/// Neighbours, by place, on neither side.
std::vector<std::pair<std::size_t, std::size_t>> runs_of_none(const std::vector<int>& sides) {
  std::vector<std::pair<std::size_t, std::size_t>> found;
  for (std::size_t from = 0; from < sides.size(); ++from) {
    if (sides[from] != 0) continue;
    std::size_t to = from;
    while (to + 1 < sides.size() && sides[to + 1] == 0) ++to;
    if (to > from || from == 0 || to + 1 == sides.size()) found.emplace_back(from, to);
    from = to;
  }
  return found;
}

std::vector<int> sides_of(std::span<const TimePair> pairs) {
  std::vector<int> sides;
  for (const TimePair& pair : pairs) sides.push_back(side(std::log(pair.a / pair.b)));
  return sides;
}

/// Where all seeds are equal.
std::vector<Stretch> equal_for_all(const std::vector<std::vector<TimePair>>& seeds) {
  std::map<double, int> some;  // 0 where no seed is on a side
  for (const auto& pairs : seeds) {
    for (const TimePair& pair : pairs) some[pair.x] |= side(std::log(pair.a / pair.b));
  }
  std::vector<double> x;
  std::vector<int> sides;
  for (const auto& [at, any] : some) {
    x.push_back(at);
    sides.push_back(any);
  }
  std::vector<Stretch> found;
  for (const auto& [from, to] : runs_of_none(sides)) found.push_back({x[from], x[to]});
  return found;
}

Crossover compare(const Line& base, const Line& other, const std::string& baseline) {
  Crossover result{.baseline = baseline,
                   .other = other.group->series,
                   .group = other.group,
                   .by_seed = {},
                   .interval = {},
                   .equal = {},
                   .faster_below = {},
                   .faster_above = {},
                   .lowest = INFINITY,
                   .highest = -INFINITY};
  double log_ratio_below = 0, log_ratio_above = 0;
  std::vector<std::vector<TimePair>> seeds;
  for (const auto& [seed, base_times] : base.times) {
    const auto same = other.times.find(seed);
    if (same == other.times.end()) continue;
    const std::vector<TimePair> pairs = pairs_of(base_times, same->second);
    if (pairs.size() < 2) continue;
    ++result.seeds;
    result.lowest = std::min(result.lowest, pairs.front().x);
    result.highest = std::max(result.highest, pairs.back().x);
    log_ratio_below += std::log(pairs.front().a / pairs.front().b);
    log_ratio_above += std::log(pairs.back().a / pairs.back().b);
    const std::vector<double> ties = crossings(pairs);
    if (ties.size() > 1) ++result.several_ties;
    // An even number of ties is none between the ends; of an odd number the middle one stands for them.
    if (ties.size() % 2 == 1) result.by_seed.push_back(ties[ties.size() / 2]);
    seeds.push_back(pairs);
  }
  const auto faster = [&](double log_ratio) {
    const int sign = side(log_ratio / static_cast<double>(result.seeds));
    return sign > 0 ? result.other : sign < 0 ? baseline : std::string();
  };
  result.faster_below = faster(log_ratio_below);
  result.faster_above = faster(log_ratio_above);
  result.equal = equal_for_all(seeds);
  if (!result.by_seed.empty()) result.interval = geometric_interval(result.by_seed);
  return result;
}

}  // namespace

std::vector<Stretch> equal_stretches(std::span<const TimePair> pairs) {
  return equal_for_all({{pairs.begin(), pairs.end()}});
}

std::vector<double> crossings(std::span<const TimePair> pairs) {
  std::vector<double> found, x, difference;
  for (const TimePair& pair : pairs) {
    x.push_back(std::log(pair.x));
    difference.push_back(std::log(pair.a / pair.b));
  }
  if (x.size() < 2) return found;
  std::vector<int> sides = sides_of(pairs), signs;
  for (const double d : difference) signs.push_back(d > 0 ? 1 : d < 0 ? -1 : 0);
  for (std::size_t i = 1; i + 1 < x.size(); ++i) {
    // A touch within the margin is no change of sides.
    if (sides[i] == 0 && signs[i - 1] == signs[i + 1]) signs[i] = signs[i - 1];
  }
  for (const auto& [from, to] : runs_of_none(sides)) {
    for (std::size_t i = from; i <= to; ++i) signs[i] = 0;
  }
  const std::size_t order = std::min<std::size_t>(3, x.size() - 1);
  using namespace boost::math;
  using namespace boost::math::interpolators;
  const barycentric_rational<double> interpolant(x.data(), difference.data(), x.size(), order);
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    const bool between = i > 0 && signs[i] == 0 && signs[i - 1] * signs[i + 1] < 0;
    if (between) found.push_back(pairs[i].x);
    if (signs[i] * signs[i + 1] >= 0) continue;
    std::uintmax_t iterations = 100;
    const auto [low, high] =
        boost::math::tools::toms748_solve(interpolant, x[i], x[i + 1], difference[i], difference[i + 1],
                                          boost::math::tools::eps_tolerance<double>(40), iterations);
    found.push_back(std::exp(std::midpoint(low, high)));
  }
  return found;
}

std::vector<Crossover> find_crossovers(const Dataset& dataset, std::size_t axis, const TimeMeasure& measure,
                                       const std::string& baseline) {
  std::vector<Crossover> result;
  const Lines lines = lines_along(dataset, axis, measure);
  // In the order of the data set, with every line once.
  for (const Group& group : dataset.groups()) {
    const auto& series = group.series;
    const std::string where = elsewhere(group, axis);
    const auto found = lines.find({where, series});
    if (found == lines.end() || found->second.group != &group) continue;
    const Line& line = found->second;
    const auto base = lines.find({where, baseline});
    if (series == baseline || base == lines.end()) continue;
    Crossover crossover = compare(base->second, line, baseline);
    if (crossover.seeds > 0) result.push_back(std::move(crossover));
  }
  return result;
}

}  // namespace isthmus::analysis
