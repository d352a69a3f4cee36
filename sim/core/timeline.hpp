#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace isthmus {

/// What each worker did when: spans of compute, send, receive and wait, inside spans of rounds.
class Timeline {
 public:
  struct Span {
    int track;  ///< of a worker: its rank
    std::string name;
    double start_seconds, end_seconds;
  };

  explicit Timeline(bool recording) : recording_(recording) {}
  bool recording() const { return recording_; }
  /// What ends later is not recorded.
  void stop() { recording_ = false; }
  /// Drops empty spans, and everything unless recording.
  void add(int track, const char* name, double start_seconds, double end_seconds);
  void add_round(int rank, long round, double start_seconds, double end_seconds);

  /// The track of a worker's communication stream.
  static int stream_track(int rank, int workers) { return workers + rank; }

  /// Chrome trace events (the "JSON object format"), one track per worker and one for each stream that
  /// communicated; opens in Perfetto.
  nlohmann::json chrome_trace(const std::vector<std::string>& worker_names) const;

 private:
  bool recording_;
  std::vector<Span> spans_;
};

}  // namespace isthmus
