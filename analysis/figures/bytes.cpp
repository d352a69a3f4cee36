#include <algorithm>
#include <array>
#include <cmath>

#include "analysis/figures/kinds.hpp"
#include "analysis/figures/spec.hpp"
#include "analysis/figures/theme.hpp"
#include "analysis/statistics/interval.hpp"

namespace isthmus::analysis {
namespace {

/// What messages carried, and what papers count whichever way it travels: for each worker and round what it
/// gives up and what it gets.
struct Accounting {
  const char *name, *column;
};
constexpr std::array accountings = {Accounting{"sent", "bytes_per_round"},
                                    Accounting{"as papers count", "paper_bytes_per_round"}};

std::vector<double> bytes_of(const Group& group, const Accounting& accounting) {
  std::vector<double> bytes;
  for (const Run* run : group.runs) {
    const auto value = run->completed() ? run->summary_number(accounting.column) : std::nullopt;
    if (value) bytes.push_back(*value);
  }
  return bytes;
}

Figure bytes_per_round(const Dataset& dataset, const FigureOptions& options) {
  const auto irrelevant = irrelevant_axes(dataset, [](const Group& group) {
    Json bytes = Json::array();
    for (const Accounting& accounting : accountings) bytes.push_back(bytes_of(group, accounting));
    return bytes;
  });
  const double height = row_height(dataset.series()) * static_cast<double>(dataset.series().size());
  const Panels panels = choose_panels(dataset, {{}, irrelevant}, options, panels_that_fit(height, options));
  Table table({"series", "panel", "accounting", "bytes_per_round", "low", "high", "n"});
  double least = INFINITY, most = 0;
  for (const PlacedGroup& placed : panels.groups) {
    for (const Accounting& accounting : accountings) {
      const std::vector<double> all = bytes_of(*placed.group, accounting);
      if (all.empty()) continue;
      const Interval bytes = mean_interval(all);
      table.add(
          {placed.group->series, placed.panel, accounting.name, bytes.mean, bytes.low, bytes.high, bytes.n});
      if (bytes.mean > 0) least = std::min(least, bytes.mean);
      most = std::max(most, bytes.mean);
    }
  }
  if (table.empty()) throw NotApplicable("no completed run has bytes of a round in its run.json");
  Plot plot = plot_of("bytes", dataset, panels);
  fill_bytes(plot.view["encoding"]["x"], least, most);
  fill_rows(plot, present_series(dataset, table));
  layer_of(plot.view, "points")["encoding"]["color"]["scale"]["range"] = activity_colors(accountings.size());
  const std::string caption = sentences(
      {"Bytes of all workers together in a round: sent, as messages carried them, and as papers count, what "
       "each "
       "worker has to give up and to get, whichever way it travels.",
       sample_note(panels.groups, "intervals are in the data"), panels.note, outcome_summary(panels.groups)});
  Json spec = make_spec(plot, table, options);
  return {"bytes-per-round", "Bytes of a round, sent and as papers count",
          caption,           outcome_notes(dataset, panels.groups),
          std::move(spec),   std::move(table)};
}

}  // namespace

std::vector<FigureKind> byte_kinds() {
  return {{"bytes-per-round", "Bytes of a round, as sent and as the papers count them, by protocol",
           bytes_per_round}};
}

}  // namespace isthmus::analysis
