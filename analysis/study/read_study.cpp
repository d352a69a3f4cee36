#include <algorithm>
#include <charconv>
#include <set>
#include <stdexcept>

#include "analysis/study/columns.hpp"
#include "analysis/study/run_files.hpp"
#include "analysis/study/study.hpp"
#include "analysis/text.hpp"

namespace isthmus::analysis {
namespace {

namespace fs = std::filesystem;

Json read_json(const fs::path& file) {
  Json value = Json::parse(read_text(file), nullptr, false);
  if (value.is_discarded()) throw std::runtime_error(file.string() + " is not complete JSON");
  if (!value.is_object()) throw std::runtime_error(file.string() + " holds no JSON object");
  return value;
}

/// Says so where a key of run.json that figures need is not there, or has another type.
void expect_object(const Json& run, const char* key, const fs::path& file,
                   std::vector<std::string>& warnings) {
  const auto found = run.find(key);
  if (found != run.end() && (found->is_object() || found->is_null())) return;
  warnings.push_back(file.string() + (found == run.end() ? " has no \"" : " has no object under \"") + key +
                     '"');
}

Json object_member(const Json& run, const char* key) {
  const auto found = run.find(key);
  return found != run.end() && found->is_object() ? *found : Json();
}

std::vector<Evaluation> read_history(const ColumnFile& file) {
  std::vector<Evaluation> history;
  for (std::size_t row = 0; row < file.rows(); ++row) {
    const auto count = [&](const char* column) {
      return static_cast<std::int64_t>(file.number(row, column));
    };
    history.push_back({.round = count("round"),
                       .local_steps = count("local_steps"),
                       .samples = count("samples"),
                       .simulated_seconds = file.number(row, "simulated_seconds"),
                       .bytes_sent = file.number(row, "bytes_sent"),
                       .train_loss = file.optional_number(row, "train_loss"),
                       .test_loss = file.optional_number(row, "test_loss"),
                       .test_accuracy = file.optional_number(row, "test_accuracy"),
                       .consensus_distance = file.optional_number(row, "consensus_distance"),
                       .staleness_mean = file.optional_number(row, "staleness_mean"),
                       .staleness_max = file.optional_number(row, "staleness_max"),
                       .precision_at_3 = file.optional_number(row, "precision_at_3"),
                       .precision_at_5 = file.optional_number(row, "precision_at_5")});
  }
  return history;
}

std::vector<WorkerUse> read_workers(const ColumnFile& file) {
  std::vector<WorkerUse> workers;
  for (std::size_t row = 0; row < file.rows(); ++row) {
    workers.push_back({.rank = static_cast<int>(file.number(row, "rank")),
                       .host = file.text(row, "host"),
                       .compute_seconds = file.number(row, "compute_seconds"),
                       .communication_seconds = file.number(row, "communication_seconds"),
                       .idle_seconds = file.number(row, "idle_seconds"),
                       .bytes_sent = file.number(row, "bytes_sent"),
                       .bytes_received = file.number(row, "bytes_received"),
                       .messages_sent = file.number(row, "messages_sent"),
                       .flops = file.number(row, "flops"),
                       .memory_peak_bytes = file.number(row, "memory_peak_bytes"),
                       .memory_limit_bytes = file.optional_number(row, "memory_limit_bytes"),
                       .energy_joules = file.optional_number(row, "energy_joules"),
                       .launch_bound_seconds = file.optional_number(row, "launch_bound_seconds"),
                       .compute_bound_seconds = file.optional_number(row, "compute_bound_seconds"),
                       .memory_bound_seconds = file.optional_number(row, "memory_bound_seconds"),
                       .local_steps = file.optional_number(row, "local_steps"),
                       .is_server = file.optional_text(row, "role") == "server"});
  }
  return workers;
}

std::vector<LinkUse> read_links(const ColumnFile& file) {
  std::vector<LinkUse> links;
  for (std::size_t row = 0; row < file.rows(); ++row) {
    links.push_back({.link = file.text(row, "link"),
                     .bandwidth_bytes_per_second = file.number(row, "bandwidth_bytes_per_second"),
                     .latency_seconds = file.number(row, "latency_seconds"),
                     .bytes = file.number(row, "bytes"),
                     .busy_fraction = file.optional_number(row, "busy_fraction")});
  }
  return links;
}

/// The rows of one CSV file of a run; none, and a warning, where it cannot be read.
template <typename Rows>
Rows read_rows(const fs::path& file, const std::vector<Column>& columns, Rows (*read)(const ColumnFile&),
               std::vector<std::string>& warnings) {
  std::vector<Column> required = columns;
  std::erase_if(required, [](const Column& column) { return column.may_be_missing; });
  try {
    const ColumnFile table(file, names_of(required));
    if (!table.warning().empty()) warnings.push_back(table.warning());
    return read(table);
  } catch (const std::exception& error) {
    warnings.push_back(error.what());
    return {};
  }
}

Run read_run(const fs::path& folder, const std::string& study, RunFiles files,
             std::vector<std::string>& warnings) {
  const fs::path file = folder / "run.json";
  const Json json = read_json(file);
  Run run = run_of(json);
  run.study = study;
  run.folder = folder;
  if (run.id.empty()) run.id = folder.filename().string();
  if (run.outcome.empty()) {
    warnings.push_back(file.string() + " has no \"outcome\"; taken as failed");
    run.outcome = "failed";
  }
  for (const char* key : {"swept", "summary", "memory", "configuration"})
    expect_object(json, key, file, warnings);
  for (const auto& [pointer, value] : run.swept.items()) {
    if (pointer.starts_with('/')) continue;
    throw std::runtime_error(file.string() + ": under \"swept\" \"" + pointer + "\" is no JSON pointer");
  }
  run.has_trace = fs::exists(folder / "trace.json");
  if (files == RunFiles::run_json_only) return run;
  run.history = read_rows(folder / "history.csv", history_columns(), read_history, warnings);
  run.workers = read_rows(folder / "workers.csv", workers_columns(), read_workers, warnings);
  run.links = read_rows(folder / "links.csv", links_columns(), read_links, warnings);
  if (const auto parameters = run.summary_number("parameters"); parameters && !run.workers.empty()) {
    constexpr double bits_per_byte = 8;
    const double all = *parameters * static_cast<double>(run.trainers().size());
    for (Evaluation& at : run.history) at.bits_per_parameter = bits_per_byte * at.bytes_sent / all;
  }
  return run;
}

void read_study_file(Study& study) {
  try {
    study.file = read_json(study.folder / "study.json");
    if (const std::string name = text_member(study.file, "name"); !name.empty()) study.name = name;
    if (text_member(study.file, "end").empty()) {
      study.warnings.push_back((study.folder / "study.json").string() +
                               " names no end: the study was interrupted, or still runs");
    }
  } catch (const std::exception& error) {
    study.warnings.push_back(error.what());
  }
}

void read_run_folders(Study& study, RunFiles files) {
  const fs::path runs = study.folder / "runs";
  std::error_code error;
  std::vector<fs::path> folders;
  for (fs::directory_iterator entry(runs, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->is_directory()) folders.push_back(entry->path());
  }
  if (error) {
    study.warnings.push_back(!fs::exists(runs)
                                 ? runs.string() + " is missing: no run of this study is finished"
                                 : "cannot read " + runs.string() + ": " + error.message());
    return;
  }
  std::ranges::sort(folders, natural_less, [](const fs::path& folder) { return folder.filename().string(); });
  for (const fs::path& folder : folders) {
    if (folder.extension() == ".partial") {
      study.warnings.push_back(folder.string() + " is unfinished and left out");
      continue;
    }
    try {
      study.runs.push_back(read_run(folder, study.name, files, study.warnings));
    } catch (const std::exception& problem) {
      study.broken_runs.push_back({folder.filename().string(), problem.what()});
      study.warnings.push_back(std::string(problem.what()) + "; run " + folder.filename().string() +
                               " is left out");
    }
  }
}

/// Runs that runs.csv lists and that have no folder.
void compare_with_list(Study& study) {
  const fs::path file = study.folder / "runs.csv";
  std::set<std::string> found;
  for (const Run& run : study.runs) found.insert(run.folder.filename().string());
  try {
    const ColumnFile list(file, {"id", "outcome"});
    if (!list.warning().empty()) study.warnings.push_back(list.warning());
    for (std::size_t row = 0; row < list.rows(); ++row) {
      const std::string& id = list.text(row, "id");
      if (!found.contains(id) && !fs::exists(study.folder / "runs" / id)) {
        study.warnings.push_back(file.string() + " lists run " + id + ", but " +
                                 (study.folder / "runs" / id).string() + " is missing");
      }
    }
  } catch (const std::exception& error) {
    study.warnings.push_back(error.what());
  }
}

}  // namespace

std::string text_member(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Run run_of(const Json& run_json) {
  Run run;
  run.id = text_member(run_json, "id");
  run.outcome = text_member(run_json, "outcome");
  run.message = text_member(run_json, "message");
  run.swept = object_member(run_json, "swept");
  run.summary = object_member(run_json, "summary");
  run.memory = object_member(run_json, "memory");
  run.protocol = object_member(run_json, "protocol");
  run.labels = object_member(run_json, "labels");
  run.network = object_member(run_json, "network");
  run.configuration = object_member(run_json, "configuration");
  run.provenance = object_member(run_json, "provenance");
  return run;
}

std::optional<double> Run::summary_number(const char* name) const {
  if (!summary.is_object()) return std::nullopt;
  const auto found = summary.find(name);
  if (found == summary.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

std::vector<WorkerUse> Run::trainers() const {
  std::vector<WorkerUse> trainers;
  std::ranges::copy_if(workers, std::back_inserter(trainers),
                       [](const WorkerUse& use) { return !use.is_server; });
  return trainers;
}

bool Run::to_target_is_upper_bound() const {
  if (!summary.is_object()) return false;
  const auto found = summary.find("to_target_is_upper_bound");
  return found != summary.end() && found->is_boolean() && found->get<bool>();
}

Study read_study(const fs::path& folder, RunFiles files) {
  Study study;
  study.folder = folder;
  study.name = fs::path(folder / ".").lexically_normal().parent_path().filename().string();
  if (!fs::is_directory(folder)) {
    study.warnings.push_back(folder.string() + (fs::exists(folder) ? " is no folder" : " is missing"));
    return study;
  }
  if (!fs::exists(folder / "study.json") && !fs::exists(folder / "runs")) {
    study.warnings.push_back(
        folder.string() + " is no study: it has neither study.json nor runs/" +
        (fs::exists(folder / "run.json") ? " (it is a single run; name the folder of its study)" : ""));
    return study;
  }
  read_study_file(study);
  read_run_folders(study, files);
  compare_with_list(study);
  return study;
}

std::vector<TraceSpan> read_trace(const Run& run) {
  const fs::path file = run.folder / "trace.json";
  const Json trace = read_json(file);
  const auto events = trace.find("traceEvents");
  if (events == trace.end() || !events->is_array()) {
    throw std::runtime_error(file.string() + " has no array \"traceEvents\"");
  }
  std::vector<TraceSpan> spans;
  std::map<int, int> order;  // of tracks: twice a worker's rank, and one more for its stream
  constexpr double seconds_per_microsecond = 1e-6;
  try {
    for (const Json& event : *events) {
      const bool sorts = event.value("ph", "") == "M" && event.value("name", "") == "thread_sort_index";
      if (sorts) order[event.at("tid").get<int>()] = event.at("args").at("sort_index").get<int>();
      if (event.value("ph", "") != "X") continue;
      const double start = event.at("ts").get<double>() * seconds_per_microsecond;
      const int track = event.at("tid").get<int>();
      const int place = order.contains(track) ? order.at(track) : 2 * (track - 1);
      spans.push_back({.rank = place / 2,
                       .of_stream = place % 2 == 1,
                       .name = event.at("name").get<std::string>(),
                       .is_round = event.value("cat", "") == "round",
                       .start_seconds = start,
                       .end_seconds = start + event.at("dur").get<double>() * seconds_per_microsecond});
    }
  } catch (const Json::exception& error) {
    throw std::runtime_error(file.string() + " holds an event without its fields: " + error.what());
  }
  return spans;
}

}  // namespace isthmus::analysis
