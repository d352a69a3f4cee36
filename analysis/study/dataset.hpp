#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysis/study/quantity.hpp"
#include "analysis/study/study.hpp"
#include "analysis/study/values.hpp"

namespace isthmus::analysis {

/// Something that differs between runs, or could: a JSON pointer into the resolved configuration, the name of
/// a swept axis, a column of runs.csv, "protocol" or "study".
struct Axis {
  std::string key;     ///< "/platform/bandwidth"
  std::string column;  ///< of tables: "bandwidth_bits_per_second"
  std::string title;   ///< "Bandwidth"
  Unit unit = Unit::none;
  bool numeric = false;      ///< otherwise its values are texts
  std::vector<Json> values;  ///< those there are, numbers in SI, ascending; texts in order of appearance
  bool logarithmic() const;  ///< positive numbers over more than a factor of 8

  /// "100 Mbps"; texts as they are; "none" where a run has no such value.
  std::string label(const Json& value) const;
};

/// Runs that differ in nothing but their seed.
struct Group {
  std::string series;
  std::vector<Json> coordinates;  ///< a value for each of Dataset::axes()
  std::vector<const Run*> runs;

  std::size_t n() const { return runs.size(); }
};

struct DatasetOptions {
  std::string series;  ///< what tells series apart; empty: the protocol and its options
  std::map<std::string, std::string>
      labels;  ///< other names of series: of a kind ("ist"), or of a whole label
};

/// The runs of one or several studies, sorted: what was swept, what is compared, and what are mere
/// repetitions.
class Dataset {
 public:
  explicit Dataset(std::vector<Study> studies, const DatasetOptions& options = {});

  const std::vector<Study>& studies() const { return *studies_; }
  /// Of all studies, and what did not fit together.
  const std::vector<std::string>& warnings() const { return warnings_; }

  /// Labels of what is compared ("Data parallel", "IST (local steps 10)"), the order of colours.
  const std::vector<std::string>& series() const { return series_; }
  /// "Protocol", unless asked for other series.
  const std::string& series_title() const { return series_title_; }
  /// Protocol kind of a series ("ist"), or empty where a series is no protocol.
  const std::string& kind_of(const std::string& series) const;
  /// The colour that this protocol has in every figure ("green"); empty where it has none.
  const std::string& hue_of(const std::string& series) const;

  /// What varies between the runs beside series and seeds; the network comes first.
  const std::vector<Axis>& axes() const { return axes_; }
  /// By JSON pointer, its last part ("bandwidth"), column name or swept name; throws std::runtime_error that
  /// names what there is where no run has it.
  Axis axis(const std::string& key) const;
  /// The position in axes() of a key, if it varies.
  std::optional<std::size_t> find_axis(const std::string& key) const;
  /// Keys of axes(), for messages: "/platform/bandwidth, /platform/latency", or that nothing varies.
  std::string axis_names() const;

  const std::vector<Group>& groups() const { return groups_; }
  std::vector<const Run*> runs() const;
  /// What a run has on an axis: a number in SI, a text, or null.
  Json value(const Run& run, const Axis& axis) const;

 private:
  AxisValue value_with_unit(const Run& run, const std::string& key) const;
  void find_series(const std::string& key, const std::map<std::string, std::string>& labels);
  void find_axes();
  void group_runs();

  std::unique_ptr<const std::vector<Study>> studies_;  // runs are pointed to
  std::vector<std::string> warnings_;
  std::string series_title_;
  std::vector<std::string> series_;
  std::map<std::string, std::string> kinds_, hues_;
  std::map<const Run*, std::string> protocol_of_, series_of_;
  std::vector<Axis> axes_;
  std::vector<Group> groups_;
};

/// Reads studies and sorts their runs.
Dataset read_dataset(const std::vector<std::filesystem::path>& folders, const DatasetOptions& options = {});

}  // namespace isthmus::analysis
