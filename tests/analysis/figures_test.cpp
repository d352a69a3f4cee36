#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "analysis/csv.hpp"
#include "analysis/figures/figure.hpp"
#include "analysis/figures/spec.hpp"
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
          run.energy_joules = 200.0 * seed;
          run.staleness_mean = 2.0 * seed;
          run.final_test_accuracy = 0.9 + 0.01 * seed;
          run.precision_at_5 = 0.1 * seed;
          run.lost_samples = 100L * seed;
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

/// The views of a spec that have layers.
Json views_of(const Json& spec) {
  if (spec.contains("facet")) return Json::array({spec.at("spec")});
  return spec.contains("vconcat") ? spec.at("vconcat") : Json::array({spec});
}

/// Layers of all views of a spec, with what they inherit from their view as Vega-Lite has it: transforms, and
/// of encodings the channels, or what a channel of their own leaves unsaid.
Json layers_of(const Json& spec) {
  Json layers = Json::array();
  for (const Json& view : views_of(spec)) {
    for (Json layer : view.at("layer")) {
      Json encoding = view.value("encoding", Json::object()), steps = view.value("transform", Json::array());
      const Json own = layer.value("encoding", Json::object());
      for (const auto& [name, channel] : own.items()) {
        if (channel.is_object() && channel.contains("field") && encoding.contains(name)) {
          encoding[name].update(channel);
        } else {
          encoding[name] = channel;
        }
      }
      for (const Json& step : layer.value("transform", Json::array())) steps.push_back(step);
      layer["encoding"] = encoding;
      layer["transform"] = steps;
      layers.push_back(layer);
    }
  }
  return layers;
}

/// Height of all views above each other, without what is around them.
double height_of(const Json& spec) {
  if (spec.contains("vconcat")) {
    double sum = 0;
    for (const Json& view : spec.at("vconcat")) sum += view.at("height").get<double>();
    return sum;
  }
  if (!spec.contains("facet")) return spec.at("height").get<double>();
  const std::size_t panels = spec.at("facet").at("sort").size(),
                    columns = spec.at("columns").get<std::size_t>();
  return spec.at("spec").at("height").get<double>() * static_cast<double>((panels + columns - 1) / columns);
}

std::size_t sentences_in(const std::string& text) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); ++at)
    count += text[at] == '.' && (at + 1 == text.size() || text[at + 1] == ' ');
  return count;
}

/// Hue of "#rrggbb" in degrees.
double hue_of(const std::string& color) {
  const auto part = [&](int at) { return static_cast<double>(std::stoi(color.substr(at, 2), nullptr, 16)); };
  const double red = part(1), green = part(3), blue = part(5);
  return std::atan2(std::sqrt(3.0) * (green - blue), 2 * red - green - blue) * 180 / M_PI;
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
  if (spec.contains("facet")) CHECK(spec.at("facet").at("field") == "panel");
  const Json layers = layers_of(spec);
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
  std::set<std::string> names, drawn;
  for (const FigureKind& kind : figure_kinds()) {
    CHECK(names.insert(kind.name).second);
    for (const FigureWidth width : {FigureWidth::one_column, FigureWidth::two_columns}) {
      FigureOptions options;
      options.width = width;
      options.theme = width == FigureWidth::one_column ? Theme::light : Theme::dark;
      if (kind.name == "scaling-efficiency") {
        CHECK_THROWS_AS(kind.make(data, options), NotApplicable);
        continue;
      }
      const Figure figure = kind.make(data, options);
      CHECK(figure.name == kind.name);
      CHECK_FALSE(figure.title.empty());
      check_spec(figure);
      if (figure.name != "timeline" && figure.name != "memory") CHECK_THAT(figure.caption, Contains("n = 3"));
      INFO(figure.caption);
      CHECK(sentences_in(figure.caption) <= 6);
      if (width == FigureWidth::one_column) {
        CHECK(height_of(figure.spec) <= 4.5 * 96);
        CHECK(drawn.insert(figure.data.csv()).second);  // no figure twice, under two names
      }
      CHECK(isthmus::read_csv(figure.data.csv()).size() == figure.data.rows().size() + 1);
    }
  }
  CHECK(names.size() >= 20);
}

