#include "analysis/report/answer.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "analysis/format.hpp"
#include "analysis/report/contest.hpp"
#include "analysis/statistics/crossover.hpp"

namespace isthmus::analysis {
namespace {

std::string percent(double fraction) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g %%", 100 * fraction);
  return text;
}

std::string points(double difference) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f percentage points", 100 * difference);
  return text;
}

/// "1.4", "25", "1700": a factor to two digits.
std::string factor(double ratio) {
  char text[32];
  const double magnitude = std::pow(10, std::floor(std::log10(ratio)) - 1);
  std::snprintf(text, sizeof text, ratio < 9.95 ? "%.1f" : "%.0f", std::round(ratio / magnitude) * magnitude);
  return text;
}

std::string lower_first(std::string text) {
  if (text.size() > 1 && std::islower(static_cast<unsigned char>(text[1])))
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

std::string upper_first(std::string text) {
  if (!text.empty()) text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

std::vector<std::string> axis_titles(const Dataset& data) {
  std::vector<std::string> titles;
  for (const Axis& axis : data.axes()) titles.push_back(lower_first(axis.title));
  return titles;
}

class Writer {
 public:
  Writer(const Dataset& data) : data_(data), contests_(hold_contests(data)) {}

  std::string question() const;
  std::string who_wins() const;
  std::string where_it_turns() const;
  std::string what_did_not_fit() const;

 private:
  std::string goal() const;
  std::string value(double number) const;
  std::string ahead(double winner, double other) const;
  std::string conditions() const;
  std::string one_contest(const Contest& contest) const;
  std::string price(const std::string& winner) const;
  std::string place_of(const Crossover& tie, std::size_t axis) const;
  std::string crossing_sentence(std::size_t axis) const;

  const Dataset& data_;
  Contests contests_;
};

/// "reaches 83 % test accuracy first"
std::string Writer::goal() const {
  switch (contests_.measure) {
    case Measure::seconds_to_target:
      return contests_.target_accuracy
                 ? "reaches " + percent(*contests_.target_accuracy) + " test accuracy first"
                 : "reaches its target accuracy first";
    case Measure::final_test_accuracy:
      return "ends with the best test accuracy";
    case Measure::simulated_seconds:
      return "finishes its training first";
  }
  return "";
}

std::string Writer::value(double number) const {
  return contests_.measure == Measure::final_test_accuracy ? percent(number) : format_seconds(number);
}

/// "1.5 times as fast as", "2.1 percentage points better than"
std::string Writer::ahead(double winner, double other) const {
  const double by = lead(contests_.measure, winner, other);
  if (contests_.measure == Measure::final_test_accuracy) return points(by) + " better than";
  return factor(std::exp(by)) + " times as fast as";
}

std::string Writer::question() const {
  const std::vector<std::string>& series = data_.series();
  std::string text =
      series.size() > 1 ? "Which of " + enumerate(series) + " " : "How does " + series.front() + " do";
  if (series.size() > 1) text += goal();
  std::vector<std::string> ranges;
  for (const Axis& axis : data_.axes()) {
    if (axis.numeric && axis.values.size() > 1) {
      ranges.push_back(lower_first(axis.title) + " from " + axis.label(axis.values.front()) + " to " +
                       axis.label(axis.values.back()));
    } else if (axis.values.size() > 1) {
      ranges.push_back(counted(static_cast<long>(axis.values.size()), "value") + " of " +
                       lower_first(axis.title));
    }
  }
  if (!ranges.empty()) text += ", for " + enumerate(ranges);
  return text + "?";
}

/// "21 combinations of bandwidth and latency"
std::string Writer::conditions() const {
  const std::vector<std::string> titles = axis_titles(data_);
  const std::string number = std::to_string(contests_.contests.size());
  return number + (titles.size() == 1 ? " values of " : " combinations of ") + enumerate(titles);
}

std::string Writer::one_contest(const Contest& contest) const {
  const Standing* winner = contest.winner();
  std::string text = winner->series + " " + goal() + ", " +
                     (contests_.measure == Measure::final_test_accuracy ? "with " : "in ") +
                     value(*winner->value);
  std::vector<std::string> others;
  for (const Standing& standing : contest.standings) {
    if (&standing != winner && standing.value) {
      others.push_back(ahead(*winner->value, *standing.value) + " " + standing.series + " (" +
                       value(*standing.value) + ")");
    }
  }
  return text + ": " + enumerate(others) + ".";
}

std::string Writer::who_wins() const {
  std::vector<const Contest*> decided;
  for (const Contest& contest : contests_.contests) {
    if (contest.winner()) decided.push_back(&contest);
  }
  if (decided.empty()) {
    return data_.series().size() < 2
               ? "There is only " + data_.series().front() + " here, nothing to compare it with."
               : "No two protocols can be compared under the same conditions.";
  }
  if (contests_.contests.size() == 1) return one_contest(*decided.front());

  struct Wins {
    std::size_t number = 0;
    double least = INFINITY, most = 0;
  };
  std::map<std::string, Wins> wins;
  for (const Contest* contest : decided) {
    const Standing& winner = *contest->winner();
    Wins& of_winner = wins[winner.series];
    const double by = lead(contests_.measure, *winner.value, *contest->standings[1].value);
    ++of_winner.number;
    of_winner.least = std::min(of_winner.least, by);
    of_winner.most = std::max(of_winner.most, by);
  }
  const auto margin = [&](const Wins& of_winner) {
    if (contests_.measure == Measure::final_test_accuracy) return "by up to " + points(of_winner.most);
    const std::string least = factor(std::exp(of_winner.least)), most = factor(std::exp(of_winner.most));
    return (least == most ? most : least + " to " + most) + " times as fast as the next";
  };
  std::string text;
  for (const std::string& series : contests_.ranking) {
    if (!wins.contains(series)) continue;
    const Wins& of_series = wins.at(series);
    if (text.empty()) {
      const bool all = of_series.number == contests_.contests.size();
      text = series + " " + goal() + " at " + (all ? "all " : std::to_string(of_series.number) + " of ") +
             conditions() + ", " + margin(of_series);
    } else {
      text += "; " + series + " at " + std::to_string(of_series.number) + ", " + margin(of_series);
    }
  }
  if (const std::size_t open = contests_.contests.size() - decided.size(); open > 0) {
    text += "; at " + std::to_string(open) + " no two can be compared";
  }
  return text + ".";
}

/// What winning costs: accuracy in the end, and bytes.
std::string Writer::price(const std::string& winner) const {
  struct Means {
    double accuracy = 0, bytes = 0, n = 0;
  };
  std::map<std::string, Means> means;
  for (const Group& group : data_.groups()) {
    for (const Run* run : group.runs) {
      const auto accuracy = run->summary_number("final_test_accuracy"),
                 bytes = run->summary_number("bytes_sent");
      if (!run->completed() || !bytes) continue;
      Means& of_series = means[group.series];
      of_series.accuracy += accuracy.value_or(NAN);
      of_series.bytes += *bytes;
      ++of_series.n;
    }
  }
  if (!means.contains(winner) || means.size() < 2) return {};
  for (auto& [name, of_series] : means) {
    of_series.accuracy /= of_series.n;
    of_series.bytes /= of_series.n;
  }
  const Means& own = means.at(winner);
  const auto most = std::ranges::max_element(means, {}, [](const auto& entry) { return entry.second.bytes; });
  const auto best =
      std::ranges::max_element(means, {}, [](const auto& entry) { return entry.second.accuracy; });
  std::string text;
  if (std::isfinite(own.accuracy) && contests_.measure != Measure::final_test_accuracy) {
    text = "In the end " + winner + " has " + percent(own.accuracy) + " test accuracy, ";
    text += best->first == winner
                ? "the best of all"
                : points(best->second.accuracy - own.accuracy) + " less than " + best->first;
  }
  if (most->first != winner && own.bytes > 0) {
    text += (text.empty() ? winner + " has sent " : ", and has sent ") + format_bytes(own.bytes) + ", " +
            factor(most->second.bytes / own.bytes) + " times less than " + most->first;
  }
  return text.empty() ? text : text + ".";
}

/// "about 80 Mbps (78 Mbps to 83 Mbps; latency 1 ms)"
std::string Writer::place_of(const Crossover& tie, std::size_t axis) const {
  const Axis& along = data_.axes()[axis];
  std::vector<std::string> details;
  const Interval& interval = *tie.interval;
  const std::string middle = along.label(interval.mean), low = along.label(interval.low),
                    high = along.label(interval.high);
  if (low != high) details.push_back("95 % interval " + low + " to " + high);
  for (std::size_t i = 0; i < data_.axes().size(); ++i) {
    if (i == axis || data_.axes()[i].values.size() < 2) continue;
    details.push_back(lower_first(data_.axes()[i].title) + " " +
                      data_.axes()[i].label(tie.group->coordinates[i]));
  }
  std::string text = "about " + middle;
  for (std::size_t i = 0; i < details.size(); ++i) text += (i == 0 ? " (" : "; ") + details[i];
  return details.empty() ? text : text + ")";
}

std::string Writer::crossing_sentence(std::size_t axis) const {
  const Axis& along = data_.axes()[axis];
  const auto measure = time_measure(data_);
  if (!along.numeric || along.values.front().get<double>() <= 0 || !measure) return {};
  const std::vector<Crossover> all = find_crossovers(data_, axis, *measure, contests_.ranking.front());
  for (const std::string& other : contests_.ranking) {
    std::vector<const Crossover*> ties;
    for (const Crossover& tie : all) {
      const bool same_way = ties.empty() || tie.faster_below == ties.front()->faster_below;
      if (tie.other == other && tie.interval && tie.faster_below != tie.faster_above && same_way)
        ties.push_back(&tie);
    }
    if (ties.empty()) continue;
    constexpr std::size_t most_places = 4;
    std::vector<std::string> places;
    for (const Crossover* tie : ties) {
      if (places.size() < most_places) places.push_back(place_of(*tie, axis));
    }
    if (ties.size() > places.size())
      places.push_back(std::to_string(ties.size() - places.size()) + " more places");
    return ties.front()->faster_below + " is faster below, and " + ties.front()->faster_above + " above, a " +
           lower_first(along.title) + " of " + enumerate(places) + ".";
  }
  return {};
}

std::string Writer::where_it_turns() const {
  const bool any = std::ranges::any_of(contests_.contests,
                                       [](const Contest& contest) { return contest.winner() != nullptr; });
  if (!any) return {};
  for (std::size_t axis = 0; axis < data_.axes().size(); ++axis) {
    const std::string text = crossing_sentence(axis);
    if (!text.empty()) return text;
  }
  return price(contests_.ranking.front());
}

std::string Writer::what_did_not_fit() const {
  std::vector<std::string> problems;
  for (const std::string& series : data_.series()) {
    std::size_t runs = 0, too_big = 0, broken = 0, short_of_target = 0;
    double need = 0, limit = 0;
    for (const Group& group : data_.groups()) {
      if (group.series != series) continue;
      for (const Run* run : group.runs) {
        ++runs;
        if (run->out_of_memory()) {
          ++too_big;
          if (run->memory.is_object()) {
            need = std::max(need, run->memory.value("need_bytes", 0.0));
            limit = std::max(limit, run->memory.value("limit_bytes", 0.0));
          }
        } else if (!run->completed()) {
          ++broken;
        } else if (run->summary_number("target_accuracy") && !run->summary_number("seconds_to_target")) {
          ++short_of_target;
        }
      }
    }
    const auto of_runs = [&](std::size_t n) {
      return n == runs ? (n == 1 ? std::string() : " in any run")
                       : " in " + std::to_string(n) + " of " + counted(static_cast<long>(runs), "run");
    };
    if (too_big > 0) {
      std::string text = series + " did not fit into memory" + of_runs(too_big);
      if (need > 0) text += " (up to " + format_memory(need) + " needed, " + format_memory(limit) + " there)";
      problems.push_back(text);
    }
    if (short_of_target > 0)
      problems.push_back(series + " did not reach the target" + of_runs(short_of_target));
    if (broken > 0) problems.push_back(series + " failed" + (broken == runs ? "" : of_runs(broken)));
  }
  if (!problems.empty()) return upper_first(enumerate(problems)) + ".";
  const std::string all =
      data_.runs().size() == 1 ? "The run" : "All " + counted(static_cast<long>(data_.runs().size()), "run");
  return all + " fitted into memory" +
         (contests_.measure == Measure::seconds_to_target ? " and reached the target accuracy." : ".");
}

}  // namespace

std::string enumerate(const std::vector<std::string>& items) {
  std::string text;
  for (std::size_t i = 0; i < items.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == items.size() ? " and " : ", ") + items[i];
  }
  return text;
}

Answer answer(const Dataset& data) {
  if (data.runs().empty()) return {"", {"No run has finished."}};
  const Writer writer(data);
  Answer found{writer.question(), {}};
  for (const std::string& sentence :
       {writer.who_wins(), writer.where_it_turns(), writer.what_did_not_fit()}) {
    if (!sentence.empty()) found.sentences.push_back(sentence);
  }
  return found;
}

}  // namespace isthmus::analysis
