#include <catch2/catch.hpp>
#include <cmath>
#include <set>

#include "analysis/csv.hpp"
#include "analysis/figures/figure.hpp"
#include "analysis/figures/theme.hpp"
#include "tests/analysis/study_files.hpp"

using namespace isthmus::analysis;
using Catch::Matchers::Contains;
using isthmus::testing::StudyFolder;
using isthmus::testing::write_text;
using isthmus::testing::WrittenRun;

namespace figures_test {
namespace {

constexpr double t_of_2 = 4.30265272991;  // Student's t, 2 degrees of freedom, 97.5 %

const std::vector<double> bandwidths = {1e6, 1e7, 1e8}, latencies = {0.001, 0.1};
const std::vector<std::string> kinds = {"data_parallel", "ist"};

/// Seconds to the target, by closed form: data parallel suffers from a slow network, IST computes longer.
double seconds(const std::string& kind, double bandwidth, double latency, int seed) {
  const double base = kind == "ist" ? 5 + 1e6 / bandwidth + 2 * latency : 1 + 4e7 / bandwidth + 50 * latency;
  return base * (1 + 0.1 * (seed - 2));
}

Json trace() {
  const auto span = [](const char* category, const char* name, int worker, double start, double duration) {
    return Json{{"ph", "X"},    {"pid", 1},          {"tid", worker + 1},    {"cat", category},
                {"name", name}, {"ts", start * 1e6}, {"dur", duration * 1e6}};
  };
  Json events = Json::array();
  for (int round = 0; round < 5; ++round) {
    for (int worker = 0; worker < 2; ++worker) {
      events.push_back(span("round", "round 1", worker, 10 * round, 10));
      events.push_back(span("compute", "compute", worker, 10 * round, 4));
      events.push_back(span("send", "send", worker, 10 * round + 4, 5));
      events.push_back(span("wait", "wait", worker, 10 * round + 9, 1));
    }
  }
  // The second worker also communicates while it computes, on a track that sorts after its own.
  const auto place = [](int track, int sort_index) {
    return Json{{"ph", "M"},
                {"pid", 1},
                {"tid", track},
                {"name", "thread_sort_index"},
                {"args", {{"sort_index", sort_index}}}};
  };
  for (const Json& each : {place(1, 0), place(2, 2), place(7, 3)}) events.insert(events.begin(), each);
  events.push_back(span("send", "send", 6, 1, 2));
  return {{"traceEvents", events}};
}

/// 2 protocols x 3 bandwidths x 2 latencies x 3 seeds. Data parallel never reaches the target at 1 Mbps with
/// 100 ms, and with one seed only fails to at 1 Mbps with 1 ms; a third protocol fits nowhere.
void fill(StudyFolder& folder) {
  for (const double bandwidth : bandwidths) {
    for (const double latency : latencies) {
      for (int seed = 1; seed <= 3; ++seed) {
        for (const std::string& kind : kinds) {
          WrittenRun run;
          run.protocol = {{"kind", kind}};
          run.bandwidth = std::to_string(static_cast<long>(bandwidth / 1e6)) + "Mbps";
          run.latency = std::to_string(static_cast<long>(latency * 1e3)) + "ms";
          run.seed = seed;
          run.seconds_to_target = seconds(kind, bandwidth, latency, seed);
          run.simulated_seconds = 2 * *run.seconds_to_target;
          const bool slowest = kind == "data_parallel" && bandwidth == 1e6;
          if (slowest && (latency == 0.1 || seed == 3)) run.seconds_to_target.reset();
          for (int round = 1; round <= 4; ++round) {
            run.history.push_back({round, run.simulated_seconds * round / 4,
                                   (kind == "ist" ? 1e6 : 1e8) * round, 0.5 + 0.1 * round + 0.01 * seed});
          }
          run.worker_seconds = {{6.0 * seed, 3, 1}, {4.0 * seed, 5, 1}};
          if (seed == 1 && bandwidth == 1e7) run.trace = trace();
          folder.add(run);
        }
        WrittenRun large;
        large.protocol = {{"kind", "local_sgd"}, {"local_steps", 10}};
        large.bandwidth = std::to_string(static_cast<long>(bandwidth / 1e6)) + "Mbps";
        large.latency = std::to_string(static_cast<long>(latency * 1e3)) + "ms";
        large.seed = seed;
        large.outcome = "out_of_memory";
        large.parameters_bytes = 9e9;
        folder.add(large);
      }
    }
  }
}

Figure make(const std::string& name, const Dataset& data, const FigureOptions& options = {}) {
  for (const FigureKind& kind : figure_kinds()) {
    if (kind.name == name) return kind.make(data, options);
  }
  FAIL("no figure " << name);
  throw std::logic_error(name);
}

/// Rows of a figure's data with these values.
std::vector<std::size_t> rows_where(const Table& table,
                                    const std::vector<std::pair<std::string, Json>>& values) {
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < table.rows().size(); ++row) {
    bool all = true;
    for (const auto& [column, value] : values) all = all && table.cell(row, column) == value;
    if (all) rows.push_back(row);
  }
  return rows;
}

std::size_t row_where(const Table& table, const std::vector<std::pair<std::string, Json>>& values) {
  const auto rows = rows_where(table, values);
  REQUIRE(rows.size() == 1);
  return rows[0];
}

struct Expected {
  double mean, low, high;
};

Expected of_three(double a, double b, double c) {
  const double mean = (a + b + c) / 3;
  const double squares = (a - mean) * (a - mean) + (b - mean) * (b - mean) + (c - mean) * (c - mean);
  const double half = t_of_2 * std::sqrt(squares / 2) / std::sqrt(3.0);
  return {mean, mean - half, mean + half};
}

void check_interval(const Table& table, std::size_t row, const std::string& column,
                    const Expected& expected) {
  CHECK(table.cell(row, column).get<double>() == Approx(expected.mean));
  CHECK(table.cell(row, "low").get<double>() == Approx(expected.low));
  CHECK(table.cell(row, "high").get<double>() == Approx(expected.high));
  CHECK(table.cell(row, "n") == 3);
}

void add_fields(const Json& encoding, std::set<std::string>& fields) {
  for (const auto& [channel, definition] : encoding.items()) {
    const Json entries = definition.is_array() ? definition : Json::array({definition});
    for (const Json& entry : entries) {
      if (entry.is_object() && entry.contains("field")) fields.insert(entry.at("field").get<std::string>());
    }
  }
}

/// A Vega-Lite spec whose every field is in its data or computed from it.
void check_spec(const Figure& figure) {
  INFO(figure.name);
  const Json& spec = figure.spec;
  CHECK(spec.at("$schema") == "https://vega.github.io/schema/vega-lite/v5.json");
  CHECK(spec.at("config").is_object());
  std::set<std::string> known;
  REQUIRE(spec.at("data").at("values").is_array());
  REQUIRE(spec.at("data").at("values").size() >= figure.data.rows().size());
  for (const Json& record : spec.at("data").at("values")) {
    for (const auto& [key, value] : record.items()) {
      known.insert(key);
      CHECK_FALSE(value.is_structured());
    }
  }
  for (const std::string& column : figure.data.columns()) known.insert(column);
  const bool facets = spec.contains("facet");
  if (facets) CHECK(spec.at("facet").at("field") == "panel");
  const Json& layers = facets ? spec.at("spec").at("layer") : spec.at("layer");
  REQUIRE(!layers.empty());
  for (const Json& layer : layers) {
    CHECK(layer.at("mark").at("type").is_string());
    std::set<std::string> available = known, used;
    if (layer.contains("data")) {
      for (const auto& [key, value] : layer.at("data").at("values").at(0).items()) available.insert(key);
    }
    for (const Json& step : layer.value("transform", Json::array())) {
      if (step.contains("as")) available.insert(step.at("as").get<std::string>());
    }
    add_fields(layer.at("encoding"), used);
    for (const std::string& field : used) {
      INFO("field " << field);
      CHECK(available.contains(field));
    }
  }
  CHECK(figure.spec.dump().find("null,null") == std::string::npos);
}

}  // namespace