TEST_CASE("What a figure shows are layers of a template, and every template is some figure's") {
  StudyFolder folder;
  fill(folder);
  const Dataset data = read_dataset({folder.path()});
  const auto marks = [](const Json& spec) {
    std::set<std::string> found;
    for (const Json& layer : layers_of(spec)) found.insert(layer.value("name", "") + layer.at("mark").dump());
    return found;
  };
  std::set<std::string> templates, used;
  const std::string extension = ".vl.json";
  for (const auto& [file, text] : figure_files()) {
    if (file.ends_with(extension)) templates.insert(file.substr(0, file.size() - extension.size()));
  }
  for (const FigureKind& kind : figure_kinds()) {
    if (kind.name == "scaling-efficiency") continue;  // as others over an axis; needs other runs
    INFO(kind.name);
    const std::set<std::string> shown = marks(kind.make(data, {}).spec);
    std::size_t from = 0;
    for (const std::string& name : templates) {
      if (!std::ranges::includes(marks(read_template(name)), shown)) continue;
      used.insert(name);
      ++from;
    }
    CHECK(from == 1);
  }
  CHECK(used == templates);
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
  CHECK_THAT(figure.caption, Contains("Out of memory: 3 runs."));
  REQUIRE(figure.notes.size() == 1);
  CHECK_THAT(figure.notes[0], Contains("Out of memory: Local SGD at"));
}

TEST_CASE("Time to target: means and intervals, and what never got there") {
  StudyFolder folder;
  fill(folder);
  const Figure figure = make("time-to-target", read_dataset({folder.path()}));
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
  const Figure times = make("time-to-target", data), speedup = make("speedup", data);
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
  CHECK_THAT(figure.notes.at(0),
             Contains("IST and Data parallel tie at") && Contains("below that IST is faster"));
  CHECK(figure.data.cell(row, "faster_below") == "IST");
  CHECK(figure.data.cell(row, "faster_above") == "Data parallel");
  // The plot itself says whose side is whose.
  CHECK_THAT(figure.spec.dump(),
             Contains("↓ the protocol is faster") && Contains("↑ Data parallel is faster"));
}

TEST_CASE("Crossovers along the only axis: a row for each protocol, with words") {
  StudyFolder folder;
  for (const double bandwidth : bandwidths) {
    for (const std::string& kind : kinds) {
      WrittenRun run;
      run.protocol = {{"kind", kind}};
      run.bandwidth = std::to_string(static_cast<long>(bandwidth / 1e6)) + "Mbps";
      run.seconds_to_target = seconds(kind, bandwidth, 0.001, 2);
      folder.add(run);
    }
  }
  const Figure figure = make("crossover", read_dataset({folder.path()}));
  check_spec(figure);
  CHECK(figure.spec.at("title").at("text").dump() ==
        Json({"Compared with Data parallel:", "← IST is faster  |  Data parallel is faster →"}).dump());
  CHECK(layers_of(figure.spec).back().at("encoding").at("y").at("field") == "series");
}

TEST_CASE("Speed-up: the line at 1 is in the plot even where all are far above it") {
  StudyFolder folder;
  for (const double bandwidth : {1e6, 1e7, 1e8}) {
    for (const std::string& kind : kinds) {
      WrittenRun run;
      run.protocol = {{"kind", kind}};
      run.bandwidth = std::to_string(static_cast<long>(bandwidth / 1e6)) + "Mbps";
      run.seconds_to_target = kind == "ist" ? 1 : 4e9 / bandwidth;
      folder.add(run);
    }
  }
  const Figure figure = make("speedup", read_dataset({folder.path()}));
  bool found = false;
  for (const Json& layer : layers_of(figure.spec)) {
    const Json& encoding = layer.at("encoding");
    const Json& domain = encoding.at("y").at("scale").at("domain");
    CHECK(domain.at(0).get<double>() <= 1);
    CHECK(domain.at(1).get<double>() >= 4000);
    found = found || (layer.at("mark").at("type") == "rule" && encoding.at("y").at("field") == "at");
  }
  CHECK(found);
}

