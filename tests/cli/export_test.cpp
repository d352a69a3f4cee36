// What export writes, against the files of the study it was written from.

#include <sqlite3.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <sstream>

#include "sim/process/tool.hpp"
#include "tests/cli/program.hpp"

using namespace isthmus::testing;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using nlohmann::json;

namespace export_test {
namespace {

using Rows = std::vector<std::map<std::string, std::string>>;

/// The cells of a line; a quoted one may hold commas.
std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      cells.emplace_back();
    } else {
      cells.back() += c;
    }
  }
  return cells;
}

/// Rows by column.
Rows rows_of(const fs::path& file) {
  std::istringstream lines(read_text(file));
  std::string line;
  std::getline(lines, line);
  const std::vector<std::string> head = cells_of(line);
  Rows rows;
  while (std::getline(lines, line)) {
    const auto cells = cells_of(line);
    REQUIRE(cells.size() == head.size());
    rows.emplace_back();
    for (std::size_t i = 0; i < head.size(); ++i) rows.back()[head[i]] = cells[i];
  }
  return rows;
}

/// The rows of a query, cells as SQLite prints them.
std::vector<std::vector<std::string>> query(const fs::path& file, const std::string& sql) {
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open_v2(file.c_str(), &database, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK);
  std::vector<std::vector<std::string>> rows;
  const auto add = [](void* into, int count, char** cells, char**) {
    auto& all = *static_cast<std::vector<std::vector<std::string>>*>(into);
    all.emplace_back();
    for (int i = 0; i < count; ++i) all.back().emplace_back(cells[i] ? cells[i] : "NULL");
    return 0;
  };
  char* problem = nullptr;
  const int result = sqlite3_exec(database, sql.c_str(), add, &rows, &problem);
  const std::string message = problem ? problem : "";
  sqlite3_free(problem);
  sqlite3_close(database);
  INFO(sql << ": " << message);
  REQUIRE(result == SQLITE_OK);
  return rows;
}

