#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace isthmus::testing {

/// A study made up from closed forms, in the files of the contract: so large as wanted, in no time.
struct SyntheticStudy {
  std::string name = "synthetic";
  std::vector<double> bandwidths_megabits = {1, 3, 10, 30, 100, 300, 1000};
  std::vector<double> latencies_milliseconds = {1, 10, 100};
  int seeds = 3;
  int evaluations = 24;            ///< rows of each history.csv
  bool with_out_of_memory = true;  ///< a fourth protocol, that fits nowhere
  bool with_traces = false;

  /// Seconds of a round, and rounds to the target accuracy of 0.8 of seed 0, of protocol 0 (data_parallel), 1
  /// (local_sgd) or 2 (ist).
  static double round_seconds(int protocol, double megabits, double milliseconds);
  static double rounds_to_target(int protocol);

  void write(const std::filesystem::path& folder) const;
};

}  // namespace isthmus::testing