TEST_CASE("The bandwidth of a single link is a bandwidth, and says of which link") {
  StudyFolder folder;
  for (const char* bandwidth : {"1Mbps", "10Mbps", "100Mbps"}) {
    for (const std::string& kind : kinds) {
      WrittenRun run;
      run.protocol = {{"kind", kind}};
      run.link_bandwidth = bandwidth;
      run.seconds_to_target = kind == "ist" ? 5 : 50;
      folder.add(run);
    }
  }
  const Dataset data = read_dataset({folder.path()});
  REQUIRE(data.axes().size() == 1);
  CHECK(data.axes()[0].key == "/platform/links/l0/bandwidth");
  CHECK(data.find_axis("bandwidth") == 0U);
  FigureOptions options;
  options.x = "bandwidth";
  const Figure figure = make("time-to-target", data, options);
  CHECK(figure.title == "Time to 80 % accuracy against bandwidth of l0");
  CHECK(rows_where(figure.data, {{"l0_bandwidth_bits_per_second", 1e7}}).size() == 2);
}

TEST_CASE("Each link's bandwidth is said to be that of all links") {
  StudyFolder folder;
  for (const char* bandwidth : {"1Mbps", "10Mbps"}) {
    WrittenRun run;
    run.link = "*";
    run.link_bandwidth = bandwidth;
    folder.add(run);
  }
  CHECK(read_dataset({folder.path()}).axes().at(0).title == "Bandwidth of all links");
}

TEST_CASE("Speed-up against the baseline's seconds of computing for each of communication") {
  StudyFolder folder;
  const auto add = [&](const std::string& kind, const std::string& bandwidth, int seed, double communication,
                       double to_target) {
    WrittenRun run;
    run.protocol = {{"kind", kind}};
    run.bandwidth = bandwidth;
    run.seed = seed;
    run.worker_seconds = {{6, communication, 0}, {2, 3 * communication, 0}};
    run.seconds_to_target = to_target;
    folder.add(run);
  };
  for (int seed = 1; seed <= 3; ++seed) {
    add("data_parallel", "1Mbps", seed, 20, 100 * seed);
    add("ist", "1Mbps", seed, 1, 10);
    add("data_parallel", "100Mbps", seed, 0.5, 5);
    add("ist", "100Mbps", seed, 7, 10);
  }
  const Figure figure = make("speedup-compute-ratio", read_dataset({folder.path()}));
  check_spec(figure);
  CHECK(figure.data.rows().size() == 2);
  const std::size_t slow = row_where(figure.data, {{"compute_to_communication", 8.0 / 80}});
  CHECK(figure.data.cell(slow, "series") == "IST");
  CHECK(figure.data.cell(slow, "speedup").get<double>() == Approx(10 * std::cbrt(6.0)));
  CHECK(figure.data.cell(slow, "n") == 3);
  const std::size_t fast = row_where(figure.data, {{"compute_to_communication", 8.0 / 2}});
  check_interval(figure.data, fast, "speedup", {0.5, 0.5, 0.5});
}