TEST_CASE("Every kind of figure, in both widths and themes: spec, data and caption") {
  StudyFolder folder;
  fill(folder);
  const Dataset data = read_dataset({folder.path()});
  std::set<std::string> names;
  for (const FigureKind& kind : figure_kinds()) {
    CHECK(names.insert(kind.name).second);
    for (const FigureWidth width : {FigureWidth::one_column, FigureWidth::two_columns}) {
      FigureOptions options;
      options.width = width;
      options.theme = width == FigureWidth::one_column ? Theme::light : Theme::dark;
      if (kind.name == "time-to-target-workers") {
        CHECK_THROWS_AS(kind.make(data, options), NotApplicable);
        continue;
      }
      const Figure figure = kind.make(data, options);
      CHECK(figure.name == kind.name);
      CHECK_FALSE(figure.title.empty());
      check_spec(figure);
      if (figure.name != "timeline" && figure.name != "memory") CHECK_THAT(figure.caption, Contains("n = 3"));
      CHECK(isthmus::read_csv(figure.data.csv()).size() == figure.data.rows().size() + 1);
    }
  }
  CHECK(names.size() >= 18);
}

TEST_CASE("Without runs, or with nothing in them, every figure says what it misses") {
  StudyFolder empty, hollow;
  const auto run = hollow.add({});
  write_text(run / "run.json", "{}");
  for (const char* file : {"history.csv", "workers.csv", "links.csv"}) std::filesystem::remove(run / file);
  for (const auto& path : {empty.path(), hollow.path()}) {
    const Dataset data = read_dataset({path});
    for (const FigureKind& kind : figure_kinds()) {
      INFO(kind.name);
      CHECK_THROWS_AS(kind.make(data, {}), NotApplicable);
    }
  }
}

