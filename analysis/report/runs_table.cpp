#include "analysis/report/runs_table.hpp"

#include <algorithm>
#include <cctype>
#include <cstdio>

#include "analysis/format.hpp"

namespace isthmus::analysis {
namespace {

namespace fs = std::filesystem;

struct SummaryColumn {
  const char *key, *label, *format, *title;
};

constexpr SummaryColumn summary_columns[] = {
    {"seconds_to_target", "To target", "seconds",
     "Simulated time until the target accuracy was met, linear between tests; ≤: met at the first test"},
    {"bytes_to_target", "Sent to target", "bytes", "Sent by all workers until then"},
    {"final_test_accuracy", "Accuracy", "fraction", "Of the last test"},
    {"simulated_seconds", "Simulated", "seconds", "Simulated time of the whole run"},
    {"rounds", "Rounds", "count", "Rounds of the protocol"},
    {"bytes_sent", "Sent", "bytes", "Sent by all workers, every hop of an all-reduce counted"},
    {"paper_bytes_per_round", "Papers' bytes", "bytes",
     "Of a round, as the papers on IST and ResIST count: what each worker would send up to a server and get "
     "back from it, summed over workers, whichever way it really travels"},
    {"memory_peak_bytes", "Memory", "memory", "The most that a device needs"},
    {"energy_joules", "Energy", "joules", "Of all devices whose watts are known, busy and idle"}};

Json column(const std::string& key, const std::string& label, const std::string& title,
            const std::string& format) {
  return {
      {"key", key}, {"label", label}, {"title", title}, {"format", format}, {"numeric", format != "text"}};
}

Json seed_of(const Run& run) {
  const Json::json_pointer seed("/training/seed");
  return run.configuration.is_object() && run.configuration.contains(seed) ? run.configuration.at(seed)
                                                                           : Json();
}

bool any_has(const Dataset& data, const char* key) {
  return std::ranges::any_of(data.runs(),
                             [&](const Run* run) { return run->summary_number(key).has_value(); });
}

Json axis_cell(const Axis& axis, const Json& value) {
  if (value.is_null()) return nullptr;
  return Json::array({value, axis.label(value)});
}

/// "out of memory"
std::string words(std::string name) {
  std::ranges::replace(name, '_', ' ');
  return name;
}

Json summary_cell(const Run& run, const SummaryColumn& column) {
  const std::string key = column.key;
  if (const auto value = run.summary_number(column.key)) {
    const bool bound = key.ends_with("_to_target") && run.to_target_is_upper_bound();
    if (!bound) return *value;
    return Json::array(
        {*value, "≤ " + (key == "bytes_to_target" ? format_bytes(*value) : format_seconds(*value))});
  }
  const bool missed =
      key == "seconds_to_target" && run.completed() && run.summary_number("target_accuracy").has_value();
  return missed ? Json::array({nullptr, "not reached"}) : Json();
}

}  // namespace

std::string relative_url(const fs::path& path, const fs::path& from) {
  const fs::path relative =
      fs::absolute(path).lexically_normal().lexically_relative(fs::absolute(from).lexically_normal());
  std::string url;
  for (const char character : relative.generic_string()) {
    const auto byte = static_cast<unsigned char>(character);
    if (std::isalnum(byte) || std::string("/-_.~").find(character) != std::string::npos) {
      url += character;
    } else {
      char encoded[8];
      std::snprintf(encoded, sizeof encoded, "%%%02X", byte);
      url += encoded;
    }
  }
  return url;
}

Json runs_table(const Dataset& data, const fs::path& from) {
  const bool many_studies = data.studies().size() > 1;
  const bool traces = std::ranges::any_of(data.runs(), [](const Run* run) { return run->has_trace; });
  Json columns = Json::array();
  columns.push_back(column("id", "Run", "Folder of the run's files", "text"));
  if (traces) columns.push_back(column("trace", "Trace", "Opens in ui.perfetto.dev", "text"));
  if (many_studies) columns.push_back(column("study", "Study", "Name of the study", "text"));
  columns.push_back(column("protocol", data.series_title(), data.series_title(), "text"));
  for (const Axis& axis : data.axes()) {
    columns.push_back(column(axis.key, axis.title, axis.key, axis.numeric ? "count" : "text"));
  }
  columns.push_back(column("seed", "Seed", "/training/seed", "count"));
  columns.push_back(column("outcome", "Outcome", "How the run ended", "text"));
  std::vector<SummaryColumn> shown;
  for (const SummaryColumn& each : summary_columns) {
    if (!any_has(data, each.key)) continue;
    shown.push_back(each);
    columns.push_back(
        column(each.key, each.label, std::string(each.title) + " (" + each.key + ")", each.format));
  }

  Json rows = Json::array();
  for (const Group& group : data.groups()) {
    for (const Run* run : group.runs) {
      Json cells = Json::array({run->id});
      if (traces) {
        cells.push_back(run->has_trace ? Json(relative_url(run->folder / "trace.json", from)) : Json());
      }
      if (many_studies) cells.push_back(run->study);
      cells.push_back(group.series);
      for (std::size_t i = 0; i < data.axes().size(); ++i) {
        cells.push_back(axis_cell(data.axes()[i], group.coordinates[i]));
      }
      cells.push_back(seed_of(*run));
      cells.push_back(words(run->outcome));
      for (const SummaryColumn& each : shown) cells.push_back(summary_cell(*run, each));
      rows.push_back({{"cells", cells},
                      {"protocol", group.series},
                      {"folder", relative_url(run->folder, from) + "/"},
                      {"problem", !run->completed()},
                      {"message", run->message.empty() ? Json() : Json(run->message)}});
    }
  }
  return {{"columns", columns}, {"rows", rows}};
}

}  // namespace isthmus::analysis
