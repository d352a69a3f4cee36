#include <algorithm>
#include <map>
#include <set>

#include "analysis/format.hpp"
#include "analysis/report/answer.hpp"
#include "analysis/report/phrases.hpp"

namespace isthmus::analysis {
namespace {

/// Names of runs: a few, and how many more.
std::string some_of(const std::vector<std::string>& ids) {
  constexpr std::size_t most = 4;
  if (ids.size() <= most) return enumerate(ids);
  std::vector<std::string> some(ids.begin(), ids.begin() + most);
  some.push_back(std::to_string(ids.size() - most) + " more");
  return enumerate(some);
}

void warn_of_memory(const Dataset& data, std::vector<std::string>& warnings) {
  struct Case {
    std::vector<std::string> ids;
    double need = 0, limit = 0;
  };
  std::map<std::string, Case> by_series;
  for (const Group& group : data.groups()) {
    for (const Run* run : group.runs) {
      if (!run->out_of_memory()) continue;
      Case& found = by_series[group.series];
      found.ids.push_back(run->id);
      if (!run->memory.is_object()) continue;
      found.need = std::max(found.need, run->memory.value("need_bytes", 0.0));
      found.limit = std::max(found.limit, run->memory.value("limit_bytes", 0.0));
    }
  }
  for (const auto& [series, found] : by_series) {
    warnings.push_back("Out of memory: " + series + ", " + counted(found.ids.size(), "run") + " (" +
                       some_of(found.ids) + "); a device needs up to " + format_memory(found.need) +
                       " and has " + format_memory(found.limit) + ".");
  }
}

void warn_of_targets(const Dataset& data, std::vector<std::string>& warnings) {
  std::map<std::string, std::vector<std::string>> by_series;
  for (const Group& group : data.groups()) {
    for (const Run* run : group.runs) {
      if (run->completed() && run->summary_number("target_accuracy") &&
          !run->summary_number("seconds_to_target"))
        by_series[group.series].push_back(run->id);
    }
  }
  for (const auto& [series, ids] : by_series) {
    warnings.push_back("Target not reached: " + series + ", " + counted(ids.size(), "run") + " (" +
                       some_of(ids) + ").");
  }
}

void warn_of_first_tests(const Dataset& data, std::vector<std::string>& warnings) {
  std::map<std::string, std::vector<std::string>> by_series;
  for (const Group& group : data.groups()) {
    for (const Run* run : group.runs) {
      if (run->to_target_is_upper_bound()) by_series[group.series].push_back(run->id);
    }
  }
  for (const auto& [series, ids] : by_series) {
    warnings.push_back("Target met at the first test, so that the time to it is an upper bound: " + series +
                       ", " + counted(ids.size(), "run") + " (" + some_of(ids) + ").");
  }
}

void warn_of_failures(const Dataset& data, std::vector<std::string>& warnings) {
  std::map<std::string, std::vector<std::string>> by_message;
  for (const Run* run : data.runs()) {
    if (run->completed() || run->out_of_memory()) continue;
    by_message[run->outcome + ": " + (run->message.empty() ? "no message" : run->message)].push_back(run->id);
  }
  for (const auto& [message, ids] : by_message) {
    warnings.push_back(counted(ids.size(), "run") + " (" + some_of(ids) + ") ended in " + message);
  }
}

/// Where accuracy was measured, for costs do not depend on chance.
void warn_of_seeds(const Dataset& data, std::vector<std::string>& warnings) {
  const bool measured = std::ranges::any_of(
      data.runs(), [](const Run* run) { return run->summary_number("final_test_accuracy").has_value(); });
  if (!measured) return;
  constexpr std::size_t few = 3;
  std::size_t least = few, most = 0;
  for (const Group& group : data.groups()) {
    least = std::min(least, group.n());
    most = std::max(most, group.n());
  }
  if (least >= few || data.groups().empty()) return;
  if (most == 1) {
    warnings.push_back(
        "Every point is a single run (one seed): nothing here tells a difference from chance.");
  } else {
    warnings.push_back("Some points have only " + counted(least, "run") +
                       " (seeds): their intervals are wide or missing.");
  }
}

void warn_of_builds(const Dataset& data, std::vector<std::string>& warnings) {
  std::map<std::string, std::set<std::string>> values;
  for (const Run* run : data.runs()) {
    if (!run->provenance.is_object()) continue;
    for (const char* key : {"isthmus", "git_revision", "simgrid", "onednn", "instruction_set"}) {
      if (run->provenance.contains(key)) values[key].insert(run->provenance.at(key).dump());
    }
  }
  for (const auto& [key, found] : values) {
    if (found.size() > 1) {
      warnings.push_back("Runs of different builds are compared: " + key + " is " +
                         enumerate({found.begin(), found.end()}) + ".");
    }
  }
}

}  // namespace

std::vector<std::string> reader_warnings(const Dataset& data) {
  std::vector<std::string> warnings = data.warnings();
  warn_of_failures(data, warnings);
  warn_of_memory(data, warnings);
  warn_of_targets(data, warnings);
  warn_of_first_tests(data, warnings);
  warn_of_seeds(data, warnings);
  warn_of_builds(data, warnings);
  return warnings;
}

}  // namespace isthmus::analysis
