#include "sim/study/files.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <stdexcept>
#include <system_error>

#include "analysis/csv.hpp"
#include "analysis/output_file.hpp"
#include "analysis/study/quantity.hpp"
#include "analysis/study/run_files.hpp"
#include "models/error.hpp"
#include "sim/protocols/protocol.hpp"
#include "sim/study/content_hash.hpp"
#include "sim/study/provenance.hpp"

namespace isthmus {
namespace {

namespace fs = std::filesystem;
using analysis::partial_ending;
using nlohmann::json;

void require(const std::error_code& error, const std::string& what, const fs::path& file) {
  if (!error) return;
  const std::string hint =
      error == std::errc::file_too_large ? " (a limit on the size of files: ulimit -f)" : "";
  throw StorageError("cannot " + what + " " + file.string() + ": " + error.message() + hint);
}

void remove_folder(const fs::path& folder) {
  std::error_code error;
  fs::remove_all(folder, error);
  require(error, "remove", folder);
}

template <typename T>
json or_null(const std::optional<T>& value) {
  return value ? json(*value) : json();
}

OrderedJson by_part(const MemoryUse& use) {
  OrderedJson parts = OrderedJson::object();
  for (std::size_t i = 0; i < memory_part_names.size(); ++i) {
    parts[std::string(memory_part_names[i]) + "_bytes"] = use[static_cast<MemoryPart>(i)];
  }
  return parts;
}

std::string history_csv(const RunResult& result) {
  Csv csv(names_of(analysis::history_columns()));
  for (const HistoryRow& row : result.history) {
    csv.row({row.round, row.local_steps, row.samples, row.simulated_seconds, row.bytes_sent,
             or_null(row.train_loss), or_null(row.test_loss), or_null(row.test_accuracy),
             or_null(row.consensus_distance), or_null(row.staleness_mean), or_null(row.staleness_max),
             or_null(row.precision_at_3), or_null(row.precision_at_5)});
  }
  return csv.text();
}

std::string workers_csv(const RunResult& result) {
  Csv csv(names_of(analysis::workers_columns()));
  for (std::size_t rank = 0; rank < result.workers.size(); ++rank) {
    const WorkerResult& worker = result.workers[rank];
    const WorkerLedger& ledger = worker.ledger;
    const auto waits_for = [&](double BoundSeconds::*part) {
      return ledger.computing.total() > 0 ? json(ledger.computing.*part) : json();
    };
    csv.row({rank, worker.host, ledger.compute_seconds, ledger.communication_seconds, ledger.idle_seconds,
             ledger.bytes_sent, ledger.bytes_received, ledger.messages_sent, ledger.flops,
             worker.memory_peak.total(), or_null(worker.memory_limit_bytes), or_null(worker.energy_joules),
             waits_for(&BoundSeconds::launch), waits_for(&BoundSeconds::compute),
             waits_for(&BoundSeconds::memory), worker.ledger.local_steps,
             worker.is_server ? "server" : "worker"});
  }
  return csv.text();
}

std::string links_csv(const RunResult& result) {
  Csv csv(names_of(analysis::links_columns()));
  for (const LinkResult& use : result.links) {
    csv.row({use.link.name, use.link.bandwidth_bytes_per_second, use.link.latency_seconds, use.bytes,
             result.simulated_seconds > 0 ? json(use.busy_seconds / result.simulated_seconds) : json()});
  }
  return csv.text();
}

const WorkerResult* fullest_worker(const RunResult& result) {
  const auto fullness = [](const WorkerResult& worker) {
    const auto bytes = static_cast<double>(worker.memory_peak.total());
    const double fraction =
        worker.memory_limit_bytes ? bytes / static_cast<double>(*worker.memory_limit_bytes) : 0;
    return std::pair(fraction, bytes);
  };
  const auto fullest = std::ranges::max_element(result.workers, {}, fullness);
  return fullest == result.workers.end() ? nullptr : &*fullest;
}

/// The device that came nearest to its limit, or went over it.
OrderedJson memory_report(const RunResult& result) {
  if (result.out_of_memory) {
    const OutOfMemory& need = *result.out_of_memory;
    return {{"host", need.host},
            {"rank", need.rank},
            {"need_bytes", need.need.total()},
            {"limit_bytes", need.limit_bytes},
            {"parts", by_part(need.need)}};
  }
  const WorkerResult* fullest = fullest_worker(result);
  if (!fullest) return nullptr;
  return {{"host", fullest->host},
          {"rank", fullest - result.workers.data()},
          {"need_bytes", fullest->memory_peak.total()},
          {"limit_bytes", or_null(fullest->memory_limit_bytes)},
          {"parts", by_part(fullest->memory_peak)}};
}

OrderedJson run_json(const Point& point, const RunResult& result, const Provenance& provenance,
                     double wall_seconds) {
  OrderedJson run;
  run["id"] = point.id;
  run["outcome"] = outcome_name(result.outcome);
  run["message"] = result.message.empty() ? OrderedJson() : OrderedJson(result.message);
  run["swept"] = as_object(point.swept);
  run["labels"] = as_object(point.labels);
  const ProtocolKind& protocol = protocol_kind(point.scenario.protocol);
  run["protocol"] = {{"label", protocol.label}, {"hue", protocol.hue}};
  run["summary"] = summarise(point, result, wall_seconds);
  run["memory"] = memory_report(result);
  if (!result.staleness.empty()) {
    OrderedJson& updates = run["updates_by_staleness"];
    for (const auto& [staleness, count] : result.staleness) updates[std::to_string(staleness)] = count;
  }
  run["network"] = result.network_constants;
  run["configuration"] = point.configuration;
  if (!point.chosen.is_null()) run["chosen"] = point.chosen;
  run["provenance"] = {{"numerics", provenance.numerics},
                       {"trajectory", or_null(provenance.trajectory)},
                       {"platform", provenance.platform},
                       {"clock", provenance.clock}};
  if (!provenance.devices.empty()) run["provenance"]["devices"] = provenance.devices;
  if (provenance.killed) run["provenance"]["killed"] = true;
  run["provenance"].update(build_provenance());
  return run;
}

/// A text that is a quantity, "100Mbps", as a number in SI units beside it.
void add_quantity(OrderedJson& cells, const std::string& pointer, const OrderedJson& value) {
  if (!value.is_string()) return;
  if (const auto quantity = analysis::parse_quantity(value.get<std::string>()))
    cells[pointer + analysis::unit_suffix(quantity->unit)] = quantity->value;
}

/// A value on a sweep's axis as cells: an object takes a column for each of its leaves.
void add_cells(OrderedJson& cells, const std::string& pointer, const OrderedJson& value) {
  if (!value.is_object()) {
    cells[pointer] = value;
    add_quantity(cells, pointer, value);
    return;
  }
  for (const auto& [key, member] : value.items()) add_cells(cells, pointer + "/" + key, member);
}

}  // namespace

void write_file(const fs::path& file, const std::string& text) {
  try {
    analysis::OutputFile output(file);
    output.write(text);
    output.commit();
  } catch (const std::system_error& error) {
    require(error.code(), "write", file);
  }
}

bool is_partial(const fs::path& file, const std::string& name) {
  const std::string found = file.filename().string();
  return found.ends_with(partial_ending) && (name.empty() || found.starts_with(name + "."));
}

void remove_partial(const fs::path& folder, const std::string& name) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (is_partial(entry.path(), name)) remove_folder(entry.path());
  }
}