/// A study of two protocols, two bandwidths and two training sets, one of which fits no device.
fs::path make_study(const TemporaryFolder& folder) {
  nlohmann::ordered_json scenario = small_study("exported");
  scenario["sweep"] = {
      {"/protocol", {{{"kind", "local_sgd"}, {"local_steps", 7}}, {{"kind", "data_parallel"}}}},
      {"/platform/bandwidth", {"10Mbps", "12.5MBps"}},
      {"/platform/memory", {"16GiB", "1kB"}}};
  write_text(folder / "scenario.json", scenario.dump());
  REQUIRE(run_program({"run", folder / "scenario.json", "--out", folder / "study"}).exit_code == 0);
  return folder / "study";
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

TEST_CASE("tables for pandas and R hold every run and every evaluation") {
  const TemporaryFolder folder, exported;
  const fs::path study = make_study(folder);
  const ProgramResult result = run_program({"export", study, "--to", exported / "s.csv"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(names_in(exported.path()) == std::vector<std::string>{"s-history.csv", "s.csv"});
  CHECK_THAT(result.out, StartsWith("8 runs of exported:") && Contains("s-history.csv"));

  const Rows runs = rows_of(exported / "s.csv"), history = rows_of(exported / "s-history.csv");
  REQUIRE(runs.size() == 8);
  std::size_t evaluations = 0;
  for (const auto& row : runs) {
    INFO(row.at("id"));
    const json run = read_json_file(study / "runs" / row.at("id") / "run.json");
    CHECK(run.at("outcome") == row.at("outcome"));
    CHECK(run.at("configuration").at("protocol").at("kind") == row.at("protocol"));
    CHECK(row.at("/protocol/kind") == row.at("protocol"));
    CHECK(row.at("workers") == "3");
    const std::string bandwidth = run.at("swept").at("/platform/bandwidth");
    CHECK(row.at("/platform/bandwidth") == bandwidth);
    CHECK(std::stod(row.at("/platform/bandwidth_bits_per_second")) == (bandwidth == "10Mbps" ? 10e6 : 100e6));
    CHECK(std::stod(row.at("/platform/memory_bytes")) ==
          (run.at("swept").at("/platform/memory") == "1kB" ? 1000 : 0x1p34));
    CHECK(row.at("message") == (run.at("message").is_null() ? "" : run.at("message").get<std::string>()));
    for (const auto& [name, value] : run.at("summary").items()) {
      INFO(name);
      if (value.is_null()) {
        CHECK(row.at(name).empty());
      } else if (value.is_boolean()) {
        CHECK(row.at(name) == (value.get<bool>() ? "1" : "0"));
      } else {
        CHECK(std::stod(row.at(name)) == value.get<double>());
      }
    }
    // The run's own history, cell by cell.
    for (const auto& expected : rows_of(study / "runs" / row.at("id") / "history.csv")) {
      REQUIRE(evaluations < history.size());
      const auto& found = history[evaluations++];
      for (const char* column : {"id", "outcome", "protocol", "/protocol/local_steps", "/platform/bandwidth",
                                 "/platform/memory_bytes"}) {
        CHECK(found.at(column) == row.at(column));
      }
      for (const auto& [name, cell] : expected) {
        INFO(name);
        CHECK(found.at(name).empty() == cell.empty());
        if (!cell.empty()) CHECK(std::stod(found.at(name)) == std::stod(cell));
      }
    }
  }
  CHECK(evaluations == history.size());
  CHECK(evaluations == 4 * 3);  // those that fit, once an epoch
}

TEST_CASE("labels stand for what they name") {
  const TemporaryFolder folder, exported;
  const fs::path study = make_study(folder);
  for (const auto& entry : fs::directory_iterator(study / "runs")) {
    auto run = nlohmann::ordered_json::parse(read_text(entry.path() / "run.json"));
    const bool slow = run.at("swept").at("/platform/bandwidth") == "10Mbps";
    run["labels"] = {{"/platform/bandwidth", slow ? "DSL" : "fibre"},
                     {"/protocol", run["configuration"]["protocol"]["kind"] == "local_sgd" ? "LS" : "DP"}};
    write_text(entry.path() / "run.json", run.dump());
  }
  REQUIRE(run_program({"export", study, "--to", exported / "s.csv"}).exit_code == 0);
  for (const char* file : {"s.csv", "s-history.csv"}) {
    for (const auto& row : rows_of(exported / file)) {
      CHECK(row.at("/protocol") == (row.at("protocol") == "local_sgd" ? "LS" : "DP"));
      CHECK(row.at("/protocol/kind") == row.at("protocol"));
      CHECK(row.at("/platform/bandwidth") ==
            (row.at("id").find("10Mbps") != std::string::npos ? "DSL" : "fibre"));
      CHECK(std::stod(row.at("/platform/bandwidth_bits_per_second")) ==
            (row.at("/platform/bandwidth") == "DSL" ? 10e6 : 100e6));
    }
  }
}

TEST_CASE("a database joins runs with their histories, workers and links") {
  const TemporaryFolder folder, exported;
  const fs::path study = make_study(folder), file = exported / "s.sqlite";
  const ProgramResult result = run_program({"export", study, "--to", file});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(names_in(exported.path()) == std::vector<std::string>{"s.sqlite"});
  CHECK(query(file, "PRAGMA integrity_check")[0][0] == "ok");
  CHECK(query(file, "PRAGMA foreign_key_check").empty());
  for (const char* table : {"history", "workers", "links"}) {
    const auto keys = query(file, "PRAGMA foreign_key_list(" + std::string(table) + ")");
    REQUIRE(keys.size() == 1);
    CHECK(keys[0][2] == "runs");
    CHECK(keys[0][3] == "run_id");
    CHECK(keys[0][4] == "id");
  }
  // Every cell is of its column's type.
  for (const std::string table : {"runs", "history", "workers", "links"}) {
    for (const auto& column : query(file, "PRAGMA table_info(" + table + ")")) {
      INFO(table << '.' << column[1]);
      const std::string name = '"' + column[1] + '"', type = column[2];
      CHECK(query(file, "SELECT count(*) FROM " + table + " WHERE " + name +
                            " IS NOT NULL AND upper(typeof(" + name + ")) != '" + type + "'")[0][0] == "0");
    }
  }
  std::size_t runs = 0;
  for (const auto& entry : fs::directory_iterator(study / "runs")) {
    const std::string id = entry.path().filename(), where = " WHERE run_id = '" + id + "'";
    INFO(id);
    ++runs;
    for (const char* table : {"history", "workers", "links"}) {
      CHECK(query(file, "SELECT count(*) FROM " + std::string(table) + where)[0][0] ==
            std::to_string(rows_of(entry.path() / (table + std::string(".csv"))).size()));
    }
    std::uint64_t bytes = 0;
    double compute_seconds = 0, link_bytes = 0;
    for (const auto& row : rows_of(entry.path() / "workers.csv")) {
      bytes += std::stoull(row.at("bytes_sent"));
      compute_seconds += std::stod(row.at("compute_seconds"));
    }
    for (const auto& row : rows_of(entry.path() / "links.csv")) link_bytes += std::stod(row.at("bytes"));
    const auto sums = query(file, "SELECT total(bytes_sent), total(compute_seconds) FROM workers" + where)[0];
    CHECK(std::stod(sums[0]) == static_cast<double>(bytes));
    CHECK(std::stod(sums[1]) == Approx(compute_seconds).epsilon(1e-12));
    CHECK(std::stod(query(file, "SELECT total(bytes) FROM links" + where)[0][0]) ==
          Approx(link_bytes).epsilon(1e-12));
    // Of the ledger and of the summary alike.
    CHECK(std::stod(query(file, "SELECT bytes_sent FROM runs WHERE id = '" + id + "'")[0][0]) ==
          static_cast<double>(bytes));
  }
  CHECK(query(file, "SELECT count(*) FROM runs")[0][0] == std::to_string(runs));
  CHECK(query(file,
              "SELECT count(*) FROM runs WHERE outcome = 'out_of_memory' AND message IS NOT NULL")[0][0] ==
        "4");
}

TEST_CASE("what cannot be exported is refused, and what was there before stays") {
  const TemporaryFolder folder, exported;
  const fs::path study = make_study(folder);
  const auto refuse = [&](const std::vector<std::string>& arguments, int exit_code,
                          const std::string& message) {
    const ProgramResult result = run_program(arguments);
    INFO(result.err);
    CHECK(result.exit_code == exit_code);
    CHECK(result.out.empty());
    CHECK_THAT(result.err, StartsWith("isthmus: ") && Contains(message));
    CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
  };
  for (const char* name : {"s.csv", "s.sqlite"}) {
    INFO(name);
    const std::string file = exported / name;
    refuse({"export", folder / "nowhere", "--to", file}, 2, "there is no such folder");
    refuse({"export", folder / "scenario.json", "--to", file}, 2, "is a file");
    refuse({"export", folder.path(), "--to", file}, 2, "neither study.json nor runs");
    refuse({"export", study, "--to", exported / "nowhere" / name}, 1, "cannot write");
    CHECK(names_in(exported.path()).empty());
  }
  refuse({"export", study}, 2, "--to: is missing");
  refuse({"export", study, "--to", exported / "s.xlsx"}, 2, "must end in .csv or .sqlite");

  for (const char* name : {"s.csv", "s.sqlite"}) {
    INFO(name);
    const std::string file = exported / name;
    write_text(file, "old");
    // A limit of one block on the size of files stands for a full disk.
    const auto limited = isthmus::run_tool("bash", {"-c", "ulimit -f 1; trap '' XFSZ; exec \"$@\"", "bash",
                                                    ISTHMUS_PROGRAM, "export", study, "--to", file});
    CHECK(limited.exit_code == 1);
    CHECK_THAT(limited.err, Contains("cannot write " + file));
    CHECK(read_text(file) == "old");
    CHECK(run_program({"export", study, "--to", file}).exit_code == 0);
    CHECK(read_text(file) != "old");
  }
  CHECK(names_in(exported.path()) == std::vector<std::string>{"s-history.csv", "s.csv", "s.sqlite"});

  const fs::path broken = fs::directory_iterator(study / "runs")->path() / "run.json";
  write_text(broken, read_text(broken).substr(0, 100));
  const std::string before = read_text(exported / "s.sqlite");
  refuse({"export", study, "--to", exported / "s.sqlite"}, 2, broken.string() + " is not complete JSON");
  CHECK(read_text(exported / "s.sqlite") == before);
  write_text(broken, R"({"outcome": "completed", "swept": {"a": 1}})");
  refuse({"export", study, "--to", exported / "s.csv"}, 2, "under \"swept\" \"a\" is no JSON pointer");
}

}  // namespace export_test
