#pragma once

#include <functional>
#include <string>
#include <vector>

#include "analysis/figures/figure.hpp"

namespace isthmus::analysis {

/// A group of runs and the panel it is drawn in.
struct PlacedGroup {
  const Group* group;
  std::string panel;
};

/// Small multiples over the axes that a figure does not show otherwise.
struct Panels {
  std::vector<std::string> labels;  ///< in order
  std::vector<PlacedGroup> groups;
  std::size_t columns = 1;  ///< that make a grid of two axes, or a full row of one
  std::string note;         ///< for the caption, a sentence: at which values, and which were left out

  /// The group of that series at these coordinates; null if it is not among them.
  const Group* find(const std::string& series, const std::vector<Json>& coordinates) const;
};

/// Axes (by position in Dataset::axes()) that a figure treats in another way than by panels.
struct AxisRoles {
  std::vector<std::size_t> shown;       ///< by the figure itself, with all their values
  std::vector<std::size_t> irrelevant;  ///< what is shown does not depend on them: one value stands for all
};

/// Where axes have more values than there is room for, the lowest, the highest and those between are shown,
/// evenly picked; `note` says so: at most `most_panels`, and of a single axis no more than a row of four. The
/// axis of options.facet keeps most values.
/// Throws NotApplicable where that axis does not vary.
Panels choose_panels(const Dataset& dataset, const AxisRoles& roles, const FigureOptions& options,
                     std::size_t most_panels);

/// The axes that `outcome` (a JSON array; numbers in it count as equal within 1e-6) does not depend on, all
/// else equal.
std::vector<std::size_t> irrelevant_axes(const Dataset& dataset,
                                         const std::function<Json(const Group&)>& outcome);

/// "n = 3 seeds ..." of these groups, and what the interval is.
std::string sample_note(const std::vector<PlacedGroup>& groups, const std::string& interval_mark);

/// "Out of memory: 6 runs; deadlock: 1 run.", or empty where all runs completed.
std::string outcome_summary(const std::vector<PlacedGroup>& groups);
/// Where: "Out of memory: Local SGD at 1 Mbps; ...", a note for each outcome.
std::vector<std::string> outcome_notes(const Dataset& dataset, const std::vector<PlacedGroup>& groups);

/// `count` of the values, evenly, with both ends; of one, the middle.
template <typename Value>
std::vector<Value> evenly(const std::vector<Value>& values, std::size_t count) {
  if (count >= values.size()) return values;
  if (count == 1) return {values[values.size() / 2]};
  std::vector<Value> picked;
  for (std::size_t i = 0; i < count; ++i) picked.push_back(values[i * (values.size() - 1) / (count - 1)]);
  return picked;
}

/// A title within a sentence: "Test accuracy" as "test accuracy", but "SGD" as it is.
std::string lowered(std::string title);

/// The text with a capital and a full stop; nothing of nothing.
std::string sentence(std::string text);

/// Sentences with a space between them; empty ones fall out.
std::string sentences(const std::vector<std::string>& parts);

/// "Latency 10 ms, Workers 4": the coordinates of a group on those axes.
std::string point_label(const Dataset& dataset, const Group& group, const std::vector<std::size_t>& axes);

}  // namespace isthmus::analysis
