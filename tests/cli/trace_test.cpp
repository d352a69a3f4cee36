// trace.json against the Chrome trace event format, as Perfetto reads it, and against workers.csv.

#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <sstream>

#include "tests/cli/program.hpp"

using namespace isthmus::testing;
using nlohmann::json;

namespace trace_test {
namespace {

std::vector<std::map<std::string, std::string>> read_table(const fs::path& file) {
  const auto cells = read_cells(file);
  std::vector<std::map<std::string, std::string>> rows;
  for (std::size_t row = 1; row < cells.size(); ++row) {
    auto& named = rows.emplace_back();
    for (std::size_t i = 0; i < cells[row].size(); ++i) named[cells.front()[i]] = cells[row][i];
  }
  return rows;
}

/// Microseconds may be rounded once when they are made from seconds.
constexpr double rounding = 1e-3;

/// Spans of a track, in the file's order, must lie beside or inside each other: what Perfetto stacks.
void require_nested(const std::vector<json>& spans) {
  std::vector<double> open_ends;
  double last_start = 0;
  for (const json& span : spans) {
    const double start = span.at("ts"), end = start + span.at("dur").get<double>();
    REQUIRE(start >= last_start);
    last_start = start;
    while (!open_ends.empty() && open_ends.back() <= start + rounding) open_ends.pop_back();
    if (!open_ends.empty()) REQUIRE(end <= open_ends.back() + rounding);
    open_ends.push_back(end);
  }
}

}  // namespace

TEST_CASE("traces have what Perfetto needs, nest, and sum to workers.csv") {
  const TemporaryFolder folder;
  json scenario = small_study("traced");
  scenario["training"]["batch"] = 20;
  write_text(folder / "scenario.json", scenario.dump());
  REQUIRE(run_program({"run", folder / "scenario.json", "--out", folder / "out", "--trace"}).exit_code == 0);

  double waited = 0;
  for (const char* id : {"0-data_parallel", "1-local_sgd", "2-ist", "3-ist"}) {
    INFO(id);
    const fs::path run = folder / "out/runs" / id;
    const json trace = read_json_file(run / "trace.json");
    std::map<int, std::string> track_names;
    std::map<int, std::vector<json>> tracks;
    for (const json& event : trace.at("traceEvents")) {
      INFO(event.dump());
      REQUIRE(event.at("name").is_string());
      REQUIRE(event.at("pid").is_number_integer());
      if (event.at("ph") == "M") {
        if (event.at("name") == "thread_sort_index") {
          REQUIRE(event.at("args").at("sort_index").is_number_integer());
          continue;
        }
        REQUIRE((event.at("name") == "process_name" || event.at("name") == "thread_name"));
        REQUIRE(event.at("args").at("name").is_string());
        if (event.at("name") == "thread_name") track_names[event.at("tid")] = event.at("args").at("name");
        continue;
      }
      REQUIRE(event.at("ph") == "X");
      REQUIRE(event.at("cat").is_string());
      REQUIRE(event.at("ts").get<double>() >= 0);
      REQUIRE(event.at("dur").get<double>() >= 0);
      tracks[event.at("tid").get<int>()].push_back(event);
    }

    const auto workers = read_table(run / "workers.csv");
    const double simulated = read_json_file(run / "run.json").at("summary").at("simulated_seconds");
    REQUIRE(workers.size() == 3);
    const bool overlaps = std::string(id) == "0-data_parallel";  // by a stream of each worker
    REQUIRE(tracks.size() == (overlaps ? 2 : 1) * workers.size());
    REQUIRE(track_names.size() == tracks.size());
    for (const auto& worker : workers) {
      const int track = std::stoi(worker.at("rank")) + 1;
      CHECK(track_names.at(track) == worker.at("rank") + " " + worker.at("host"));
      require_nested(tracks.at(track));
      const int stream = track + static_cast<int>(workers.size());
      if (overlaps) {
        CHECK(track_names.at(stream) == track_names.at(track) + ", communication");
        require_nested(tracks.at(stream));
      }
      std::map<std::string, double> seconds;
      std::set<std::string> rounds;
      double end = 0;
      for (const json& span : tracks.at(track)) {
        const double duration = span.at("dur").get<double>() / 1e6;
        seconds[span.at("cat")] += duration;
        end = std::max(end, span.at("ts").get<double>() / 1e6 + duration);
        if (span.at("cat") == "round") rounds.insert(span.at("name"));
      }
      CHECK(rounds.size() ==
            static_cast<std::size_t>(read_json_file(run / "run.json").at("summary").at("rounds").get<int>()));
      const double communication = seconds["send"] + seconds["receive"] + seconds["send and receive"];
      CHECK(seconds["compute"] == Approx(std::stod(worker.at("compute_seconds"))));
      CHECK(communication == Approx(std::stod(worker.at("communication_seconds"))));
      // Who is done before the others idles until the end, without a span.
      CHECK(seconds["wait"] + simulated - end ==
            Approx(std::stod(worker.at("idle_seconds"))).margin(1e-9 * simulated));
      CHECK(seconds["compute"] + communication + seconds["wait"] == Approx(end));
      waited += seconds["wait"];
    }
  }
  CHECK(waited > 0);  // the exchange by a server makes workers wait, so that this is tested too
}

}  // namespace trace_test
