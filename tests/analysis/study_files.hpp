#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace isthmus::testing {

/// A run as a test wants it; the files are those that README and design describe.
struct WrittenRun {
  nlohmann::ordered_json protocol = {{"kind", "data_parallel"}};
  nlohmann::ordered_json protocol_words;  ///< what it says of itself; null: as the project's own do
  std::string bandwidth = "100Mbps", latency = "1ms";
  std::optional<std::string> link_bandwidth;  ///< of `link` alone
  std::string link = "l0";
  int workers = 2;
  int seed = 1;
  std::string outcome = "completed";
  std::optional<double> target_accuracy = 0.8, seconds_to_target, final_test_accuracy;
  bool to_target_is_upper_bound = false;
  double simulated_seconds = 10;
  std::optional<double> energy_joules;
  std::optional<double> staleness_mean;
  std::optional<double> precision_at_5;
  std::optional<long> lost_samples;
  double bytes_per_round = 1500, paper_bytes_per_round = 2000;

  struct Row {
    int round;
    double seconds, bytes, accuracy;
  };
  std::vector<Row> history;
  struct Worker {
    double compute, communication, idle;
  };
  std::vector<Worker> worker_seconds = {{6, 3, 1}, {4, 5, 1}};
  std::vector<std::pair<std::string, double>> link_bytes = {{"up", 1000}, {"down", 500}};
  double parameters_bytes = 4e9, activations_bytes = 1e9, limit_bytes = 8e9;
  nlohmann::ordered_json trace;  ///< null: no trace.json
};

/// A study folder below the system's temporary one, removed at the end.
class StudyFolder {
 public:
  explicit StudyFolder(std::string name = "made-up");
  StudyFolder(const StudyFolder&) = delete;
  StudyFolder& operator=(const StudyFolder&) = delete;
  ~StudyFolder();

  /// Writes a run and lists it in runs.csv; returns its folder.
  std::filesystem::path add(const WrittenRun& run);
  const std::filesystem::path& path() const { return path_; }

 private:
  std::string name_;
  std::filesystem::path path_;
  std::string runs_csv_ = "id,outcome\n";
  int count_ = 0;
};

void write_text(const std::filesystem::path& file, const std::string& text);

}  // namespace isthmus::testing
