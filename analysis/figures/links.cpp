#include <algorithm>
#include <cmath>
#include <map>

#include "analysis/figures/kinds.hpp"
#include "analysis/figures/spec.hpp"
#include "analysis/statistics/interval.hpp"
#include "analysis/text.hpp"

namespace isthmus::analysis {
namespace {

constexpr std::size_t most_links = 24;
constexpr double link_axis_width = 100;  // names of links

struct LinkValues {
  std::vector<double> bytes, busy_fractions;
};

std::map<std::string, LinkValues> values_by_link(const Group& group) {
  std::map<std::string, LinkValues> links;
  for (const Run* run : group.runs) {
    if (!run->completed()) continue;
    for (const LinkUse& use : run->links) {
      links[use.link].bytes.push_back(use.bytes);
      if (use.busy_fraction) links[use.link].busy_fractions.push_back(*use.busy_fraction);
    }
  }
  return links;
}

Figure bytes_by_link(const Dataset& dataset, const FigureOptions& options) {
  const auto irrelevant = irrelevant_axes(dataset, [](const Group& group) {
    Json bytes = Json::array();
    for (const auto& [link, values] : values_by_link(group))
      bytes.push_back({link, mean_interval(values.bytes).mean});
    return bytes;
  });
  const Panels panels = choose_panels(dataset, {{}, irrelevant}, options, options.facet.empty() ? 1 : 4);
  std::map<std::string, double> largest;
  for (const PlacedGroup& placed : panels.groups) {
    for (const auto& [link, values] : values_by_link(*placed.group))
      largest[link] = std::max(largest[link], mean_interval(values.bytes).mean);
  }
  if (largest.empty()) throw NotApplicable("no completed run has a links.csv with links in it");
  std::vector<std::string> links;
  for (const auto& entry : largest) links.push_back(entry.first);
  std::ranges::stable_sort(links, std::greater<>(),
                           [&](const std::string& link) { return largest.at(link); });
  const std::size_t all = links.size();
  if (all > most_links) links.resize(most_links);
  std::ranges::sort(links, natural_less);

  Table table({"series", "panel", "link", "bytes", "low", "high", "n", "busy_fraction"});
  double least = INFINITY, most = 0;
  for (const PlacedGroup& placed : panels.groups) {
    const auto by_link = values_by_link(*placed.group);
    for (const std::string& link : links) {
      const auto found = by_link.find(link);
      if (found == by_link.end()) continue;
      const Interval bytes = mean_interval(found->second.bytes);
      const auto& busy = found->second.busy_fractions;
      table.add({placed.group->series, placed.panel, link, bytes.mean, bytes.low, bytes.high, bytes.n,
                 busy.empty() ? Json() : Json(mean_interval(busy).mean)});
      if (bytes.mean > 0) least = std::min(least, bytes.mean);
      most = std::max(most, bytes.mean);
    }
  }
  Plot plot = plot_of("links", dataset, panels);
  fill_bytes(plot.view["encoding"]["x"], least, most);
  plot.view["encoding"]["y"]["sort"] = links;
  fill_series(plot.view, dataset, present_series(dataset, table), options, link_axis_width);
  plot.axis_width = link_axis_width;
  plot.height = 14 * static_cast<double>(links.size());
  const std::string caption =
      sentences({"Bytes that each link carried in a whole run.",
                 sample_note(panels.groups, "intervals are in the data"),
                 all > links.size() ? "The " + std::to_string(links.size()) +
                                          " links that carried most, of " + std::to_string(all) + "."
                                    : "",
                 panels.note, outcome_summary(panels.groups)});
  Json spec = make_spec(plot, table, options);
  return {"bytes-by-link", "Bytes by link", caption, outcome_notes(dataset, panels.groups),
          std::move(spec), std::move(table)};
}

}  // namespace

std::vector<FigureKind> link_kinds() {
  return {{"bytes-by-link", "Bytes that each link carried, by protocol", bytes_by_link}};
}

}  // namespace isthmus::analysis
