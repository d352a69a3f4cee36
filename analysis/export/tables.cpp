#include "analysis/export/tables.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/study/series.hpp"
#include "analysis/study/values.hpp"

namespace isthmus::analysis {
namespace {

using enum ColumnType;

/// A column name and its cell, in order.
using Cells = std::vector<std::pair<std::string, Json>>;

std::vector<Column> with_run_id(const std::vector<Column>& columns) {
  std::vector<Column> all = {{"run_id", text}};
  all.insert(all.end(), columns.begin(), columns.end());
  return all;
}

TypedTable table_of(const std::vector<Column>& columns) {
  TypedTable typed{Table(names_of(columns)), {}};
  for (const Column& column : columns) typed.types.push_back(column.type);
  return typed;
}

/// Counts beyond 2^53 are none: a whole number is written as one.
Json count(double value) {
  constexpr double exact = 9007199254740992.0;
  if (std::trunc(value) != value || std::abs(value) > exact) return value;
  return static_cast<std::int64_t>(value);
}

Json optional_count(const std::optional<double>& value) { return value ? count(*value) : Json(); }

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

/// A text that is a quantity, as a number in SI.
void add_quantity(const std::string& name, const Json& value, Cells& cells) {
  if (!value.is_string()) return;
  if (const auto quantity = parse_quantity(value.get<std::string>())) {
    cells.emplace_back(name + unit_suffix(quantity->unit), quantity->value);
  }
}

void add_cells(const std::string& name, const Json& value, Cells& cells) {
  if (value.is_object()) {
    for (const auto& [key, member] : value.items()) add_cells(name + '/' + key, member, cells);
    return;
  }
  cells.emplace_back(name, value.is_array() ? Json(value.dump()) : value);
  add_quantity(name, value, cells);
}

Cells swept_cells(const Run& run) {
  Cells cells;
  if (!run.swept.is_object()) return cells;
  for (const auto& [pointer, value] : run.swept.items()) {
    const bool labelled = run.labels.is_object() && run.labels.contains(pointer);
    if (labelled) cells.emplace_back(pointer, run.labels.at(pointer));
    if (!labelled || value.is_object()) {
      add_cells(pointer, value, cells);
    } else {
      add_quantity(pointer, value, cells);
    }
  }
  return cells;
}

Cells summary_cells(const Run& run) {
  Cells cells;
  if (!run.summary.is_object()) return cells;
  for (const auto& [name, value] : run.summary.items()) cells.emplace_back(name, value);
  return cells;
}

/// Columns that some runs have and others may not, in the order they first appear.
class OpenColumns {
 public:
  void see(const Cells& cells) {
    for (const auto& [name, value] : cells) {
      auto column = std::ranges::find(columns_, name, &Seen::name);
      if (column == columns_.end()) column = columns_.insert(columns_.end(), {.name = name});
      column->text |= value.is_string();
      column->integer |= value.is_number_integer() || value.is_boolean();
      column->real |= value.is_number_float();
    }
  }

  /// Columns with numbers only are numeric; one without any value counts as `type_of_empty`.
  std::vector<Column> columns(ColumnType type_of_empty) const {
    std::vector<Column> result;
    for (const Seen& seen : columns_) {
      const ColumnType number = seen.real ? real : seen.integer ? integer : type_of_empty;
      result.push_back({seen.name, seen.text ? text : number});
    }
    return result;
  }

 private:
  struct Seen {
    std::string name;
    bool text = false, integer = false, real = false;
  };
  std::vector<Seen> columns_;
};

/// The cell of a column, in the column's type.
Json cell_of(const Cells& cells, const Column& column) {
  const auto found = std::ranges::find(cells, column.name, &Cells::value_type::first);
  if (found == cells.end() || found->second.is_null()) return nullptr;
  const Json& value = found->second;
  if (column.type == text && !value.is_string()) return value.dump();
  if (column.type == integer && value.is_boolean()) return value.get<bool>() ? 1 : 0;
  if (column.type == real && value.is_number_integer()) return value.get<double>();
  return value;
}

/// What identifies a run and tells it from others.
class RunColumns {
 public:
  explicit RunColumns(const Study& study) {
    OpenColumns swept;
    for (const Run& run : study.runs) swept.see(swept_cells(run));
    swept_ = swept.columns(text);
  }