TEST_CASE("Learning curves: means and intervals over seeds") {
  StudyFolder folder;
  fill(folder);
  const Figure figure = make("accuracy-bytes", read_dataset({folder.path()}));
  // The same at every bandwidth and latency: one panel.
  CHECK_THAT(figure.caption, Contains("The same at every bandwidth and latency"));
  CHECK(figure.data.rows().size() == 2 * 4);
  const std::size_t row = row_where(figure.data, {{"series", "IST"}, {"round", 2}});
  CHECK(figure.data.cell(row, "bytes_sent") == 2e6);
  check_interval(figure.data, row, "test_accuracy", of_three(0.71, 0.72, 0.73));
  CHECK_THAT(figure.caption, Contains("Out of memory: Local SGD"));
}

TEST_CASE("Time to target: means and intervals, and what never got there") {
  StudyFolder folder;
  fill(folder);
  const Figure figure = make("time-to-target-bandwidth", read_dataset({folder.path()}));
  CHECK(figure.data.rows().size() == 3 * 3 * 2);
  for (const std::string& kind : kinds) {
    const std::string series = kind == "ist" ? "IST" : "Data parallel";
    const std::size_t row =
        row_where(figure.data, {{"series", series}, {"panel", "100 ms"}, {"bandwidth_bits_per_second", 1e8}});
    check_interval(
        figure.data, row, "seconds_to_target",
        of_three(seconds(kind, 1e8, 0.1, 1), seconds(kind, 1e8, 0.1, 2), seconds(kind, 1e8, 0.1, 3)));
    CHECK(figure.data.cell(row, "state") == "reached");
  }
  const std::size_t never = row_where(
      figure.data, {{"series", "Data parallel"}, {"panel", "100 ms"}, {"bandwidth_bits_per_second", 1e6}});
  CHECK(figure.data.cell(never, "seconds_to_target").is_null());
  CHECK(figure.data.cell(never, "state") == "not reached");
  CHECK(figure.data.cell(never, "edge") == "top");
  const std::size_t partly = row_where(
      figure.data, {{"series", "Data parallel"}, {"panel", "1 ms"}, {"bandwidth_bits_per_second", 1e6}});
  CHECK(figure.data.cell(partly, "state") == "partly reached");
  CHECK(figure.data.cell(partly, "n_with_value") == 2);
  CHECK(figure.data.cell(partly, "n") == 3);
  CHECK(rows_where(figure.data, {{"series", "Local SGD"}, {"state", "out of memory"}, {"edge", "top"}})
            .size() == 6);
  CHECK_THAT(figure.caption, Contains("never reached (1)") && Contains("out of memory (6)"));
}

