#include <algorithm>
#include <cmath>
#include <set>

#include "analysis/figures/kinds.hpp"
#include "analysis/figures/spec.hpp"
#include "analysis/figures/theme.hpp"

namespace isthmus::analysis {
namespace {

constexpr std::string_view part_suffix = "_bytes";

/// The memory of the run (of those of a group) that needs most, or nothing.
const Run* fullest_run(const Group& group) {
  const Run* fullest = nullptr;
  double most = -1;
  for (const Run* run : group.runs) {
    if (!run->memory.is_object() || !run->memory.value("parts", Json()).is_object()) continue;
    const Json need = run->memory.value("need_bytes", Json());
    if (!need.is_number() || need.get<double>() <= most) continue;
    most = need.get<double>();
    fullest = run;
  }
  return fullest;
}

Json outcome(const Group& group) {
  const Run* run = fullest_run(group);
  if (!run) return nullptr;
  return {run->memory.at("parts"), run->memory.value("limit_bytes", Json()), run->out_of_memory()};
}

Figure memory(const Dataset& dataset, const FigureOptions& options) {
  const AxisRoles roles{{}, irrelevant_axes(dataset, outcome)};
  const double height = row_height(dataset.series()) * static_cast<double>(dataset.series().size());
  const Panels panels = choose_panels(dataset, roles, options, panels_that_fit(height, options));
  Table table(
      {"series", "panel", "part", "bytes", "need_bytes", "limit_bytes", "outcome", "host", "is_first"});
  std::vector<std::string> all_parts;
  std::set<std::string> shown_parts;
  double most = 0, least_limit = INFINITY, largest_limit = 0;
  std::size_t out_of_memory = 0;
  for (const PlacedGroup& placed : panels.groups) {
    const Run* run = fullest_run(*placed.group);
    if (!run) continue;
    const Json need = run->memory.at("need_bytes"), limit = run->memory.value("limit_bytes", Json());
    most = std::max(most, need.get<double>());
    if (limit.is_number()) {
      least_limit = std::min(least_limit, limit.get<double>());
      largest_limit = std::max(largest_limit, limit.get<double>());
    }
    out_of_memory += run->out_of_memory();
    bool is_first = true;
    for (const auto& [key, bytes] : run->memory.at("parts").items()) {
      if (!bytes.is_number()) continue;
      const std::string part =
          key.ends_with(part_suffix) ? key.substr(0, key.size() - part_suffix.size()) : key;
      if (std::ranges::find(all_parts, part) == all_parts.end()) all_parts.push_back(part);
      if (bytes.get<double>() == 0) continue;
      shown_parts.insert(part);
      table.add({placed.group->series, placed.panel, part, bytes, need, limit, run->outcome,
                 run->memory.value("host", ""), is_first});
      is_first = false;
    }
  }
  if (table.empty()) throw NotApplicable("no run.json says how much memory was needed");
  // A part keeps its colour whether or not others are there.
  std::vector<std::string> parts, colors;
  const std::vector<std::string> part_colors = stack_colors(all_parts.size());
  for (std::size_t i = 0; i < all_parts.size(); ++i) {
    if (!shown_parts.contains(all_parts[i])) continue;
    parts.push_back(all_parts[i]);
    colors.push_back(part_colors[std::min(i, part_colors.size() - 1)]);
  }
  // Where every limit is far away, showing it would leave nothing of the bars to see.
  constexpr double far = 3;
  const bool shows_limit = least_limit <= far * most;
  double right_end = most;
  for (std::size_t row = 0; shows_limit && row < table.rows().size(); ++row) {
    const Json& limit = table.cell(row, "limit_bytes");
    if (limit.is_number() && limit.get<double>() <= far * most)
      right_end = std::max(right_end, limit.get<double>());
  }
  // Room for a cross behind the longest bar.
  if (out_of_memory > 0) right_end *= 1.1;
  Plot plot = plot_of("memory", dataset, panels);
  fill_rows(plot, present_series(dataset, table));
  set_parameter(plot.view, "parts", parts);
  set_parameter(plot.view, "largest_limit", far * most);
  Json& bars = layer_of(plot.view, "bars")["encoding"];
  fill_position(bars["x"], {.unit = Unit::memory, .low = 0, .high = right_end, .from_zero = true});
  bars["color"]["scale"] = {{"domain", parts}, {"range", colors}};
  bars["color"]["legend"]["columns"] = options.width == FigureWidth::one_column ? 3 : 6;
  if (!shows_limit) drop_layer(plot.view, "limits");
  const bool one_limit = largest_limit == least_limit;
  const std::string limit_note =
      !std::isfinite(least_limit) ? "Devices have no limit."
      : shows_limit
          ? "Upright ticks: the device's limit (" + format_quantity(least_limit, Unit::memory) +
                (one_limit ? ")." : " or more).")
          : "The smallest limit, " + format_quantity(least_limit, Unit::memory) + ", is off the scale.";
  const std::string caption = sentences(
      {"Memory that the fullest device of a run needed at its peak, by part; of several seeds the one that "
       "needed most.",
       limit_note,
       out_of_memory > 0 ? "✕: out of memory; the bar is what was needed when memory ran out." : "",
       panels.note});
  Json spec = make_spec(plot, table, options);
  return {"memory", "Memory of a device by part", caption, {}, std::move(spec), std::move(table)};
}

}  // namespace

std::vector<FigureKind> memory_kinds() {
  return {
      {"memory", "Memory of the fullest device by part, against its limit; what ran out of memory", memory}};
}

}  // namespace isthmus::analysis
