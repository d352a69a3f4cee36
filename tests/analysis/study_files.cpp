#include "tests/analysis/study_files.hpp"

#include <unistd.h>

#include <fstream>
#include <sstream>

#include "tests/analysis/protocol_words.hpp"

namespace isthmus::testing {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::string number(double value) { return Json(value).dump(); }

Json run_json(const WrittenRun& run, const std::string& id, const std::string& name) {
  const bool done = run.outcome == "completed";
  const auto or_null = [](const std::optional<double>& value) { return value ? Json(*value) : Json(); };
  double bytes = 0;
  for (const auto& link : run.link_bytes) bytes += link.second;
  Json json;
  json["id"] = id;
  json["outcome"] = run.outcome;
  json["message"] = nullptr;
  json["swept"] = {{"/protocol", run.protocol}};
  json["protocol"] =
      run.protocol_words.is_null() ? protocol_words(run.protocol.value("kind", "")) : run.protocol_words;
  json["summary"] = {{"simulated_seconds", done ? run.simulated_seconds : 0.0},
                     {"bytes_sent", bytes},
                     {"bytes_per_round", run.bytes_per_round},
                     {"paper_bytes_per_round", run.paper_bytes_per_round},
                     {"target_accuracy", or_null(run.target_accuracy)},
                     {"final_test_accuracy", or_null(run.final_test_accuracy)},
                     {"seconds_to_target", done ? or_null(run.seconds_to_target) : Json()},
                     {"to_target_is_upper_bound", run.to_target_is_upper_bound},
                     {"energy_joules", or_null(run.energy_joules)},
                     {"staleness_mean", or_null(run.staleness_mean)},
                     {"final_precision_at_5", or_null(run.precision_at_5)},
                     {"lost_samples", or_null(run.lost_samples)},
                     {"parameters", 1000}};
  json["memory"] = {
      {"host", "host-1"},
      {"rank", 0},
      {"need_bytes", run.parameters_bytes + run.activations_bytes},
      {"limit_bytes", run.limit_bytes},
      {"parts", {{"parameters_bytes", run.parameters_bytes}, {"activations_bytes", run.activations_bytes}}}};
  json["configuration"] = {{"name", name},
                           {"platform",
                            {{"file", "../platforms/star-8.xml"},
                             {"workers", run.workers},
                             {"bandwidth", run.bandwidth},
                             {"latency", run.latency}}},
                           {"training", {{"batch", 16}, {"seed", run.seed}}},
                           {"protocol", run.protocol}};
  if (run.link_bandwidth)
    json["configuration"]["platform"]["links"] = {{run.link, {{"bandwidth", *run.link_bandwidth}}}};
  json["provenance"] = {{"numerics", "live"}, {"trajectory", nullptr}};
  return json;
}

}  // namespace

void write_text(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

StudyFolder::StudyFolder(std::string name) : name_(std::move(name)) {
  static int folders = 0;
  path_ = fs::temp_directory_path() /
          ("isthmus-analysis-" + std::to_string(::getpid()) + "-" + std::to_string(folders++)) / name_;
  write_text(
      path_ / "study.json",
      Json({{"name", name_}, {"start", "2026-01-01T00:00:00Z"}, {"end", "2026-01-01T00:01:00Z"}}).dump());
  fs::create_directories(path_ / "runs");
  write_text(path_ / "runs.csv", runs_csv_);
}

StudyFolder::~StudyFolder() { fs::remove_all(path_.parent_path()); }

fs::path StudyFolder::add(const WrittenRun& run) {
  const std::string id = std::to_string(count_++) + "-" + run.protocol.value("kind", "none");
  const fs::path folder = path_ / "runs" / id;
  write_text(folder / "run.json", run_json(run, id, name_).dump(2));
  std::string history =
      "round,local_steps,samples,simulated_seconds,bytes_sent,train_loss,test_loss,test_accuracy,consensus_distance\n";
  for (const WrittenRun::Row& row : run.history) {
    history += std::to_string(row.round) + "," + std::to_string(10 * row.round) + "," +
               std::to_string(100 * row.round) + "," + number(row.seconds) + "," + number(row.bytes) + ",," +
               number(2 - row.accuracy) + "," + number(row.accuracy) + "," + number(3 - row.accuracy) + "\n";
  }
  write_text(folder / "history.csv", history);
  std::string workers =
      "rank,host,compute_seconds,communication_seconds,idle_seconds,bytes_sent,bytes_received,messages_sent,"
      "flops,"
      "memory_peak_bytes,memory_limit_bytes,energy_joules,launch_bound_seconds,compute_bound_seconds,"
      "memory_bound_seconds\n";
  for (std::size_t rank = 0; rank < run.worker_seconds.size(); ++rank) {
    const WrittenRun::Worker& w = run.worker_seconds[rank];
    workers += std::to_string(rank) + ",host-" + std::to_string(rank) + "," + number(w.compute) + "," +
               number(w.communication) + "," + number(w.idle) + ",1,1,1,1e9,1e6,,," +
               number(0.2 * w.compute) + "," + number(0.5 * w.compute) + "," + number(0.3 * w.compute) + "\n";
  }
  write_text(folder / "workers.csv", workers);
  std::string links = "link,bandwidth_bytes_per_second,latency_seconds,bytes,busy_fraction\n";
  for (const auto& [link, bytes] : run.link_bytes) links += link + ",1e6,0.001," + number(bytes) + ",0.5\n";
  write_text(folder / "links.csv", links);
  if (!run.trace.is_null()) write_text(folder / "trace.json", run.trace.dump());
  runs_csv_ += id + "," + run.outcome + "\n";
  write_text(path_ / "runs.csv", runs_csv_);
  return folder;
}

}  // namespace isthmus::testing