TEST_CASE("Speed-up: each seed against the same seed of the baseline") {
  StudyFolder folder;
  fill(folder);
  const Dataset data = read_dataset({folder.path()});
  const Figure figure = make("speedup", data);
  const std::size_t row =
      row_where(figure.data, {{"series", "IST"}, {"panel", "1 ms"}, {"bandwidth_bits_per_second", 1e7}});
  // All seeds are slower by the same factor, so the ratio has no spread.
  const double ratio = seconds("data_parallel", 1e7, 0.001, 2) / seconds("ist", 1e7, 0.001, 2);
  check_interval(figure.data, row, "speedup", {ratio, ratio, ratio});
  CHECK(rows_where(figure.data, {{"series", "Data parallel"}}).empty());
  const std::size_t unbounded =
      row_where(figure.data, {{"series", "IST"}, {"panel", "100 ms"}, {"bandwidth_bits_per_second", 1e6}});
  CHECK(figure.data.cell(unbounded, "edge") == "top");

  FigureOptions over_ist;
  over_ist.baseline = "ist";
  const Figure inverse = make("speedup", data, over_ist);
  const std::size_t same = row_where(
      inverse.data, {{"series", "Data parallel"}, {"panel", "1 ms"}, {"bandwidth_bits_per_second", 1e7}});
  CHECK(inverse.data.cell(same, "speedup").get<double>() == Approx(1 / ratio));
  over_ist.baseline = "gossip";
  CHECK_THROWS_WITH(make("speedup", data, over_ist), Contains("gossip") && Contains("Data parallel"));
}

TEST_CASE("Map: the fastest of each cell, by how much, and the line where protocols tie") {
  StudyFolder folder;
  fill(folder);
  const Dataset data = read_dataset({folder.path()});
  const Figure figure = make("map-fastest", data);
  CHECK(figure.data.rows().size() == 6);
  for (const double bandwidth : bandwidths) {
    for (const double latency : latencies) {
      const std::size_t row =
          row_where(figure.data, {{"bandwidth_bits_per_second", bandwidth}, {"latency_seconds", latency}});
      const double parallel = seconds("data_parallel", bandwidth, latency, 2),
                   ist = seconds("ist", bandwidth, latency, 2);
      // At 10 Mbps and 1 ms they are 1 % apart, which is no victory.
      const bool level = bandwidth == 1e7 && latency == 0.001;
      REQUIRE((std::abs(std::log(ist / parallel)) < 0.02) == level);
      CHECK(figure.data.cell(row, "series") == (level            ? Json()
                                                : ist < parallel ? Json("IST")
                                                                 : Json("Data parallel")));
      CHECK((figure.data.cell(row, "label") == "≈") == level);
      CHECK(figure.data.cell(row, "seconds_to_target").get<double>() == Approx(std::min(parallel, ist)));
      if (bandwidth == 1e6 && latency == 0.1) CHECK(figure.data.cell(row, "label") == "only");
      if (bandwidth > 1e6)
        CHECK(figure.data.cell(row, "factor").get<double>() ==
              Approx(std::max(parallel, ist) / std::min(parallel, ist)));
    }
  }
  // At 10 Mbps the times are tied between 1 and 100 ms: the contour ends there, linear in steps of the grid.
  const double at_1 = std::log(seconds("data_parallel", 1e7, 0.001, 2) / seconds("ist", 1e7, 0.001, 2));
  const double at_100 = std::log(seconds("data_parallel", 1e7, 0.1, 2) / seconds("ist", 1e7, 0.1, 2));
  const double tie = at_1 / (at_1 - at_100);
  bool found = false;
  for (const Json& record : figure.spec.at("data").at("values")) {
    if (!record.contains("x_from")) continue;
    for (const char* end : {"from", "to"}) {
      const double x = record.at(std::string("x_") + end).get<double>(),
                   y = record.at(std::string("y_") + end).get<double>();
      found = found || (x == 1 && std::abs(y - tie) < 1e-9);
    }
  }
  CHECK(found);
  const Figure speedups = make("map-speedup", data);
  CHECK(rows_where(speedups.data, {{"series", "IST"}}).size() == 6);
  CHECK(rows_where(speedups.data, {{"series", "IST"}, {"label", "only"}}).size() == 1);
  CHECK(rows_where(speedups.data, {{"series", "Local SGD"}, {"speedup", Json()}}).size() == 6);
  const std::size_t level = row_where(speedups.data, {{"series", "IST"}, {"state", "level"}});
  CHECK(speedups.data.cell(level, "label") == "0.99×");
  CHECK_THAT(speedups.spec.dump(), Contains("datum.state === 'level'"));
  CHECK_THAT(figure.caption, Contains("≈: no difference (within 2 %, or the speed-up's 95 % interval"));
}