TEST_CASE("Scaling efficiency: samples per second and worker over those with the fewest workers") {
  StudyFolder folder;
  const auto end = [](int workers, int seed) { return workers == 2 ? 10.0 : 6.0 + seed; };
  for (const int workers : {2, 4}) {
    for (int seed = 1; seed <= 3; ++seed) {
      WrittenRun run;
      run.workers = workers;
      run.seed = seed;
      run.history = {{2, end(workers, seed) / 2, 1e6, 0.5}, {4, end(workers, seed), 2e6, 0.6}};
      folder.add(run);
    }
  }
  const Figure figure = make("scaling-efficiency", read_dataset({folder.path()}));
  check_spec(figure);
  // The same samples by twice as many workers in 7, 8, 9 instead of 10 s.
  const std::size_t four = row_where(figure.data, {{"workers", 4}});
  CHECK(figure.data.cell(four, "efficiency").get<double>() == Approx(5 / std::cbrt(7.0 * 8 * 9)));
  CHECK(figure.data.cell(four, "n") == 3);
  check_interval(figure.data, row_where(figure.data, {{"workers", 2}}), "efficiency", {1, 1, 1});
  CHECK_THAT(figure.caption, Contains("with 2 workers"));
}

TEST_CASE("Differences: pairs of the same seed and setting, and no other") {
  StudyFolder folder;
  const auto add = [&](const std::string& kind, int seed, double accuracy, double to_target) {
    WrittenRun run;
    run.protocol = {{"kind", kind}};
    run.seed = seed;
    run.seconds_to_target = to_target;
    run.history = {{1, 5, 1e6, 0.1}, {2, 10, 2e6, accuracy}};
    folder.add(run);
  };
  const std::vector<double> base = {0.90, 0.92, 0.94}, ist = {0.88, 0.93, 0.90}, factor = {0.5, 0.25, 2};
  for (int seed = 1; seed <= 3; ++seed) {
    const auto i = static_cast<std::size_t>(seed - 1);
    add("data_parallel", seed, base[i], 10 * seed);
    add("ist", seed, ist[i], 10 * seed * factor[i]);
  }
  add("ist", 4, 0.1, 1000);  // without a partner
  const Dataset data = read_dataset({folder.path()});
  for (const auto& [name, column, expected] :
       {std::tuple("accuracy-difference", "accuracy_difference_points", of_three(-2, 1, -4)),
        std::tuple("time-difference", "relative_time_difference", of_three(-0.5, -0.75, 1))}) {
    const Figure figure = make(name, data);
    check_spec(figure);
    REQUIRE(figure.data.rows().size() == 1);
    CHECK(figure.data.cell(0, column).get<double>() == Approx(expected.mean));
    CHECK(figure.data.cell(0, "low").get<double>() == Approx(expected.low));
    CHECK(figure.data.cell(0, "high").get<double>() == Approx(expected.high));
    CHECK(figure.data.cell(0, "n") == 4);
    CHECK(figure.data.cell(0, "n_with_value") == 3);
  }
}

TEST_CASE("Bytes of a round: as sent, and as papers count") {
  StudyFolder folder;
  for (int seed = 1; seed <= 3; ++seed) {
    WrittenRun run;
    run.seed = seed;
    run.bytes_per_round = 1000.0 * seed;
    run.paper_bytes_per_round = 5000;
    folder.add(run);
  }
  const Figure figure = make("bytes-per-round", read_dataset({folder.path()}));
  check_interval(figure.data, row_where(figure.data, {{"accounting", "sent"}}), "bytes_per_round",
                 of_three(1000, 2000, 3000));
  check_interval(figure.data, row_where(figure.data, {{"accounting", "as papers count"}}), "bytes_per_round",
                 {5000, 5000, 5000});
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
  const std::string notes = figure.notes.at(0) + ' ' + figure.notes.at(1);
  CHECK_THAT(notes, Contains("Post-local SGD and Data parallel are equal throughout") &&
                        Contains("Local SGD is faster than Data parallel elsewhere, equal at 1 Mbps to "
                                 "10 Mbps") &&
                        !Contains("tie at"));
  check_spec(figure);
}

