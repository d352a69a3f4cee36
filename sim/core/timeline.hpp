#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace isthmus {

/// What each worker did when: spans of compute, send, receive and wait, inside spans of rounds.
class Timeline {
 public:
  struct Span {
    int rank;
    std::string name;
    double start_seconds, end_seconds;
  };

  explicit Timeline(bool recording) : recording_(recording) {}
  bool recording() const { return recording_; }
  /// Drops empty spans, and everything unless recording.
  void add(int rank, const char* name, double start_seconds, double end_seconds);
  void add_round(int rank, long round, double start_seconds, double end_seconds);

  /// Chrome trace events (the "JSON object format"), one track per worker; opens in Perfetto.
  nlohmann::json chrome_trace(const std::vector<std::string>& track_names) const;

 private:
  bool recording_;
  std::vector<Span> spans_;
};

}  // namespace isthmus