TEST_CASE(
    "Targets met at the first test: bounds in data, captions and maps, and no tie or colour from them") {
  StudyFolder folder;
  for (const int megabits : {1, 10}) {
    for (const int milliseconds : {1, 100}) {
      WrittenRun run;
      run.bandwidth = std::to_string(megabits) + "Mbps";
      run.latency = std::to_string(milliseconds) + "ms";
      run.seconds_to_target = 8;
      folder.add(run);
      run.protocol = {{"kind", "ist"}};
      run.seconds_to_target = 2;
      run.to_target_is_upper_bound = megabits == 1;
      folder.add(run);
      run.protocol = {{"kind", "resist"}};
      run.seconds_to_target = 9;
      run.to_target_is_upper_bound = true;
      folder.add(run);
    }
  }
  const Dataset data = read_dataset({folder.path()});
  const std::vector<std::pair<std::string, Json>> slow = {{"bandwidth_bits_per_second", 1e6},
                                                          {"panel", "1 ms"}};
  const auto of = [&](const char* series) {
    auto where = slow;
    where.emplace_back("series", series);
    return where;
  };
  const Figure times = make("time-to-target-bandwidth", data), speedup = make("speedup", data);
  CHECK(times.data.cell(row_where(times.data, of("IST")), "bound") == "at most");
  CHECK(times.data.cell(row_where(times.data, of("IST")), "low").is_null());
  CHECK(times.data.cell(row_where(times.data, of("Data parallel")), "bound").is_null());
  CHECK_THAT(times.caption, Contains("down: at most this (6)"));
  CHECK(speedup.data.cell(row_where(speedup.data, of("IST")), "bound") == "at least");
  CHECK_THAT(speedup.caption, Contains("up: at least this (6)"));
  check_spec(times);
  check_spec(speedup);

  // ResIST's bound of 9 s may come before any other: nobody is known to be first.
  const Figure fastest = make("map-fastest", data), map = make("map-speedup", data);
  CHECK(rows_where(fastest.data, {{"state", "open"}, {"label", "?"}, {"series", Json()}}).size() == 4);
  CHECK(rows_where(map.data, {{"series", "IST"}, {"label", "≥4.0×"}, {"state", "faster"}}).size() == 2);
  CHECK(rows_where(map.data, {{"series", "ResIST"}, {"label", "?"}, {"state", "open"}}).size() == 4);
  check_spec(fastest);
  check_spec(map);
  CHECK_THROWS_WITH(make("crossover", data), Contains("met at the first test"));
}

TEST_CASE("Crossover figure: the tie, its interval, and who never ties") {
  StudyFolder folder;
  fill(folder);
  const Figure figure = make("crossover", read_dataset({folder.path()}));
  const std::size_t row = row_where(figure.data, {{"series", "IST"}, {"latency_seconds", 0.001}});
  // 1 + 4e7/x + 0.05 s against 5 + 1e6/x + 0.002 s; swept in whole decades, so not to 1 %.
  const double tie = 3.9e7 / (5.002 - 1.05);
  CHECK(figure.data.cell(row, "crossover_bandwidth_bits_per_second").get<double>() ==
        Approx(tie).epsilon(0.03));
  // One seed never reaches the target at 1 Mbps, and so shows one side only.
  CHECK(figure.data.cell(row, "n") == 3);
  CHECK(figure.data.cell(row, "n_with_value") == 2);
  CHECK_THAT(figure.caption,
             Contains("IST and Data parallel tie at") && Contains("below that IST is faster"));
  CHECK(figure.data.cell(row, "faster_below") == "IST");
  CHECK(figure.data.cell(row, "faster_above") == "Data parallel");
}

