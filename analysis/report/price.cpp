#include "analysis/report/price.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "analysis/format.hpp"
#include "analysis/report/phrases.hpp"
#include "analysis/statistics/difference.hpp"
#include "analysis/statistics/interval.hpp"

namespace isthmus::analysis {
namespace {

/// Means over seeds of one column, by setting and series.
using Settings = std::map<std::string, std::map<std::string, double>>;

Settings means_of(const Dataset& data, const char* column) {
  Settings settings;
  for (const Group& group : data.groups()) {
    std::vector<double> values;
    for (const Run* run : group.runs) {
      const auto value = run->completed() ? run->summary_number(column) : std::nullopt;
      if (value) values.push_back(*value);
    }
    if (!values.empty()) settings[Json(group.coordinates).dump()][group.series] = mean_interval(values).mean;
  }
  return settings;
}

struct Range {
  double low = INFINITY, high = -INFINITY;

  bool empty() const { return low > high; }
  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  /// "3 %", "3 % to 5 %"
  template <typename Format>
  std::string text(Format&& format) const {
    const std::string from = format(low), to = format(high);
    return from == to ? from : from + " to " + to;
  }
};

/// "0.8 to 5.1 percentage points"
std::string points_between(const Range& range) {
  std::string from = points(range.low), to = points(range.high);
  return from == to ? to : from.substr(0, from.find(' ')) + " to " + to;
}

/// "In the end IST has 84.2 % test accuracy, 3.0 percentage points less than Data parallel"
std::string price_in_accuracy(const Dataset& data, const std::string& winner) {
  Range own, behind;
  std::set<std::string> best_names;
  for (const auto& [setting, by_series] : means_of(data, "final_test_accuracy")) {
    if (!by_series.contains(winner) || by_series.size() < 2) continue;
    auto best = by_series.end();
    for (auto other = by_series.begin(); other != by_series.end(); ++other) {
      if (other->first != winner && (best == by_series.end() || other->second > best->second)) best = other;
    }
    own.add(by_series.at(winner));
    behind.add(best->second - by_series.at(winner));
    best_names.insert(best->first);
  }
  if (own.empty()) return {};
  const std::string others = best_names.size() == 1 ? *best_names.begin() : "the best of the others";
  std::string text = "In the end " + winner + " has " + own.text(percent) + " test accuracy, ";
  if (behind.low > accuracy_margin) {
    text += points_between(behind) + " less than " + others;
  } else if (behind.high < -accuracy_margin) {
    text += "the best of all";
  } else if (std::max(behind.high, -behind.low) <= accuracy_margin) {
    text += "as much as " + others;
  } else if (behind.high <= accuracy_margin) {
    text += "up to " + points(-behind.low) + " more than " + others;
  } else if (behind.low >= -accuracy_margin) {
    text += "up to " + points(behind.high) + " less than " + others;
  } else {
    text += "between " + points(-behind.low) + " more and " + points(behind.high) + " less than " + others;
  }
  return text + (behind.text(points).find(" to ") != std::string::npos ? ", by setting" : "");
}

/// "has sent 134 MB, 170 times less than Data parallel", "has sent 39 to 317 times less than ..., by setting"
std::string price_in_bytes(const Dataset& data, const std::string& winner) {
  std::map<std::string, double> total;  // over the settings where the winner has some, too
  const Settings settings = means_of(data, "bytes_sent");
  for (const auto& [setting, by_series] : settings) {
    if (!by_series.contains(winner)) continue;
    for (const auto& [series, bytes] : by_series) total[series] += bytes;
  }
  if (total.size() < 2) return {};
  const std::string most =
      std::ranges::max_element(total, {}, [](const auto& entry) { return entry.second; })->first;
  Range own, ratio;
  for (const auto& [setting, by_series] : settings) {
    if (!by_series.contains(winner) || !by_series.contains(most) || by_series.at(winner) <= 0) continue;
    own.add(by_series.at(winner));
    ratio.add(by_series.at(most) / by_series.at(winner));
  }
  const double least = 1 + time_margin;
  if (most == winner || ratio.empty() || ratio.high < least) return {};
  const std::string factor =
      ratio.low < least ? "up to " + format_factor(ratio.high) : ratio.text(format_factor);
  const bool varies = format_factor(ratio.low) != format_factor(ratio.high);
  const std::string bytes = own.text(format_bytes);
  return "has sent " + (bytes.find(" to ") == std::string::npos ? bytes + ", " : std::string()) + factor +
         " times less than " + most + (varies ? ", by setting" : "");
}

}  // namespace

std::string price(const Dataset& data, const Contests& contests, const std::string& winner) {
  const std::string accuracy =
      contests.measure == Measure::final_test_accuracy ? std::string() : price_in_accuracy(data, winner);
  const std::string bytes = price_in_bytes(data, winner);
  if (accuracy.empty()) return bytes.empty() ? bytes : winner + " " + bytes + ".";
  return accuracy + (bytes.empty() ? "" : "; it " + bytes) + ".";
}

}  // namespace isthmus::analysis
