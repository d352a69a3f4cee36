#include "analysis/study/dataset.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <stdexcept>

#include "analysis/study/series.hpp"

namespace isthmus::analysis {
namespace {

constexpr std::string_view seed_suffix = "/seed";

/// The network first (of all links, or of one), then who works, then all else as it comes.
std::size_t importance(const std::string& key) {
  constexpr std::array first = {"bandwidth", "latency", "workers"};
  if (!key.starts_with("/platform/")) return first.size();
  return static_cast<std::size_t>(std::ranges::find(first, key.substr(key.rfind('/') + 1)) - first.begin());
}

/// "l0" of "/platform/links/l0/bandwidth", whose bandwidth is not that of all; empty for other keys.
std::string link_of(const std::string& key) {
  constexpr std::string_view links = "/platform/links/";
  if (!key.starts_with(links)) return {};
  return key.substr(links.size(), key.rfind('/') - links.size());
}

/// Whether a value of `a` always comes with the same value of `b`.
bool determines(const std::vector<Json>& a, const std::vector<Json>& b) {
  std::map<std::string, const Json*> found;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto [entry, is_new] = found.emplace(a[i].dump(), &b[i]);
    if (!is_new && *entry->second != b[i]) return false;
  }
  return true;
}

bool value_less(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number()) return a.get<double>() < b.get<double>();
  return a.is_null() && !b.is_null();  // texts stay in order of appearance
}

Axis make_axis(const std::string& key, const std::vector<AxisValue>& values) {
  Axis axis;
  axis.key = key;
  axis.title = title_of(key);
  axis.numeric = std::ranges::all_of(values, [](const AxisValue& v) { return v.value.is_number(); });
  for (const AxisValue& value : values) {
    if (std::ranges::find(axis.values, value.value) == axis.values.end()) axis.values.push_back(value.value);
    if (value.unit != Unit::none) axis.unit = value.unit;
  }
  std::ranges::stable_sort(axis.values, value_less);
  axis.column = key.substr(key.rfind('/') + 1);
  if (const std::string link = link_of(key); !link.empty()) {
    axis.title += " of " + (link == "*" ? "all links" : link);
    axis.column = link + '_' + axis.column;
  }
  if (!axis.column.ends_with(unit_suffix(axis.unit))) axis.column += unit_suffix(axis.unit);
  return axis;
}

}  // namespace

bool Axis::logarithmic() const {
  constexpr double least_span = 8;
  return numeric && values.size() > 1 && values.front().get<double>() > 0 &&
         values.back().get<double>() >= least_span * values.front().get<double>();
}

std::string Axis::label(const Json& value) const {
  if (value.is_null()) return "none";
  return value.is_number() ? format_quantity(value.get<double>(), unit) : value.get<std::string>();
}

Dataset::Dataset(std::vector<Study> studies, const DatasetOptions& options)
    : studies_(std::make_unique<const std::vector<Study>>(std::move(studies))) {
  for (const Study& study : *studies_) {
    warnings_.insert(warnings_.end(), study.warnings.begin(), study.warnings.end());
  }
  find_series("", options.labels);
  find_axes();
  if (!options.series.empty()) {
    find_series(options.series, options.labels);
    find_axes();
  }
  group_runs();
}

std::vector<const Run*> Dataset::runs() const {
  std::vector<const Run*> runs;
  for (const Study& study : *studies_) {
    for (const Run& run : study.runs) runs.push_back(&run);
  }
  return runs;
}

AxisValue Dataset::value_with_unit(const Run& run, const std::string& key) const {
  return key == "protocol" ? AxisValue{protocol_of_.at(&run)} : value_of(run, key);
}

Json Dataset::value(const Run& run, const Axis& axis) const { return value_with_unit(run, axis.key).value; }

const std::string& Dataset::kind_of(const std::string& series) const { return kinds_.at(series); }

const std::string& Dataset::hue_of(const std::string& series) const { return hues_.at(series); }

void Dataset::find_series(const std::string& key, const std::map<std::string, std::string>& labels) {
  const std::vector<const Run*> all = runs();
  protocol_of_ = protocol_labels(all, labels);
  series_.clear();
  kinds_.clear();
  hues_.clear();
  if (key.empty() || key == "protocol" || key == "/protocol") {
    series_title_ = "Protocol";
    series_of_ = protocol_of_;
  } else {
    const Axis by = axis(key);
    series_title_ = by.title;
    for (const Run* run : all) series_of_[run] = by.label(value(*run, by));
    for (const Json& value : by.values) series_.push_back(by.label(value));
  }
  for (const Run* run : all) {
    const std::string& label = series_of_.at(run);
    if (std::ranges::find(series_, label) == series_.end()) series_.push_back(label);
    const bool is_protocol = series_title_ == "Protocol";
    kinds_.emplace(label, is_protocol ? protocol_kind(*run) : std::string());
    hues_.emplace(label, is_protocol ? protocol_hue(*run) : std::string());
  }
}