TEST_CASE("Crossover figure: twins are equal throughout, and curves that part are equal up to there") {
  StudyFolder folder;
  for (const int megabits : {1, 10, 100}) {
    WrittenRun run;
    run.bandwidth = std::to_string(megabits) + "Mbps";
    run.seconds_to_target = 100.0 / megabits;
    folder.add(run);
    run.protocol = {{"kind", "post_local_sgd"}};
    folder.add(run);
    run.protocol = {{"kind", "local_sgd"}};
    if (megabits == 100) run.seconds_to_target = 0.5;
    folder.add(run);
  }
  const Figure figure = make("crossover", read_dataset({folder.path()}));
  const std::size_t twin = row_where(figure.data, {{"series", "Post-local SGD"}}),
                    part = row_where(figure.data, {{"series", "Local SGD"}});
  for (const std::size_t row : {twin, part}) {
    CHECK(figure.data.cell(row, "crossover_bandwidth_bits_per_second").is_null());
    CHECK(figure.data.cell(row, "faster_below") == "equal");
    CHECK(figure.data.cell(row, "equal_from_bandwidth_bits_per_second") == 1e6);
  }
  CHECK(figure.data.cell(twin, "faster_above") == "equal");
  CHECK(figure.data.cell(twin, "equal_to_bandwidth_bits_per_second") == 1e8);
  CHECK(figure.data.cell(part, "faster_above") == "Local SGD");
  CHECK(figure.data.cell(part, "equal_to_bandwidth_bits_per_second") == 1e7);
  CHECK_THAT(figure.caption,
             Contains("Post-local SGD and Data parallel are equal throughout") &&
                 Contains("Local SGD is faster than Data parallel elsewhere, equal at 1 Mbps to "
                          "10 Mbps") &&
                 !Contains("tie at"));
  check_spec(figure);
}

TEST_CASE("Where time goes: means over workers and seeds, shares of the sum") {
  StudyFolder folder;
  fill(folder);
  const Figure figure = make("time-breakdown", read_dataset({folder.path()}));
  const auto row = [&](const char* activity) {
    return rows_where(figure.data, {{"series", "IST"}, {"activity", activity}}).at(0);
  };
  check_interval(figure.data, row("compute"), "seconds",
                 of_three(5, 10, 15));  // workers: 6, 4 times the seed
  check_interval(figure.data, row("communication"), "seconds", {4, 4, 4});
  check_interval(figure.data, row("idle"), "seconds", {1, 1, 1});
  CHECK(figure.data.cell(row("compute"), "share").get<double>() == Approx(10.0 / 15));
  CHECK(figure.data.cell(row("idle"), "total_seconds").get<double>() == Approx(15));
}

TEST_CASE("Links and memory: bytes by link; parts, limits, and what did not fit") {
  StudyFolder folder;
  fill(folder);
  const Dataset data = read_dataset({folder.path()});
  const Figure links = make("bytes-by-link", data);
  check_interval(links.data, row_where(links.data, {{"series", "IST"}, {"link", "down"}}), "bytes",
                 {500, 500, 500});

  const Figure memory = make("memory", data);
  const std::size_t row = row_where(memory.data, {{"series", "Local SGD"}, {"part", "parameters"}});
  CHECK(memory.data.cell(row, "bytes") == 9e9);
  CHECK(memory.data.cell(row, "limit_bytes") == 8e9);
  CHECK(memory.data.cell(row, "outcome") == "out_of_memory");
  CHECK_THAT(memory.caption, Contains("out of memory") && Contains("limit"));
}

