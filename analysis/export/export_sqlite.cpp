#include <sqlite3.h>

#include <memory>
#include <stdexcept>

#include "analysis/export/export.hpp"
#include "analysis/export/tables.hpp"
#include "analysis/output_file.hpp"

namespace isthmus::analysis {
namespace {

namespace fs = std::filesystem;

/// A name in SQL, whatever it holds.
std::string quoted(const std::string& name) {
  std::string result = "\"";
  for (const char c : name) result += c == '"' ? "\"\"" : std::string(1, c);
  return result + '"';
}

const char* sql_type(ColumnType type) {
  switch (type) {
    case ColumnType::text:
      return "TEXT";
    case ColumnType::integer:
      return "INTEGER";
    case ColumnType::real:
      return "REAL";
  }
  return "";
}

/// A database file being filled. Every error is a std::runtime_error that names the file and SQLite's reason.
class Database {
 public:
  /// `shown`: the name of the file in messages.
  Database(const fs::path& file, fs::path shown) : shown_(std::move(shown)) {
    sqlite3* opened = nullptr;
    const int result = sqlite3_open(file.c_str(), &opened);
    handle_.reset(opened);
    require(result, SQLITE_OK);
    // The file counts only when it is complete, so nothing needs to be rolled back.
    execute("PRAGMA journal_mode = OFF");
    execute("PRAGMA foreign_keys = ON");
  }

  void execute(const std::string& sql) {
    require(sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
  }

  /// Makes a table of this name and fills it. `key`: the text after the name and type of its first column of
  /// that name.
  void add_table(const std::string& name, const TypedTable& typed, const std::string& key_column,
                 const std::string& key) {
    const auto& columns = typed.table.columns();
    std::string definitions, places;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const std::string separator = i == 0 ? "" : ", ";
      definitions += separator + quoted(columns[i]) + ' ' + sql_type(typed.types[i]);
      if (columns[i] == key_column) definitions += ' ' + key;
      places += separator + '?';
    }
    execute("CREATE TABLE " + quoted(name) + " (" + definitions + ")");
    sqlite3_stmt* prepared = nullptr;
    const std::string insertion = "INSERT INTO " + quoted(name) + " VALUES (" + places + ")";
    require(sqlite3_prepare_v2(handle_.get(), insertion.c_str(), -1, &prepared, nullptr), SQLITE_OK);
    const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement(prepared, sqlite3_finalize);
    for (const auto& row : typed.table.rows()) {
      for (std::size_t i = 0; i < row.size(); ++i) bind(prepared, static_cast<int>(i) + 1, row[i]);
      require(sqlite3_step(prepared), SQLITE_DONE);
      require(sqlite3_reset(prepared), SQLITE_OK);
    }
  }

  /// Writes everything to the file.
  void close() { require(sqlite3_close(handle_.release()), SQLITE_OK); }

 private:
  void require(int result, int expected) const {
    if (result == expected) return;
    const char* reason = handle_ ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(result);
    throw std::runtime_error("cannot write " + shown_.string() + ": " + reason);
  }

  void bind(sqlite3_stmt* statement, int place, const Json& cell) const {
    const auto bound = [&] {
      if (cell.is_null()) return sqlite3_bind_null(statement, place);
      if (cell.is_number_integer()) return sqlite3_bind_int64(statement, place, cell.get<std::int64_t>());
      if (cell.is_number()) return sqlite3_bind_double(statement, place, cell.get<double>());
      const std::string text = cell.is_string() ? cell.get<std::string>() : cell.dump();
      return sqlite3_bind_text64(statement, place, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    };
    require(bound(), SQLITE_OK);
  }

  std::unique_ptr<sqlite3, int (*)(sqlite3*)> handle_{nullptr, sqlite3_close};
  fs::path shown_;
};

}  // namespace

void export_sqlite(const Study& study, const fs::path& file) {
  OutputFile output(file);
  Database database(output.partial(), file);
  database.execute("BEGIN");
  database.add_table("runs", runs_table(study), "id", "PRIMARY KEY NOT NULL");
  const std::string of_a_run = "NOT NULL REFERENCES runs(id)";
  database.add_table("history", history_table(study, false), "run_id", of_a_run);
  database.add_table("workers", workers_table(study), "run_id", of_a_run);
  database.add_table("links", links_table(study), "run_id", of_a_run);
  for (const char* table : {"history", "workers", "links"}) {
    database.execute("CREATE INDEX " + std::string(table) + "_run ON " + table + "(run_id)");
  }
  database.execute("COMMIT");
  database.close();
  output.commit();
}

}  // namespace isthmus::analysis
