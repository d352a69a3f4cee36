#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "analysis/table.hpp"

namespace isthmus::analysis {

/// A row of history.csv.
struct Evaluation {
  std::int64_t round, local_steps, samples;
  double simulated_seconds;
  double bytes_sent;  ///< by all workers together, so far
  std::optional<double> train_loss, test_loss, test_accuracy, consensus_distance;
  /// Of the updates since the row before, where workers do not wait for each other.
  std::optional<double> staleness_mean, staleness_max;
  std::optional<double> precision_at_3 = {}, precision_at_5 = {};  ///< of samples with sets of labels
  /// That a worker has sent by then, in the mean over workers, for each parameter of the model.
  std::optional<double> bits_per_parameter = {};
};

/// A row of workers.csv.
struct WorkerUse {
  int rank;
  std::string host;
  double compute_seconds, communication_seconds, idle_seconds;
  double bytes_sent, bytes_received, messages_sent, flops, memory_peak_bytes;
  std::optional<double> memory_limit_bytes, energy_joules;
  /// What computing waited for, where the device has a profile.
  std::optional<double> launch_bound_seconds, compute_bound_seconds, memory_bound_seconds;
  std::optional<double> local_steps = {};  ///< that it has made
  bool is_server = false;                  ///< it holds parameters and does not train
};

/// A row of links.csv.
struct LinkUse {
  std::string link;
  double bandwidth_bytes_per_second, latency_seconds, bytes;
  std::optional<double> busy_fraction;
};

/// A finished run, as its files have it. What a file lacks is null or empty here, and a warning of the study.
struct Run {
  std::string study;  ///< name of the study
  std::filesystem::path folder;
  std::string id;
  std::string outcome;  ///< completed, out_of_memory, deadlock, failed
  std::string message;
  Json swept, summary, memory, network, configuration, provenance;  ///< objects or null
  Json protocol;  ///< what its protocol says of itself: label, hue; object or null
  Json labels;    ///< names that the sweep gives to its values, by JSON pointer; object or null
  std::vector<Evaluation> history;
  std::vector<WorkerUse> workers;
  std::vector<LinkUse> links;
  bool has_trace = false;  ///< there is a trace.json

  /// Those that train.
  std::vector<WorkerUse> trainers() const;
  bool completed() const { return outcome == "completed"; }
  bool out_of_memory() const { return outcome == "out_of_memory"; }
  /// A number of the summary; nothing where it is null or missing.
  std::optional<double> summary_number(const char* name) const;
  /// The target was met at the run's first test, when after how many rounds before is not known: time and
  /// bytes to it are upper bounds.
  bool to_target_is_upper_bound() const;
};

/// The text under a key; empty where there is none.
std::string text_member(const Json& object, const char* key);

/// What a run.json holds, without the files beside it. What is missing is null or empty.
Run run_of(const Json& run_json);

/// A run whose run.json is missing or broken.
struct BrokenRun {
  std::string id;       ///< the name of its folder
  std::string problem;  ///< names the file, says what is wrong with it
};

/// A study folder.
struct Study {
  std::filesystem::path folder;
  std::string name;
  Json file;  ///< study.json, or null
  std::vector<Run> runs;
  std::vector<BrokenRun> broken_runs;
  std::vector<std::string> warnings;  ///< what is missing or broken, with the name of the file
};

/// What to read of each run.
enum class RunFiles {
  all,
  run_json_only,  ///< fast: no history, workers and links
};

/// Reads whatever can be read of a study. Never throws for what it finds in the folder: what is missing,
/// broken or unfinished becomes a warning that names the file and says what is wrong with it.
Study read_study(const std::filesystem::path& folder, RunFiles files = RunFiles::all);

/// A span of a worker's track in trace.json, or of that of its communication stream.
struct TraceSpan {
  int rank;
  bool of_stream;
  std::string name;  ///< "round 3", or what the worker did: "compute", "send", "receive", "wait" ...
  bool is_round;
  double start_seconds, end_seconds;
};

/// The spans of a run's trace.json. Throws std::runtime_error that names the file where it is none.
std::vector<TraceSpan> read_trace(const Run& run);

}  // namespace isthmus::analysis
