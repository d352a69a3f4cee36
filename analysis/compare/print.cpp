#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>

#include "analysis/compare/compare.hpp"
#include "analysis/format.hpp"
#include "analysis/text_table.hpp"

namespace isthmus::analysis {
namespace {

std::string plain(const Json& value) {
  if (value.is_null()) return "-";
  return value.is_string() ? value.get<std::string>() : value.dump();
}

/// With the unit that the column's name spells out.
std::string with_unit(const std::string& column, const Json& value) {
  if (!value.is_number()) return plain(value);
  const double number = value.get<double>();
  const std::string text = [&] {
    if (column.find("seconds") != std::string::npos) return format_seconds(number);
    if (column.find("memory") != std::string::npos) return format_memory(number);
    if (column.find("bytes") != std::string::npos) return format_bytes(number);
    if (column.find("accuracy") == std::string::npos) return plain(value);
    char percent[32];
    std::snprintf(percent, sizeof percent, "%.2f %%", 100 * number);
    return std::string(percent);
  }();
  return text;
}

struct Difference {
  std::string absolute, relative;
  double size;  ///< to sort by: relative, and infinite where there is no number on one side
};

Difference difference(const ResultChange& change) {
  if (!change.before.is_number() || !change.after.is_number()) {
    return {"", "", std::numeric_limits<double>::infinity()};
  }
  const double before = change.before.get<double>(), after = change.after.get<double>();
  const double delta = after - before;
  std::string absolute = with_unit(change.column, Json(std::abs(delta)));
  if (change.column.find("accuracy") != std::string::npos) absolute.replace(absolute.size() - 1, 1, "points");
  if (before == 0) return {(delta < 0 ? "-" : "+") + absolute, "", std::numeric_limits<double>::infinity()};
  char relative[32];
  std::snprintf(relative, sizeof relative, "%+.3g %%", 100 * delta / std::abs(before));
  return {(delta < 0 ? "-" : "+") + absolute, relative, std::abs(delta / before)};
}

void print_changes(const std::string& title, const std::vector<Change>& found, std::ostream& out) {
  if (found.empty()) return;
  out << title << '\n';
  std::vector<TextRow> rows;
  for (const Change& change : found)
    rows.push_back({change.pointer, plain(change.before), "->", plain(change.after)});
  print_table(rows, out, 4);
  out << '\n';
}

void print_ids(const std::string& title, const std::vector<std::string>& ids, std::size_t most,
               std::ostream& out) {
  if (ids.empty()) return;
  out << title;
  const std::size_t shown = std::min(ids.size(), most);
  for (std::size_t i = 0; i < shown; ++i) out << (i > 0 ? ", " : " ") << ids[i];
  if (shown < ids.size()) out << " and " << ids.size() - shown << " more (--all shows them)";
  out << "\n\n";
}

struct ChangedRun {
  const RunPair* pair;
  const ResultChange* change;
  Difference difference;
};

void print_column(const std::string& column, std::vector<ChangedRun> found, std::size_t runs,
                  std::size_t most_runs, std::ostream& out) {
  out << column << " differs in " << found.size() << " of " << counted(runs, "run") << '\n';
  std::ranges::stable_sort(found, std::ranges::greater{},
                           [](const ChangedRun& run) { return run.difference.size; });
  const std::size_t hidden = found.size() > most_runs ? found.size() - most_runs : 0;
  found.resize(found.size() - hidden);
  std::vector<TextRow> rows = {{"run", "before", "after", "difference", "relative"}};
  for (const ChangedRun& run : found) {
    std::string before = with_unit(column, run.change->before), after = with_unit(column, run.change->after);
    if (before == after) {  // differ in later digits only
      before = plain(run.change->before);
      after = plain(run.change->after);
    }
    rows.push_back({run.pair->label, before, after, run.difference.absolute, run.difference.relative});
  }
  print_table(rows, out);
  if (hidden > 0) out << "  and " << hidden << " more with no larger differences (--all shows them)\n";
  out << '\n';
}

}  // namespace

void print_comparison(const Comparison& comparison, std::size_t most_runs, std::ostream& out) {
  print_changes("Scenario", comparison.scenario, out);
  print_changes("Build", comparison.build, out);
  print_ids("Runs only before:", comparison.only_before, most_runs, out);
  print_ids("Runs only after:", comparison.only_after, most_runs, out);
  print_ids("Runs with several partners, not compared:", comparison.ambiguous, most_runs, out);

  std::vector<std::string> columns;
  std::map<std::string, std::vector<ChangedRun>> by_column;
  std::size_t unchanged = 0;
  for (const RunPair& pair : comparison.runs) {
    if (pair.changes.empty()) ++unchanged;
    for (const ResultChange& change : pair.changes) {
      if (!by_column.contains(change.column)) columns.push_back(change.column);
      by_column[change.column].push_back({&pair, &change, difference(change)});
    }
  }
  for (const std::string& column : columns) {
    print_column(column, by_column.at(column), comparison.runs.size(), most_runs, out);
  }
  out << unchanged << " of " << comparison.runs.size() << " matched runs have the same results\n";
}

}  // namespace isthmus::analysis
