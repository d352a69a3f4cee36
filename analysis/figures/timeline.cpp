#include <algorithm>
#include <map>

#include "analysis/figures/kinds.hpp"
#include "analysis/figures/spec.hpp"
#include "analysis/figures/theme.hpp"

namespace isthmus::analysis {
namespace {

constexpr std::size_t most_rounds = 3, most_spans = 1500;
constexpr const char* beside = " stream";  // the row of a worker's communication stream

const Run* traced_run(const Group& group) {
  const auto found = std::ranges::find_if(group.runs, [](const Run* run) { return run->has_trace; });
  return found == group.runs.end() ? nullptr : *found;
}

/// When the first rounds end: as many as there are spans for, at least one. Of the first worker.
std::vector<double> round_ends(const std::vector<Span>& spans) {
  std::vector<double> ends;
  for (const Span& span : spans) {
    if (span.is_round && span.rank == 0 && ends.size() < most_rounds) ends.push_back(span.end_seconds);
  }
  const auto spans_before = [&](double end) {
    return std::ranges::count_if(spans,
                                 [&](const Span& span) { return !span.is_round && span.end_seconds <= end; });
  };
  while (ends.size() > 1 && static_cast<std::size_t>(spans_before(ends.back())) > most_spans) ends.pop_back();
  return ends;
}

/// Rows and panels as a page has room for.
int most_workers(const FigureOptions& options) { return options.width == FigureWidth::one_column ? 4 : 16; }
constexpr double row_pixels = 12, panel_margin_pixels = 44;  // title, axis, space

struct Panel {
  std::string title;
  std::vector<std::string> rows;  ///< workers, and their streams
  double end_seconds;
};

bool is_stream(const std::string& row) { return row.ends_with(beside); }

double panel_height(const Panel& panel) {
  return row_pixels * static_cast<double>(std::max<std::size_t>(2, panel.rows.size()));
}

std::vector<Panel> those_that_fit(const std::vector<Panel>& panels, const FigureOptions& options) {
  for (std::size_t count = panels.size(); count > 1; --count) {
    double height = 0;
    const std::vector<Panel> some = evenly(panels, count);
    for (const Panel& panel : some) height += panel_height(panel) + panel_margin_pixels;
    if (height <= most_height_pixels(options.width)) return some;
  }
  return evenly(panels, 1);
}

/// Work first, waiting last.
int activity_order(const std::string& name) {
  if (name == "compute") return 0;
  return name == "wait" || name == "idle" ? 2 : 1;
}

Figure timeline(const Dataset& dataset, const FigureOptions& options) {
  // Traces are large and often of few runs: the panels are the series, each at the middle of what was traced.
  std::map<std::string, std::vector<const Group*>> traced;
  for (const Group& group : dataset.groups()) {
    if (traced_run(group)) traced[group.series].push_back(&group);
  }
  if (traced.empty()) throw NotApplicable("no run has a trace.json (run the study with --trace)");
  Table table({"panel", "worker", "activity", "start_seconds", "end_seconds"});
  std::vector<std::string> activities, missing;
  std::vector<Panel> panels;
  std::size_t most_shown = 0;
  bool left_out = false, has_streams = false;
  std::vector<std::size_t> axes;
  for (std::size_t i = 0; i < dataset.axes().size(); ++i) axes.push_back(i);
  for (const std::string& series : dataset.series()) {
    if (!traced.contains(series)) continue;
    const Group& group = *traced.at(series)[traced.at(series).size() / 2];
    std::vector<Span> spans;
    try {
      spans = read_trace(*traced_run(group));
    } catch (const std::runtime_error& error) {
      missing.push_back("Left out: " + std::string(error.what()) + '.');
      continue;
    }
    const std::vector<double> ends = round_ends(spans);
    if (ends.empty()) {
      missing.push_back("Left out: the trace of " + series + " has no round.");
      continue;
    }
    const std::string where = point_label(dataset, group, axes);
    Panel panel{where.empty() ? series : series + ", " + where, {}, ends.back()};
    most_shown = std::max(most_shown, ends.size());
    for (const Span& span : spans) {
      if (span.is_round || span.start_seconds >= ends.back()) continue;
      left_out = left_out || span.rank >= most_workers(options);
      if (span.rank >= most_workers(options)) continue;
      const std::string worker = std::to_string(span.rank) + (span.of_stream ? beside : "");
      if (std::ranges::find(panel.rows, worker) == panel.rows.end()) panel.rows.push_back(worker);
      if (std::ranges::find(activities, span.name) == activities.end()) activities.push_back(span.name);
      table.add(
          {panel.title, worker, span.name, span.start_seconds, std::min(span.end_seconds, ends.back())});
    }
    std::ranges::sort(panel.rows, {}, [](const std::string& row) {
      return std::pair(std::stoi(row), row.ends_with(beside));
    });
    has_streams = has_streams || std::ranges::any_of(panel.rows, is_stream);
    for (const double end : ends) table.add({panel.title, Json(), "end of round", end, end});
    panels.push_back(std::move(panel));
  }
  if (table.empty()) throw NotApplicable(sentences(missing));
  std::ranges::stable_sort(activities, {}, activity_order);
  const std::vector<Panel> shown = those_that_fit(panels, options);
  // Each panel has an axis in the unit that its times need, so they are views of their own.
  Json spec = read_template("timeline");
  const Json example = spec["vconcat"][0];
  spec["vconcat"].clear();
  for (const Panel& panel : shown) {
    Json view = example;
    view["title"]["text"] = panel.title;
    view["width"] = width_pixels(options.width) - (has_streams ? 62 : 36);
    view["height"] = panel_height(panel);
    view["transform"][0]["filter"]["equal"] = panel.title;
    fill_time(view["encoding"]["x"], panel.end_seconds);
    Json& spans = view["layer"][0]["encoding"];
    spans["y"]["scale"]["domain"] = panel.rows;
    spans["color"]["scale"] = {{"domain", activities}, {"range", activity_colors(activities.size())}};
    spec["vconcat"].push_back(std::move(view));
  }
  spec["data"]["values"] = table.records();
  spec["config"] = theme_config(options.theme, options.style);
  const std::string caption = sentences(
      {"What each worker does in the first " +
           (most_shown == 1 ? "round" : "rounds (at most " + std::to_string(most_shown) + ")") +
           "; each panel has its own scale of time. Lines: ends of rounds. One run (n = 1) for each panel.",
       has_streams ? "A worker's stream is communication that overlaps its own computing." : "",
       left_out ? "Shown: the first " + std::to_string(most_workers(options)) + " workers." : "",
       shown.size() < panels.size() ? "There is room for " + std::to_string(shown.size()) + " of " +
                                          std::to_string(panels.size()) + "; the data has all."
                                    : ""});
  return {"timeline",      "Timeline of the first rounds", caption, std::move(missing), std::move(spec),
          std::move(table)};
}

}  // namespace

std::vector<FigureKind> timeline_kinds() {
  return {{"timeline", "What each worker does in the first rounds (needs runs with --trace)", timeline}};
}

}  // namespace isthmus::analysis
