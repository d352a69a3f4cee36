#include "analysis/study/run_files.hpp"

namespace isthmus::analysis {

std::vector<std::string> names_of(const std::vector<Column>& columns) {
  std::vector<std::string> names;
  for (const Column& column : columns) names.push_back(column.name);
  return names;
}

const std::vector<Column>& history_columns() {
  using enum ColumnType;
  static const std::vector<Column> columns = {{"round", integer},
                                              {"local_steps", integer},
                                              {"samples", integer},
                                              {"simulated_seconds", real},
                                              {"bytes_sent", integer},
                                              {"train_loss", real, true},
                                              {"test_loss", real, true},
                                              {"test_accuracy", real, true},
                                              {"consensus_distance", real, true},
                                              {"staleness_mean", real, true},
                                              {"staleness_max", integer, true},
                                              {"precision_at_3", real, true},
                                              {"precision_at_5", real, true}};
  return columns;
}

const std::vector<Column>& workers_columns() {
  using enum ColumnType;
  static const std::vector<Column> columns = {{"rank", integer},
                                              {"host", text},
                                              {"compute_seconds", real},
                                              {"communication_seconds", real},
                                              {"idle_seconds", real},
                                              {"bytes_sent", integer},
                                              {"bytes_received", integer},
                                              {"messages_sent", integer},
                                              {"flops", real},
                                              {"memory_peak_bytes", integer},
                                              {"memory_limit_bytes", integer, true},
                                              {"energy_joules", real, true},
                                              {"launch_bound_seconds", real, true},
                                              {"compute_bound_seconds", real, true},
                                              {"memory_bound_seconds", real, true},
                                              {"local_steps", integer, true},
                                              {"role", text, true}};
  return columns;
}

const std::vector<Column>& links_columns() {
  using enum ColumnType;
  static const std::vector<Column> columns = {{"link", text},
                                              {"bandwidth_bytes_per_second", real},
                                              {"latency_seconds", real},
                                              {"bytes", real},
                                              {"busy_fraction", real, true}};
  return columns;
}

}  // namespace isthmus::analysis
