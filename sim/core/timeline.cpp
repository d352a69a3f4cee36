#include "sim/core/timeline.hpp"

#include <algorithm>
#include <set>

namespace isthmus {

void Timeline::add(int track, const char* name, double start_seconds, double end_seconds) {
  if (recording_ && end_seconds > start_seconds) spans_.push_back({track, name, start_seconds, end_seconds});
}

void Timeline::add_round(int rank, long round, double start_seconds, double end_seconds) {
  if (recording_) spans_.push_back({rank, "round " + std::to_string(round), start_seconds, end_seconds});
}

nlohmann::json Timeline::chrome_trace(const std::vector<std::string>& worker_names) const {
  nlohmann::json events = nlohmann::json::array();
  const auto event_on = [](int track) { return nlohmann::json{{"pid", 1}, {"tid", track + 1}}; };
  const auto describe = [&](int track, const char* what, nlohmann::json arguments) {
    nlohmann::json event = event_on(track);
    event.update({{"ph", "M"}, {"name", what}, {"args", std::move(arguments)}});
    events.push_back(std::move(event));
  };
  events.push_back({{"ph", "M"}, {"pid", 1}, {"name", "process_name"}, {"args", {{"name", "workers"}}}});
  std::set<int> drawn;
  for (const Span& span : spans_) drawn.insert(span.track);
  const int workers = static_cast<int>(worker_names.size());
  for (int rank = 0; rank < workers; ++rank) {
    const std::string& name = worker_names[static_cast<std::size_t>(rank)];
    const int stream = stream_track(rank, workers);
    describe(rank, "thread_name", {{"name", name}});
    describe(rank, "thread_sort_index", {{"sort_index", 2 * rank}});
    if (!drawn.contains(stream)) continue;
    describe(stream, "thread_name", {{"name", name + ", communication"}});
    describe(stream, "thread_sort_index", {{"sort_index", 2 * rank + 1}});
  }
  // Viewers nest spans of one track by their order: an outer one must come before those inside it.
  std::vector<Span> spans = spans_;
  std::ranges::stable_sort(spans, [](const Span& a, const Span& b) {
    if (a.track != b.track) return a.track < b.track;
    if (a.start_seconds != b.start_seconds) return a.start_seconds < b.start_seconds;
    return a.end_seconds > b.end_seconds;
  });
  constexpr double microseconds = 1e6;
  for (const Span& span : spans) {
    nlohmann::json event = event_on(span.track);
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