TEST_CASE("Timeline: spans of the first rounds, in seconds") {
  StudyFolder folder;
  fill(folder);
  const Figure figure = make("timeline", read_dataset({folder.path()}));
  const auto compute = rows_where(figure.data, {{"activity", "compute"}, {"worker", "1"}});
  REQUIRE(compute.size() == 2 * 3);  // two protocols, three rounds
  CHECK(figure.data.cell(compute[1], "start_seconds").get<double>() == Approx(10));
  CHECK(figure.data.cell(compute[1], "end_seconds").get<double>() == Approx(14));
  CHECK(rows_where(figure.data, {{"activity", "end of round"}}).size() == 2 * 3);
  const auto beside = rows_where(figure.data, {{"worker", "1 stream"}});
  REQUIRE(beside.size() == 2);
  CHECK(figure.data.cell(beside[0], "activity") == "send");
  CHECK(figure.data.cell(beside[0], "start_seconds").get<double>() == Approx(1));
}

TEST_CASE("Pareto front: no point of it is beaten") {
  StudyFolder folder;
  fill(folder);
  const Figure figure = make("pareto", read_dataset({folder.path()}));
  for (std::size_t i = 0; i < figure.data.rows().size(); ++i) {
    const auto value = [&](std::size_t row, const char* column) {
      return figure.data.cell(row, column).get<double>();
    };
    bool beaten = false;
    for (std::size_t j = 0; j < figure.data.rows().size(); ++j) {
      beaten = beaten || (value(j, "bytes_sent") < value(i, "bytes_sent") &&
                          value(j, "test_accuracy") >= value(i, "test_accuracy"));
    }
    CHECK(figure.data.cell(i, "on_front") == !beaten);
  }
}

TEST_CASE("A protocol has its colour in every figure, whoever else is there") {
  StudyFolder all, few;
  fill(all);
  WrittenRun run;
  run.protocol = {{"kind", "ist"}};
  few.add(run);
  const Dataset many = read_dataset({all.path()}), one = read_dataset({few.path()});
  const FigureOptions options;
  CHECK(series_style(many, "IST", options).color == series_style(one, "IST", options).color);
  std::set<std::string> colors, shapes, dashes;
  for (const std::string& series : many.series()) {
    colors.insert(series_style(many, series, options).color);
    shapes.insert(series_style(many, series, options).shape);
    dashes.insert(series_style(many, series, options).dash.dump());
  }
  CHECK(colors.size() == 3);
  CHECK(shapes.size() == 3);
  CHECK(dashes.size() == 3);
}

TEST_CASE("Styles change colours, labels and the config; anything else in them is refused") {
  StudyFolder folder;
  fill(folder);
  const auto file = folder.path() / "style.json";
  write_text(
      file,
      R"({"config": {"axis": {"labelFontSize": 7}}, "colors": {"ist": "#123456"}, "labels": {"ist": "Ours"}})");
  FigureOptions options;
  options.style = read_style(file);
  const Dataset data = read_dataset({folder.path()}, {.series = "", .labels = style_labels(options.style)});
  const Figure figure = make("accuracy-time", data, options);
  CHECK(figure.spec.at("config").at("axis").at("labelFontSize") == 7);
  CHECK_THAT(figure.spec.dump(), Contains("#123456") && Contains("Ours"));
  write_text(file, R"({"colours": {}})");
  CHECK_THROWS_WITH(read_style(file), Contains("colours") && Contains("allowed"));
  write_text(file, "{");
  CHECK_THROWS_WITH(read_style(file), Contains("style.json"));
  CHECK_THROWS_WITH(read_style(folder.path() / "none.json"), Contains("missing"));
}

TEST_CASE("Facets: the axis asked for, and a complaint where it is the same in all runs") {
  StudyFolder folder;
  fill(folder);
  const Dataset data = read_dataset({folder.path()});
  FigureOptions options;
  options.facet = "latency";
  options.x = "bandwidth";
  CHECK(make("time-to-target", data, options).spec.at("facet").at("sort") == Json({"1 ms", "100 ms"}));
  options.facet = "workers";
  CHECK_THROWS_AS(make("time-to-target", data, options), NotApplicable);
}

}  // namespace figures_test