TEST_CASE("Crossover figure against a further axis: where twins are equal there is a mark") {
  StudyFolder folder;
  for (const char* latency : {"1ms", "10ms"}) {
    for (const int megabits : {1, 10, 100}) {
      WrittenRun run;
      run.bandwidth = std::to_string(megabits) + "Mbps";
      run.latency = latency;
      run.seconds_to_target = 100.0 / megabits;
      folder.add(run);
      run.protocol = {{"kind", "post_local_sgd"}};
      folder.add(run);
    }
  }
  const Figure figure = make("crossover", read_dataset({folder.path()}));
  CHECK(rows_where(figure.data, {{"state", "equal throughout"}}).size() == 2);
  const std::string from = "equal_from_bandwidth_bits_per_second", to = "equal_to_bandwidth_bits_per_second";
  const Json layers = layers_of(figure.spec);
  const auto draws = [&](const char* mark, const std::string& field) {
    return std::ranges::count_if(layers, [&](const Json& layer) {
      return layer.at("mark").at("type") == mark && layer.at("encoding").at("y").value("field", "") == field;
    });
  };
  CHECK(draws("rule", from) == 1);
  CHECK(draws("point", from) == 1);
  CHECK(draws("point", to) == 1);
  CHECK_THAT(figure.caption, Contains("Dotted, between open markers: equal, that is within 2 %"));
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

TEST_CASE("What computing waits for, and energy") {
  StudyFolder folder;
  fill(folder);
  const Dataset data = read_dataset({folder.path()});
  const Figure computing = make("compute-breakdown", data);
  const auto row = [&](const char* bound) {
    return rows_where(computing.data, {{"series", "IST"}, {"activity", bound}}).at(0);
  };
  check_interval(computing.data, row("compute"), "seconds", of_three(2.5, 5, 7.5));
  check_interval(computing.data, row("memory"), "seconds", of_three(1.5, 3, 4.5));
  CHECK(computing.data.cell(row("launch"), "share").get<double>() == Approx(0.2));
  CHECK(computing.data.cell(row("launch"), "total_seconds").get<double>() == Approx(10));

  const Figure energy = make("energy", data);
  const auto rows = rows_where(energy.data, {{"series", "IST"}});
  REQUIRE_FALSE(rows.empty());
  check_interval(energy.data, rows.front(), "energy_joules", of_three(200, 400, 600));
  CHECK_THAT(energy.caption, Contains("busy and idle"));
}

TEST_CASE("The last test, by protocol and against what was swept") {
  StudyFolder folder;
  fill(folder);
  const Dataset data = read_dataset({folder.path()});
  const auto first = [](const Figure& figure) { return rows_where(figure.data, {{"series", "IST"}}).at(0); };
  const Figure accuracy = make("accuracy", data), precision = make("precision-at-5", data);
  check_interval(accuracy.data, first(accuracy), "final_test_accuracy", of_three(0.91, 0.92, 0.93));
  check_interval(precision.data, first(precision), "final_precision_at_5", of_three(0.1, 0.2, 0.3));
}

TEST_CASE("Staleness, and the share of work that was not lost") {
  StudyFolder folder;
  fill(folder);
  const Dataset data = read_dataset({folder.path()});
  const Figure staleness = make("staleness", data), goodput = make("goodput", data);
  const auto first = [](const Figure& figure) { return rows_where(figure.data, {{"series", "IST"}}).at(0); };
  check_interval(staleness.data, first(staleness), "staleness_mean", of_three(2, 4, 6));
  double samples = 0;
  for (const Group& group : data.groups()) {
    for (const Run* run : group.runs) {
      if (run->completed()) samples = static_cast<double>(run->history.back().samples);
    }
  }
  const auto share = [&](double lost) { return samples / (samples + lost); };
  check_interval(goodput.data, first(goodput), "goodput", of_three(share(100), share(200), share(300)));
}

TEST_CASE("Accuracy against bits sent per parameter") {
  StudyFolder folder;
  fill(folder);
  const Figure figure = make("accuracy-bits", read_dataset({folder.path()}));
  // 1000 parameters on two workers; data parallel sends 1e8 bytes a round.
  const std::size_t row = rows_where(figure.data, {{"series", "Data parallel"}, {"round", 3}}).at(0);
  CHECK(figure.data.cell(row, "bits_per_parameter").get<double>() == Approx(3e8 * 8 / 2000));
}

TEST_CASE("Utilisation, and the bandwidth that it needs") {
  StudyFolder folder;
  // Of 100 s to compute, 20 (seed 1) or 10 s at 1 Gbps to send: 50, 80, 90 % at 200 and 100, 800 and 400,
  // 1800 and 900 Mbps.
  for (const double bandwidth : {1e7, 1e8, 2e8, 4e8, 8e8, 9e8, 1.8e9, 1e10}) {
    for (int seed = 1; seed <= 2; ++seed) {
      WrittenRun run;
      run.protocol = {{"kind", "ist"}};
      run.bandwidth = std::to_string(static_cast<long>(bandwidth / 1e6)) + "Mbps";
      run.latency = "1ms";
      run.seed = seed;
      run.simulated_seconds = 100 + (seed == 1 ? 20 : 10) * 1e9 / bandwidth;
      run.worker_seconds = {{100, 0, 0}, {100, 0, 0}};
      folder.add(run);
    }
  }
  const Dataset data = read_dataset({folder.path()});
  const Figure utilisation = make("utilisation", data);
  const auto share = [&](double bandwidth) {
    for (std::size_t row : rows_where(utilisation.data, {{"series", "IST"}})) {
      if (utilisation.data.cell(row, "bandwidth_bits_per_second") == bandwidth)
        return utilisation.data.cell(row, "utilisation").get<double>();
    }
    return -1.0;
  };
  CHECK(share(1e7) == Approx((100 / 2100.0 + 100 / 1100.0) / 2));
  CHECK(share(1e10) == Approx((100 / 102.0 + 100 / 101.0) / 2));
  const Figure needed = make("bandwidth-for-utilisation", data);
  const auto bandwidth = [&](double level) {
    for (std::size_t row : rows_where(needed.data, {{"series", "IST"}})) {
      if (needed.data.cell(row, "utilisation") == level)
        return needed.data.cell(row, "bandwidth_bits_per_second");
    }
    return Json();
  };
  CHECK(bandwidth(0.5).get<double>() == Approx(std::sqrt(2e8 * 1e8)));
  CHECK(bandwidth(0.8).get<double>() == Approx(std::sqrt(8e8 * 4e8)));
  CHECK(bandwidth(0.9).get<double>() == Approx(std::sqrt(1.8e9 * 9e8)));
  // Only one seed passes 99 %, on the last stretch.
  CHECK(bandwidth(0.99).get<double>() == Approx(1e10).epsilon(0.01));
}

TEST_CASE("Links and memory: bytes by link, parts, limits, and what did not fit") {
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
  CHECK_THAT(memory.caption, Contains("out of memory") && Contains("limit (7.45 GiB)"));
  // Memory is in powers of two on the axis, too.
  const Json axis = layers_of(memory.spec).at(0).at("encoding").at("x").at("axis");
  CHECK_THAT(axis.at("labelExpr").get<std::string>(), Contains("GiB") && !Contains("~s"));
  for (const Json& tick : axis.at("values")) CHECK(std::fmod(tick.get<double>(), 0x1p30) == 0);
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
  const Json x = layers_of(figure.spec).at(0).at("encoding").at("x");
  CHECK(x.at("title") == "Simulated time (s)");
  CHECK(x.at("axis").at("values") == Json({0.0, 10.0, 20.0, 30.0}));
  const auto beside = rows_where(figure.data, {{"worker", "1 stream"}});
  REQUIRE(beside.size() == 2);
  CHECK(figure.data.cell(beside[0], "activity") == "send");
  CHECK(figure.data.cell(beside[0], "start_seconds").get<double>() == Approx(1));
}

TEST_CASE("Axes of time: a unit that fits, and ticks that are round in it") {
  const auto ticks = [](double high) {
    Json channel = {{"title", "Time"}};
    fill_time(channel, high);
    return std::pair(channel.at("title").get<std::string>(), channel.at("axis").at("values"));
  };
  CHECK(ticks(0.0335).first == "Time (ms)");
  REQUIRE(ticks(0.0335).second.size() == 4);
  CHECK(ticks(0.0335).second.at(3).get<double>() == Approx(0.03));
  CHECK(ticks(3000) ==
        std::pair(std::string("Time (min)"), Json({0.0, 600.0, 1200.0, 1800.0, 2400.0, 3000.0})));
  CHECK(ticks(20 * 3600) ==
        std::pair(std::string("Time (h)"), Json({0.0, 6 * 3600.0, 12 * 3600.0, 18 * 3600.0})));
  CHECK(ticks(200).first == "Time (s)");
}

TEST_CASE("Pareto front: no point of it is beaten") {
  const auto [name, cost] =
      GENERATE(std::pair("pareto", "bytes_sent"), std::pair("pareto-time", "simulated_seconds"));
  StudyFolder folder;
  fill(folder);
  const Figure figure = make(name, read_dataset({folder.path()}));
  for (std::size_t i = 0; i < figure.data.rows().size(); ++i) {
    const auto value = [&](std::size_t row, const char* column) {
      return figure.data.cell(row, column).get<double>();
    };
    bool beaten = false;
    for (std::size_t j = 0; j < figure.data.rows().size(); ++j) {
      if (figure.data.cell(j, "panel") != figure.data.cell(i, "panel")) continue;
      beaten = beaten ||
               (value(j, cost) < value(i, cost) && value(j, "test_accuracy") >= value(i, "test_accuracy"));
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

TEST_CASE("Map: where seeds miss the target it says what the report's answer says") {
  StudyFolder folder;
  WrittenRun run;
  // (bandwidth, latency): how many of two seeds get there, of IST in 10 s and of data parallel in 5 s.
  const auto add = [&](const char* bandwidth, const char* latency, int of_ist, int of_data_parallel) {
    for (const auto& [kind, arrive, seconds] :
         {std::tuple{"ist", of_ist, 10.0}, std::tuple{"data_parallel", of_data_parallel, 5.0}}) {
      for (int seed = 1; seed <= 2; ++seed) {
        run.protocol = {{"kind", kind}};
        run.bandwidth = bandwidth;
        run.latency = latency;
        run.seed = seed;
        run.seconds_to_target = seed <= arrive ? std::optional(seconds) : std::nullopt;
        folder.add(run);
      }
    }
  };
  add("1Mbps", "1ms", 2, 1);
  add("1Mbps", "9ms", 1, 1);
  add("8Mbps", "1ms", 2, 2);
  add("8Mbps", "9ms", 0, 1);
  const Dataset data = read_dataset({folder.path()});
  const Figure figure = make("map-fastest", data);
  const auto cell = [&](double bandwidth, double latency, const char* column) {
    return figure.data.cell(
        row_where(figure.data, {{"bandwidth_bits_per_second", bandwidth}, {"latency_seconds", latency}}),
        column);
  };
  CHECK(cell(1e6, 0.001, "label") == "only");
  CHECK(cell(1e6, 0.001, "series") == "IST");
  CHECK(cell(1e6, 0.009, "label") == "some");
  CHECK(cell(1e6, 0.009, "series") == Json());
  CHECK(cell(8e6, 0.001, "series") == "Data parallel");
  CHECK(cell(8e6, 0.001, "label") == "2.0×");
  CHECK(cell(8e6, 0.009, "label") == "only");
  CHECK(cell(8e6, 0.009, "series") == "Data parallel");
  CHECK_THAT(figure.caption, Contains("\"some\": reached with some of the seeds only"));
}

TEST_CASE("A protocol from outside has the name and the colour that it says, or those that are left") {
  StudyFolder folder;
  WrittenRun run;
  for (const auto& [kind, words] :
       std::map<std::string, Json>{{"own_words", {{"label", "Gossip of mine"}, {"hue", "pink"}}},
                                   {"same_hue", {{"label", "Late"}, {"hue", "pink"}}},
                                   {"no_such_hue", {{"label", ""}, {"hue", "mauve"}}},
                                   {"silent_one", Json::object()}}) {
    run.protocol = {{"kind", kind}};
    run.protocol_words = words;
    folder.add(run);
  }
  const Dataset data = read_dataset({folder.path()});
  CHECK(data.series() == std::vector<std::string>{"No such hue", "Gossip of mine", "Late", "Silent one"});
  const FigureOptions options;
  CHECK(series_style(data, "Gossip of mine", options).color == "#CC79A7");
  std::set<std::string> colors;
  for (const std::string& series : data.series()) colors.insert(series_style(data, series, options).color);
  CHECK(colors.size() == 4);
}

TEST_CASE("Nine protocols of three kinds: a hue for each kind, a shade for each option, and room for all") {
  StudyFolder folder;
  const std::vector<std::string> three_kinds = {"data_parallel", "local_sgd", "ist"};
  for (const std::string& kind : three_kinds) {
    for (const int option : {1, 10, 30}) {
      for (const char* bandwidth : {"1Mbps", "10Mbps", "100Mbps", "1Gbps"}) {
        WrittenRun run;
        run.protocol = {{"kind", kind}, {"option", option}};
        run.bandwidth = bandwidth;
        run.seconds_to_target = option;
        run.trace = trace();
        folder.add(run);
      }
    }
  }
  const Dataset data = read_dataset({folder.path()});
  REQUIRE(data.series().size() == 9);
  std::set<std::string> colors;
  std::map<std::string, std::vector<double>> hues;
  FigureOptions options;
  for (const std::string& series : data.series()) {
    const std::string color = series_style(data, series, options).color;
    colors.insert(color);
    hues[data.kind_of(series)].push_back(hue_of(color));
  }
  CHECK(colors.size() == 9);
  for (const auto& [kind, of_kind] : hues) {
    for (const double hue : of_kind) CHECK(std::abs(hue - of_kind[0]) < 3);
    for (const auto& [other, of_other] : hues) {
      if (other != kind) CHECK(std::abs(of_other[0] - of_kind[0]) > 30);
    }
  }
  for (const char* name : {"time-breakdown", "memory", "timeline", "time-difference"}) {
    INFO(name);
    CHECK(height_of(make(name, data).spec) <= 4.5 * 96);
  }
  // A colour asked for by kind is the family's, one by label a series' own.
  options.style = {{"colors", {{"ist", "#800000"}, {"IST (option 1)", "#00FF00"}}}};
  CHECK(hue_of(series_style(data, "IST (option 30)", options).color) == Approx(0).margin(3));
  CHECK(series_style(data, "IST (option 1)", options).color == "#00FF00");
}

TEST_CASE("The style of LaTeX, by name and as the base of a file") {
  StudyFolder folder;
  CHECK_THAT(theme_config(Theme::light, read_style("tex")).at("font").get<std::string>(),
             Contains("Latin Modern Roman"));
  const auto file = folder.path() / "style.json";
  write_text(file, R"({"base": "tex", "config": {"axis": {"labelFontSize": 7}}})");
  const Json config = theme_config(Theme::light, read_style(file));
  CHECK_THAT(config.at("font").get<std::string>(), Contains("Latin Modern Roman"));
  CHECK(config.at("axis").at("labelFontSize") == 7);
  write_text(file, R"({"base": "word"})");
  CHECK_THROWS_WITH(read_style(file), Contains("word") && Contains("allowed: tex"));
  CHECK_THROWS_WITH(read_style("latex"), Contains("latex is missing") && Contains("tex"));
}

TEST_CASE("Styles change colours, labels and the config, anything else in them is refused") {
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