  std::vector<Column> columns() const {
    std::vector<Column> all = {{"protocol", text}, {"workers", integer}, {"seed", integer}};
    all.insert(all.end(), swept_.begin(), swept_.end());
    return all;
  }

  std::vector<Json> cells(const Run& run) const {
    const std::string protocol = protocol_kind(run);
    std::vector<Json> row = {protocol.empty() ? Json() : Json(protocol),
                             value_of(run, "/platform/workers").value, value_of(run, "/training/seed").value};
    const Cells swept = swept_cells(run);
    for (const Column& column : swept_) row.push_back(cell_of(swept, column));
    return row;
  }

 private:
  std::vector<Column> swept_;
};

template <typename Part>
void append(std::vector<Part>& all, const std::vector<Part>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

}  // namespace

TypedTable runs_table(const Study& study) {
  const RunColumns of_run(study);
  OpenColumns summaries;
  for (const Run& run : study.runs) summaries.see(summary_cells(run));
  const std::vector<Column> summary = summaries.columns(real);
  std::vector<Column> columns = {{"study", text}, {"id", text}, {"outcome", text}, {"message", text}};
  append(columns, of_run.columns());
  append(columns, summary);
  TypedTable typed = table_of(columns);
  for (const Run& run : study.runs) {
    std::vector<Json> row = {run.study, run.id, run.outcome,
                             run.message.empty() ? Json() : Json(run.message)};
    append(row, of_run.cells(run));
    const Cells cells = summary_cells(run);
    for (const Column& column : summary) row.push_back(cell_of(cells, column));
    typed.table.add(std::move(row));
  }
  return typed;
}

TypedTable history_table(const Study& study, bool with_run) {
  const RunColumns of_run(study);
  std::vector<Column> columns = {{with_run ? "id" : "run_id", text}};
  if (with_run) {
    columns.push_back({"outcome", text});
    append(columns, of_run.columns());
  }
  append(columns, history_columns());
  TypedTable typed = table_of(columns);
  for (const Run& run : study.runs) {
    std::vector<Json> head = {run.id};
    if (with_run) {
      head.push_back(run.outcome);
      append(head, of_run.cells(run));
    }
    for (const Evaluation& at : run.history) {
      std::vector<Json> row = head;
      append(row,
             {at.round, at.local_steps, at.samples, at.simulated_seconds, count(at.bytes_sent),
              or_null(at.train_loss), or_null(at.test_loss), or_null(at.test_accuracy),
              or_null(at.consensus_distance), or_null(at.staleness_mean), optional_count(at.staleness_max),
              or_null(at.precision_at_3), or_null(at.precision_at_5)});
      typed.table.add(std::move(row));
    }
  }
  return typed;
}

TypedTable workers_table(const Study& study) {
  TypedTable typed = table_of(with_run_id(workers_columns()));
  for (const Run& run : study.runs) {
    for (const WorkerUse& use : run.workers) {
      typed.table.add({run.id, use.rank, use.host, use.compute_seconds, use.communication_seconds,
                       use.idle_seconds, count(use.bytes_sent), count(use.bytes_received),
                       count(use.messages_sent), use.flops, count(use.memory_peak_bytes),
                       optional_count(use.memory_limit_bytes), or_null(use.energy_joules),
                       or_null(use.launch_bound_seconds), or_null(use.compute_bound_seconds),
                       or_null(use.memory_bound_seconds), optional_count(use.local_steps),
                       use.is_server ? "server" : "worker"});
    }
  }
  return typed;
}

TypedTable links_table(const Study& study) {
  TypedTable typed = table_of(with_run_id(links_columns()));
  for (const Run& run : study.runs) {
    for (const LinkUse& use : run.links) {
      typed.table.add({run.id, use.link, use.bandwidth_bytes_per_second, use.latency_seconds, use.bytes,
                       or_null(use.busy_fraction)});
    }
  }
  return typed;
}

}  // namespace isthmus::analysis
