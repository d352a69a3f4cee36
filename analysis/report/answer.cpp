#include "analysis/report/answer.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/format.hpp"
#include "analysis/report/phrases.hpp"
#include "analysis/report/price.hpp"
#include "analysis/statistics/contest.hpp"
#include "analysis/statistics/crossover.hpp"
#include "analysis/statistics/difference.hpp"

namespace isthmus::analysis {
namespace {

std::vector<std::string> axis_titles(const Dataset& data) {
  std::vector<std::string> titles;
  for (const Axis& axis : data.axes()) titles.push_back(lower_first(axis.title));
  return titles;
}

constexpr const char* not_told_apart = "not told apart by the seeds";

/// Series that lead together, and where.
struct Front {
  std::vector<std::string> leaders;
  bool by_chance = false;
  std::size_t number = 0;                     ///< of settings
  double least = INFINITY, most = -INFINITY;  ///< lead over the next; least > most where nobody is behind
  bool at_least = false;                      ///< of some setting the lead is a lower bound
};

/// A series that alone gets there, and where.
struct Sole {
  std::string series;
  bool with_every_seed = false;  ///< others do so with some
  std::size_t number = 0;        ///< of settings
  std::size_t runs = 0, with_value = 0;
};

class Writer {
 public:
  explicit Writer(const Dataset& data) : data_(data), contests_(hold_contests(data, usual_measure(data))) {}

  std::string question() const;
  std::string who_wins() const;
  std::string what_is_not_known() const;
  std::string where_it_turns() const;
  std::string what_it_costs() const;
  std::string what_did_not_fit() const;

 private:
  std::string goal(bool singular) const;
  std::string bare_goal() const;
  std::string level_goal() const;
  std::string value(const Standing& standing) const;
  std::string ahead(const Standing& winner, const Standing& other) const;
  std::string margin(const Front& front) const;
  std::string conditions() const;
  std::string one_contest(const Contest& contest) const;
  std::vector<Front> fronts() const;
  std::vector<Sole> soles() const;
  std::string nobody() const;
  std::string small_differences() const;
  std::string place_of(const Crossover& tie, std::size_t axis) const;
  std::string crossing_sentence(std::size_t axis) const;