OrderedJson read_json(const fs::path& file) {
  std::ifstream in(file);
  return in ? OrderedJson::parse(in, nullptr, false) : OrderedJson();
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw StorageError("cannot make the folder " + folder.string() + ": " + error.message());
}

const char* outcome_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::completed:
      return "completed";
    case Outcome::out_of_memory:
      return "out_of_memory";
    case Outcome::deadlock:
      return "deadlock";
    case Outcome::failed:
      return "failed";
  }
  return "failed";
}

struct TargetMet {
  double seconds, bytes;
  bool upper_bounds;  ///< met at the first test, though there were models to test before
};

/// Between the last test below the target and the first that is not, accuracy is taken as linear in time; the
/// target counts as met at the end of the round in which that line reaches it, as only then there is a model.
std::optional<TargetMet> meet_target(const std::vector<HistoryRow>& history, double target) {
  const HistoryRow* below = nullptr;
  for (const HistoryRow& row : history) {
    if (!row.test_accuracy) continue;
    if (*row.test_accuracy < target) {
      below = &row;
      continue;
    }
    const auto bytes = static_cast<double>(row.bytes_sent);
    if (!below) return TargetMet{row.simulated_seconds, bytes, row.round > 1};
    const double part = (target - *below->test_accuracy) / (*row.test_accuracy - *below->test_accuracy);
    const auto rounds = static_cast<double>(row.round - below->round);
    constexpr double hair = 1e-9;
    const double whole = std::max(1.0, std::ceil(part * rounds - hair)) / rounds;
    return TargetMet{std::lerp(below->simulated_seconds, row.simulated_seconds, whole),
                     std::round(std::lerp(static_cast<double>(below->bytes_sent), bytes, whole)), false};
  }
  return std::nullopt;
}