void Dataset::find_axes() {
  axes_.clear();
  const std::vector<const Run*> all = runs();
  // What varies, in order of importance, then of appearance.
  std::vector<std::string> keys;
  for (const Run* run : all) {
    for (const auto& [pointer, value] : configuration_leaves(*run)) {
      if (std::ranges::find(keys, pointer) == keys.end()) keys.push_back(pointer);
    }
  }
  std::ranges::stable_sort(keys, {}, importance);
  std::vector<Json> series;
  for (const Run* run : all) series.push_back(series_of_.at(run));
  std::vector<std::vector<Json>> kept = {series};
  if (series_title_ != "Protocol") keys.insert(keys.begin(), "protocol");
  for (const std::string& key : keys) {
    if (key == "/name" || key == "/description" || key.ends_with(seed_suffix)) continue;
    if (key.starts_with("/protocol/")) continue;  // in the label of the protocol
    std::vector<AxisValue> values;
    std::vector<Json> column;
    for (const Run* run : all) {
      values.push_back(value_with_unit(*run, key));
      column.push_back(values.back().value);
    }
    Axis axis = make_axis(key, values);
    if (axis.values.size() < 2) continue;
    // Values that go with another's (a zipped sweep, an option of a protocol) tell no more runs apart.
    if (std::ranges::any_of(kept, [&](const std::vector<Json>& other) { return determines(other, column); }))
      continue;
    kept.push_back(std::move(column));
    axes_.push_back(std::move(axis));
  }
}

void Dataset::group_runs() {
  const auto coordinates = [&](const Run& run) {
    std::vector<Json> values;
    for (const Axis& axis : axes_) values.push_back(value(run, axis));
    return values;
  };
  std::map<std::string, std::size_t> found;
  std::set<std::string> seen_with_seed;
  bool repeated = false;
  for (const Run* run : runs()) {
    const std::string& series = series_of_.at(run);
    std::vector<Json> values = coordinates(*run);
    const std::string key = series + Json(values).dump();
    if (!seen_with_seed.insert(key + value_of(*run, "/training/seed").value.dump()).second) repeated = true;
    const auto [entry, is_new] = found.emplace(key, groups_.size());
    if (is_new) groups_.push_back({series, std::move(values), {}});
    groups_[entry->second].runs.push_back(run);
  }
  if (!repeated || studies_->size() < 2) return;
  if (std::ranges::any_of(axes_, [](const Axis& axis) { return axis.key == "study"; })) return;
  // The same point in two studies is no repetition with another seed: studies are told apart.
  std::vector<AxisValue> names;
  for (const Run* run : runs()) names.push_back(value_of(*run, "study"));
  Axis axis = make_axis("study", names);
  if (axis.values.size() < 2) {
    warnings_.push_back("the studies have runs with the same configuration and seed, and the same name (" +
                        names.front().value.get<std::string>() + "): they are counted as repetitions");
    return;
  }
  axes_.push_back(std::move(axis));
  groups_.clear();
  group_runs();
}

std::optional<std::size_t> Dataset::find_axis(const std::string& key) const {
  for (std::size_t i = 0; i < axes_.size(); ++i) {
    const Axis& axis = axes_[i];
    if (key == axis.key || key == axis.column || axis.key.ends_with('/' + key)) return i;
  }
  return std::nullopt;
}

Axis Dataset::axis(const std::string& key) const {
  if (const auto found = find_axis(key)) return axes_[*found];
  std::vector<std::string> keys = {
      key, "/platform/" + key, "/training/" + key, "/model/" + key, "/data/" + key, "/protocol/" + key};
  for (const std::string& candidate : keys) {
    std::vector<AxisValue> values;
    bool any = false;
    for (const Run* run : runs()) {
      values.push_back(value_with_unit(*run, candidate));
      any = any || !values.back().value.is_null();
    }
    if (any) return make_axis(candidate, values);
  }
  throw std::runtime_error("no run has a value of \"" + key + "\"; what varies here: " + axis_names() +
                           "; any JSON pointer into a configuration, or column of runs.csv, will do");
}

std::string Dataset::axis_names() const {
  std::string names;
  for (const Axis& axis : axes_) names += (names.empty() ? "" : ", ") + axis.key;
  return names.empty() ? "nothing but protocol and seed" : names;
}

Dataset read_dataset(const std::vector<std::filesystem::path>& folders, const DatasetOptions& options) {
  std::vector<Study> studies;
  for (const std::filesystem::path& folder : folders) studies.push_back(read_study(folder));
  return Dataset(std::move(studies), options);
}

}  // namespace isthmus::analysis
