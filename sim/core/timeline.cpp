#include "sim/core/timeline.hpp"

#include <algorithm>

namespace isthmus {

void Timeline::add(int rank, const char* name, double start_seconds, double end_seconds) {
  if (recording_ && end_seconds > start_seconds) spans_.push_back({rank, name, start_seconds, end_seconds});
}

void Timeline::add_round(int rank, long round, double start_seconds, double end_seconds) {
  if (recording_) spans_.push_back({rank, "round " + std::to_string(round), start_seconds, end_seconds});
}

nlohmann::json Timeline::chrome_trace(const std::vector<std::string>& track_names) const {
  nlohmann::json events = nlohmann::json::array();
  const auto track = [](int rank) { return nlohmann::json{{"pid", 1}, {"tid", rank + 1}}; };
  events.push_back({{"ph", "M"}, {"pid", 1}, {"name", "process_name"}, {"args", {{"name", "workers"}}}});
  for (std::size_t rank = 0; rank < track_names.size(); ++rank) {
    nlohmann::json event = track(static_cast<int>(rank));
    event.update({{"ph", "M"}, {"name", "thread_name"}, {"args", {{"name", track_names[rank]}}}});
    events.push_back(std::move(event));
  }
  // Viewers nest spans of one track by their order: an outer one must come before those inside it.
  std::vector<Span> spans = spans_;
  std::ranges::stable_sort(spans, [](const Span& a, const Span& b) {
    if (a.rank != b.rank) return a.rank < b.rank;
    if (a.start_seconds != b.start_seconds) return a.start_seconds < b.start_seconds;
    return a.end_seconds > b.end_seconds;
  });
  constexpr double microseconds = 1e6;
  for (const Span& span : spans) {
    nlohmann::json event = track(span.rank);
    event.update({{"ph", "X"},
                  {"name", span.name},
                  {"cat", span.name.starts_with("round") ? "round" : span.name},
                  {"ts", span.start_seconds * microseconds},
                  {"dur", (span.end_seconds - span.start_seconds) * microseconds}});
    events.push_back(std::move(event));
  }
  return {{"traceEvents", std::move(events)}, {"displayTimeUnit", "ms"}};
}

}  // namespace isthmus