OrderedJson summarise(const Point& point, const RunResult& result, double wall_seconds) {
  // Where costs are counted only, nothing is tested, and so no target is missed.
  const std::optional<double> target =
      point.scenario.live ? point.scenario.training.target_accuracy : std::nullopt;
  std::uint64_t bytes_sent = 0, memory_peak = 0;
  std::optional<double> energy_joules;
  for (const WorkerResult& worker : result.workers) {
    if (worker.energy_joules) energy_joules = energy_joules.value_or(0) + *worker.energy_joules;
    bytes_sent += worker.ledger.bytes_sent;
    memory_peak = std::max(memory_peak, worker.memory_peak.total());
  }
  std::optional<double> final_accuracy, best_accuracy, final_at_3, final_at_5;
  for (const HistoryRow& row : result.history) {
    if (!row.test_accuracy) continue;
    final_accuracy = row.test_accuracy;
    final_at_3 = row.precision_at_3;
    final_at_5 = row.precision_at_5;
    best_accuracy = std::max(best_accuracy.value_or(0), *row.test_accuracy);
  }
  const std::optional<TargetMet> met = target ? meet_target(result.history, *target) : std::nullopt;
  const auto per_round = [&](double bytes) {
    return result.rounds > 0 ? json(bytes / static_cast<double>(result.rounds)) : json();
  };
  return {{"simulated_seconds", result.simulated_seconds},
          {"rounds", result.rounds},
          {"bytes_sent", bytes_sent},
          {"bytes_per_round", per_round(static_cast<double>(bytes_sent))},
          {"final_test_accuracy", or_null(final_accuracy)},
          {"best_test_accuracy", or_null(best_accuracy)},
          {"target_accuracy", or_null(target)},
          {"seconds_to_target", met ? OrderedJson(met->seconds) : OrderedJson()},
          {"bytes_to_target", met ? OrderedJson(static_cast<std::uint64_t>(met->bytes)) : OrderedJson()},
          {"to_target_is_upper_bound", met ? OrderedJson(met->upper_bounds) : OrderedJson()},
          {"paper_bytes_per_round", per_round(result.paper_bytes)},
          {"memory_peak_bytes", memory_peak},
          {"energy_joules", or_null(energy_joules)},
          {"parameters", result.parameters > 0 ? OrderedJson(result.parameters) : OrderedJson()},
          {"staleness_mean", or_null(mean_staleness(result.staleness))},
          {"staleness_max",
           result.staleness.empty() ? OrderedJson() : OrderedJson(result.staleness.rbegin()->first)},
          {"lost_samples", or_null(result.lost_samples)},
          {"workers_lost", result.losses},
          {"final_precision_at_3", or_null(final_at_3)},
          {"final_precision_at_5", or_null(final_at_5)},
          {"wall_seconds", wall_seconds}};
}

OrderedJson write_run(const fs::path& folder, const Point& point, const RunResult& result,
                      const Provenance& provenance, double wall_seconds) {
  const fs::path partial = folder.string() + partial_ending;
  std::error_code error;
  remove_folder(partial);
  fs::create_directory(partial, error);
  require(error, "make the folder", partial);
  const auto write = [&](const std::string& name, const std::string& text) {
    require(analysis::write_plainly(partial / name, text), "write", folder / name);
    return content_hash(text);
  };
  OrderedJson run = run_json(point, result, provenance, wall_seconds);
  OrderedJson& hashes = run["files"];
  hashes["history.csv"] = write("history.csv", history_csv(result));
  hashes["workers.csv"] = write("workers.csv", workers_csv(result));
  hashes["links.csv"] = write("links.csv", links_csv(result));
  if (!result.trace.is_null()) hashes["trace.json"] = write("trace.json", result.trace.dump() + "\n");
  write("run.json", run.dump(2) + "\n");
  remove_folder(folder);
  fs::rename(partial, folder, error);
  require(error, "write", folder);
  return run;
}

std::string runs_csv(const std::vector<OrderedJson>& runs) {
  std::vector<OrderedJson> rows;
  std::vector<std::string> columns = {"id", "outcome"};
  const auto add_columns = [&](const OrderedJson& cells) {
    for (const auto& [name, cell] : cells.items()) {
      if (std::ranges::find(columns, name) == columns.end()) columns.push_back(name);
    }
  };
  std::vector<const OrderedJson*> finished;
  for (const OrderedJson& run : runs) {
    if (run.is_null()) continue;
    finished.push_back(&run);
    OrderedJson cells = OrderedJson::object();
    const OrderedJson labels = run.value("labels", OrderedJson::object());
    for (const auto& [pointer, value] : run.at("swept").items()) {
      if (labels.contains(pointer)) {
        cells[pointer] = labels[pointer];
        add_quantity(cells, pointer, value);
      }
      if (!labels.contains(pointer) || value.is_object()) add_cells(cells, pointer, value);
    }
    rows.push_back(std::move(cells));
    add_columns(rows.back());
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].update({{"id", finished[i]->at("id")}, {"outcome", finished[i]->at("outcome")}});
    rows[i].update(finished[i]->at("summary"));
    add_columns(rows[i]);
  }
  Csv csv(columns);
  for (const OrderedJson& row : rows) {
    std::vector<json> cells;
    for (const std::string& column : columns) cells.push_back(row.value(column, OrderedJson()));
    csv.row(cells);
  }
  return csv.text();
}

}  // namespace isthmus