  const Dataset& data_;
  Contests contests_;
};

/// "in 4 of 6 runs"
std::string in_runs(std::size_t some, std::size_t all) {
  return "in " + std::to_string(some) + " of " + counted(all, "run");
}

std::string first_of(const std::optional<double>& target, bool singular) {
  return (singular ? "reaches " : "reach ") +
         (target ? percent(*target) + " test accuracy"
                 : std::string(singular ? "its" : "their") + " target accuracy");
}

/// "reaches 83 % test accuracy first"
std::string Writer::goal(bool singular) const {
  switch (contests_.measure) {
    case Measure::seconds_to_target:
      return first_of(contests_.target_accuracy, singular) + " first";
    case Measure::final_test_accuracy:
      return std::string(singular ? "ends" : "end") + " with the best test accuracy";
    case Measure::simulated_seconds:
      return singular ? "finishes its training first" : "finish their training first";
  }
  return "";
}

/// "reaches 83 % test accuracy"
std::string Writer::bare_goal() const {
  return contests_.measure == Measure::seconds_to_target ? first_of(contests_.target_accuracy, true)
                                                         : "finishes its training";
}

/// What all who are compared do.
std::string Writer::level_goal() const {
  switch (contests_.measure) {
    case Measure::seconds_to_target:
      return first_of(contests_.target_accuracy, false) + " at the same time";
    case Measure::final_test_accuracy:
      return "end with the same test accuracy";
    case Measure::simulated_seconds:
      return "finish their training at the same time";
  }
  return "";
}

std::string Writer::value(const Standing& standing) const {
  if (contests_.measure == Measure::final_test_accuracy) return percent(*standing.value);
  return (standing.at_most ? "≤ " : "") + format_seconds(*standing.value);
}

/// "1.5 times as fast as", "2.1 percentage points better than"
std::string Writer::ahead(const Standing& winner, const Standing& other) const {
  const double by = lead(contests_.measure, *winner.value, *other.value);
  if (contests_.measure == Measure::final_test_accuracy) return points(by) + " better than";
  return (winner.at_most ? "at least " : "") + format_factor(std::exp(by)) + " times as fast as";
}

std::string Writer::question() const {
  const std::vector<std::string>& series = data_.series();
  std::string text =
      series.size() > 1 ? "Which of " + enumerate(series) + " " : "How does " + series.front() + " do";
  if (series.size() > 1) text += goal(true);
  std::vector<std::string> ranges;
  for (const Axis& axis : data_.axes()) {
    if (axis.numeric && axis.values.size() > 1) {
      ranges.push_back(lower_first(axis.title) + " from " + axis.label(axis.values.front()) + " to " +
                       axis.label(axis.values.back()));
    } else if (axis.values.size() > 1) {
      ranges.push_back(counted(axis.values.size(), "value") + " of " + lower_first(axis.title));
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
  const std::vector<Standing>& all = contest.standings;
  std::vector<std::string> leaders, others;
  for (std::size_t place = 0; place < contest.valued; ++place) {
    const Standing& standing = all[place];
    const std::string with_value = standing.series + " (" + value(standing) + ")";
    const bool leads = !contest.decided() || place < contest.leaders;
    (leads ? leaders : others).push_back((leads ? "" : ahead(all[0], standing) + " ") + with_value);
  }
  const std::string in = contests_.measure == Measure::final_test_accuracy ? ", with " : ", in ";
  if (const Standing* only = contest.only()) {
    return "Only " + only->series + " " + bare_goal() + (contest.arrived() > 1 ? " with every seed" : "") +
           (only->value ? in + value(*only) : ", " + in_runs(only->with_value, only->runs)) + ".";
  }
  if (!contest.decided()) return "Who " + goal(true) + " is open: " + enumerate(leaders) + ".";
  const std::string behind = others.empty() ? "." : ": " + enumerate(others) + ".";
  if (leaders.size() == 1) return all[0].series + " " + goal(true) + in + value(all[0]) + behind;
  if (others.empty() && !contest.by_chance) return enumerate(leaders) + " " + level_goal() + ".";
  return enumerate(leaders) + " " + goal(false) + ", " + (contest.by_chance ? not_told_apart : "level") +
         behind;
}

std::vector<Front> Writer::fronts() const {
  std::vector<Front> found;
  for (const Contest& contest : contests_.contests) {
    if (!contest.decided()) continue;
    std::vector<std::string> leaders;
    for (const std::string& series : contests_.ranking) {
      for (std::size_t place = 0; place < contest.leaders; ++place) {
        if (contest.standings[place].series == series) leaders.push_back(series);
      }
    }
    auto front = std::ranges::find_if(found, [&](const Front& each) {
      return each.leaders == leaders && each.by_chance == contest.by_chance;
    });
    if (front == found.end()) {
      front = found.insert(found.end(), {.leaders = leaders, .by_chance = contest.by_chance});
    }
    ++front->number;
    if (contest.leaders == contest.valued) continue;
    const Standing &first = contest.standings.front(), &next = contest.standings[contest.leaders];
    const double by = lead(contests_.measure, *first.value, *next.value);
    front->least = std::min(front->least, by);
    front->most = std::max(front->most, by);
    front->at_least |= first.at_most;
  }
  std::ranges::stable_sort(found, std::ranges::greater{}, &Front::number);
  return found;
}

std::vector<Sole> Writer::soles() const {
  std::vector<Sole> found;
  for (const Contest& contest : contests_.contests) {
    const Standing* only = contest.only();
    if (!only) continue;
    const bool with_every_seed = contest.arrived() > 1;
    auto sole = std::ranges::find_if(found, [&](const Sole& each) {
      return each.series == only->series && each.with_every_seed == with_every_seed;
    });
    if (sole == found.end())
      sole = found.insert(found.end(), {.series = only->series, .with_every_seed = with_every_seed});
    ++sole->number;
    sole->runs += only->runs;
    sole->with_value += only->with_value;
  }
  std::ranges::stable_sort(found, std::ranges::greater{}, &Sole::number);
  return found;
}

std::string Writer::nobody() const {
  const std::vector<std::string>& series = data_.series();
  const std::string who =
      series.size() == 2 ? "Neither " + series[0] + " nor " + series[1] : "None of " + enumerate(series);
  return who + " " + bare_goal() + ".";
}

/// ", 1.2 to 3 times as fast as the next"
std::string Writer::margin(const Front& front) const {
  if (front.least > front.most) return {};
  if (contests_.measure == Measure::final_test_accuracy) return ", by up to " + points(front.most);
  const std::string least = format_factor(std::exp(front.least)), most = format_factor(std::exp(front.most));
  return std::string(front.at_least ? ", at least " : ", ") + (least == most ? most : least + " to " + most) +
         " times as fast as the next";
}

/// What "level" and "not told apart" mean, where they are said.
std::string Writer::small_differences() const {
  bool level = false, by_chance = false;
  for (const Contest& contest : contests_.contests) {
    level = level || (contest.leaders > 1 && !contest.by_chance);
    by_chance = by_chance || contest.by_chance;
  }
  const bool accuracy = contests_.measure == Measure::final_test_accuracy;
  const std::string margin = accuracy ? points(accuracy_margin) : percent(time_margin);
  return (level ? " (Level: within " + margin + ".)" : "") +
         (by_chance ? " (Not told apart: seeds disagree, or the 95 % interval over them leaves it open.)"
                    : "");
}

std::string Writer::who_wins() const {
  const auto open = static_cast<std::size_t>(std::ranges::count_if(contests_.contests, &Contest::open));
  const auto none =
      static_cast<std::size_t>(std::ranges::count(contests_.contests, std::ptrdiff_t{0}, &Contest::arrived));
  const std::size_t all_contests = contests_.contests.size();
  const std::vector<Front> found = fronts();
  const std::vector<Sole> alone = soles();
  const std::string costs_only =
      contests_.measure == Measure::simulated_seconds
          ? " Accuracy was not measured: nothing here says what has been learnt by then."
          : "";
  if (found.empty() && alone.empty() && open == 0) {
    return (data_.series().size() < 2
                ? "There is only " + data_.series().front() + " here, nothing to compare it with."
            : none == all_contests ? nobody()
                                   : "No two protocols can be compared under the same conditions.") +
           costs_only;
  }
  if (all_contests == 1) return one_contest(contests_.contests.front()) + small_differences() + costs_only;
  std::size_t undecided = all_contests - open - none;
  std::string text;
  const auto at = [&](std::size_t number) {
    if (!text.empty()) return " at " + std::to_string(number);
    return " at " + (number == all_contests ? "all " : std::to_string(number) + " of ") + conditions();
  };
  for (const Front& front : found) {
    undecided -= front.number;
    const bool single = front.leaders.size() == 1;
    const bool all_level = !single && !front.by_chance && front.least > front.most;
    const std::string level = single                      ? ""
                              : front.by_chance           ? std::string(", ") + not_told_apart + ","
                              : all_level && text.empty() ? ""
                                                          : ", level,";
    const std::string who = (text.empty() ? "" : "; ") + enumerate(front.leaders) +
                            (text.empty() ? " " + (all_level ? level_goal() : goal(single)) : std::string()) +
                            level;
    text += who + at(front.number) + margin(front);
  }
  const bool with_target = contests_.measure == Measure::seconds_to_target;
  const std::string gets_there = with_target ? "reaches it" : "finishes";
  for (const Sole& sole : alone) {
    undecided -= sole.number;
    const std::string who = (text.empty() ? "Only " : "; only ") + sole.series + " " +
                            (text.empty() ? bare_goal() : gets_there) +
                            (sole.with_every_seed ? " with every seed" : "");
    text += who + at(sole.number);
    if (sole.with_value < sole.runs) text += ", " + in_runs(sole.with_value, sole.runs);
  }
  if (text.empty()) {
    text = "Who " + goal(true) + " is open" + at(open);
  } else if (open > 0) {
    text += "; at " + std::to_string(open) + " it is open who is first";
  }
  if (none > 0) text += "; at " + std::to_string(none) + " none " + gets_there;
  if (undecided > 0) text += "; at " + std::to_string(undecided) + " no two can be compared";
  return text + "." + small_differences() + costs_only;
}

/// Targets met at the first test.
std::string Writer::what_is_not_known() const {
  if (contests_.measure != Measure::seconds_to_target) return {};
  std::size_t at_first_test = 0, met = 0;
  std::vector<std::string> names;
  for (const std::string& series : data_.series()) {
    bool any = false;
    for (const Group& group : data_.groups()) {
      if (group.series != series) continue;
      for (const Run* run : group.runs) {
        met += run->summary_number("seconds_to_target").has_value();
        at_first_test += run->to_target_is_upper_bound();
        any = any || run->to_target_is_upper_bound();
      }
    }
    if (any) names.push_back(series);
  }
  if (names.empty()) return {};
  return enumerate(names) + " met the target at the first test already, in " +
         (met == 1               ? "the only run"
          : at_first_test == met ? "all " + counted(met, "run")
                                 : std::to_string(at_first_test) + " of " + counted(met, "run")) +
         " that met it. How much earlier is not known: times marked ≤ are upper bounds. To know more, " +
         test_more_often + ".";
}

std::string Writer::what_it_costs() const {
  std::string text;
  for (const std::string& series : contests_.ranking) {
    const bool leads = std::ranges::any_of(contests_.contests, [&](const Contest& contest) {
      if (const Standing* only = contest.only()) return only->series == series;
      const auto first = contest.standings.begin();
      return std::any_of(first, first + static_cast<std::ptrdiff_t>(contest.leaders),
                         [&](const Standing& standing) { return standing.series == series; });
    });
    const std::string sentence = leads ? price(data_, contests_, series) : std::string();
    text += (text.empty() || sentence.empty() ? "" : " ") + sentence;
  }
  return text;
}

/// "about 80 Mbps (95 % interval 78 Mbps to 83 Mbps; latency 1 ms)", "10 Mbps to 30 Mbps (equal there)"
std::string Writer::place_of(const Crossover& tie, std::size_t axis) const {
  const Axis& along = data_.axes()[axis];
  std::vector<std::string> details;
  std::string text;
  if (tie.interval) {
    const Interval& interval = *tie.interval;
    const std::string low = along.label(interval.low), high = along.label(interval.high);
    text = "about " + along.label(interval.mean);
    if (low != high) details.push_back("95 % interval " + low + " to " + high);
  } else {
    text = along.label(tie.equal.front().from) + " to " + along.label(tie.equal.front().to);
    details.push_back("where they are equal");
  }
  for (std::size_t i = 0; i < data_.axes().size(); ++i) {
    if (i == axis || data_.axes()[i].values.size() < 2) continue;
    details.push_back(lower_first(data_.axes()[i].title) + " " +
                      data_.axes()[i].label(tie.group->coordinates[i]));
  }
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
      const bool turns =
          !tie.faster_below.empty() && !tie.faster_above.empty() && tie.faster_below != tie.faster_above;
      if (tie.other == other && turns && same_way && (tie.interval || tie.equal.size() == 1))
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
  if (!std::ranges::any_of(contests_.contests, &Contest::decided)) return {};
  for (std::size_t axis = 0; axis < data_.axes().size(); ++axis) {
    const std::string text = crossing_sentence(axis);
    if (!text.empty()) return text;
  }
  return {};
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
      return n == runs ? (n == 1 ? std::string() : " in any run") : " " + in_runs(n, runs);
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
  const std::string all = data_.runs().size() == 1 ? "The run" : "All " + counted(data_.runs().size(), "run");
  return all + " fitted into memory" +
         (contests_.measure == Measure::seconds_to_target ? " and reached the target accuracy." : ".");
}

}  // namespace

Answer answer(const Dataset& data) {
  if (data.runs().empty()) return {"", {"No run has finished."}};
  const Writer writer(data);
  Answer found{writer.question(), {}};
  for (const std::string& sentence : {writer.who_wins(), writer.what_is_not_known(), writer.where_it_turns(),
                                      writer.what_it_costs(), writer.what_did_not_fit()}) {
    if (!sentence.empty()) found.sentences.push_back(sentence);
  }
  return found;
}

}  // namespace isthmus::analysis
