#include "analysis/statistics/times.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>

namespace isthmus::analysis {

std::optional<TimeMeasure> time_measure(const Dataset& dataset) {
  std::set<double> targets;
  bool any_time = false;
  for (const Run* run : dataset.runs()) {
    if (const auto target = run->summary_number("target_accuracy")) targets.insert(*target);
    any_time = any_time || (run->completed() && run->summary_number("simulated_seconds"));
  }
  if (targets.size() == 1) {
    return TimeMeasure{true, "seconds_to_target",
                       "Time to " + format_quantity(*targets.begin(), Unit::fraction) + " accuracy"};
  }
  if (!targets.empty()) return TimeMeasure{true, "seconds_to_target", "Time to target accuracy"};
  if (!any_time) return std::nullopt;
  return TimeMeasure{false, "simulated_seconds", "Simulated time of a run"};
}

std::string words_of(Bound bound) {
  return bound == Bound::at_least ? "at least" : bound == Bound::at_most ? "at most" : "";
}

std::vector<double> Times::seconds() const {
  std::vector<double> seconds;
  for (const auto& entry : by_seed) seconds.push_back(entry.second);
  return seconds;
}

std::string Times::state() const {
  if (by_seed.size() == n) return "reached";
  if (any()) return "partly reached";
  if (out_of_memory >= not_reached && out_of_memory >= broken) return "out of memory";
  return not_reached >= broken ? "not reached" : "failed";
}

Times times_of(const Group& group, const TimeMeasure& measure) {
  Times times;
  times.n = group.runs.size();
  for (const Run* run : group.runs) {
    const auto seconds = run->summary_number(measure.column.c_str());
    if (run->out_of_memory()) {
      ++times.out_of_memory;
    } else if (!run->completed()) {
      ++times.broken;
    } else if (seconds) {
      times.by_seed.emplace_back(value_of(*run, "/training/seed").value.dump(), *seconds);
      times.at_most += measure.to_target && run->to_target_is_upper_bound();
    } else {
      ++(measure.to_target && run->summary.is_object() ? times.not_reached : times.broken);
    }
  }
  return times;
}

Speedups speedups(const Times& base, const Times& other) {
  Speedups found{.by_seed = {}, .bound = {}, .open = base.at_most > 0 && other.at_most > 0};
  if (found.open) return found;
  if (other.at_most > 0) found.bound = Bound::at_least;
  if (base.at_most > 0) found.bound = Bound::at_most;
  for (const auto& [seed, seconds] : other.by_seed) {
    const auto same = std::ranges::find(base.by_seed, seed, &std::pair<std::string, double>::first);
    if (same != base.by_seed.end() && seconds > 0 && same->second > 0)
      found.by_seed.emplace_back(seed, same->second / seconds);
  }
  return found;
}

std::string baseline_series(const Dataset& dataset, const std::string& asked_for) {
  const auto& all = dataset.series();
  const std::string wanted = asked_for.empty() ? "data_parallel" : asked_for;
  for (const std::string& series : all) {
    if (series == wanted) return series;
  }
  for (const std::string& series : all) {
    if (dataset.kind_of(series) == wanted) return series;
  }
  std::string known;
  for (const std::string& series : all) known += (known.empty() ? "" : ", ") + ('"' + series + '"');
  if (!asked_for.empty()) {
    throw std::runtime_error("no series \"" + asked_for + "\" to compare with; there are " +
                             (known.empty() ? "none" : known));
  }
  return all.empty() ? std::string() : all.front();
}

}  // namespace isthmus::analysis
