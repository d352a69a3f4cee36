#include "sim/mpi/mpi_run.hpp"

#include <sys/prctl.h>

#include <algorithm>

#include "sim/mpi/mpi_host.hpp"
#include "sim/mpi/mpi_recorder.hpp"
#include "sim/platform/device_files.hpp"

namespace isthmus {
namespace {

using nlohmann::json;

std::string machine_name() {
  char name[MPI_MAX_PROCESSOR_NAME];
  int length = 0;
  MPI_Get_processor_name(name, &length);
  return {name, static_cast<std::size_t>(length)};
}

std::string library_version() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  MPI_Get_library_version(text, &length);
  return {text, static_cast<std::size_t>(length)};
}

/// A worker's part of the result, on its way to rank 0.
json worker_json(MpiHost& host, double end_seconds) {
  return {{"machine", machine_name()},
          {"end_seconds", end_seconds},
          {"ledger", host.ledger()},
          {"memory_peak", host.memory().peak()}};
}

void add_worker(RunResult& result, std::size_t rank, const json& worker) {
  WorkerResult& entry = result.workers[rank];
  const double end = worker.at("end_seconds");
  entry.ledger = worker.at("ledger");
  entry.ledger.compute_seconds = end - entry.ledger.communication_seconds;
  entry.memory_peak = worker.at("memory_peak");
  result.simulated_seconds = std::max(result.simulated_seconds, end);
  result.network_constants["machines"][rank] = worker.at("machine");
}

json failure_json(int rank, Outcome outcome, const std::string& message) {
  return {{"rank", rank}, {"outcome", static_cast<int>(outcome)}, {"message", message}};
}

json failure_json(const OutOfMemory& error) {
  json report = failure_json(error.rank, Outcome::out_of_memory, error.what());
  report["need"] = error.need;
  report["limit"] = error.limit_bytes;
  return report;
}

void add_failure(RunResult& result, const json& report) {
  result.outcome = static_cast<Outcome>(report.at("outcome").get<int>());
  result.message = report.at("message");
  const std::size_t rank = report.at("rank");
  if (result.outcome == Outcome::out_of_memory) {
    result.out_of_memory =
        OutOfMemory(result.workers[rank].host, static_cast<int>(rank), report.at("need"), report.at("limit"));
  }
  add_worker(result, rank, report.at("worker"));
}

}  // namespace

RunResult run_on_mpi(const PlannedRun& run, const Job& job, const Recorder::Progress& progress,
                     Control& control) {
  constexpr unsigned long timer_slack_nanoseconds = 1000;  // sleeps are short here; the default is 50 us
  prctl(PR_SET_TIMERSLACK, timer_slack_nanoseconds, 0, 0, 0);
  const Scenario& scenario = run.point.scenario;
  const Protocol& protocol = *run.protocol;
  const int rank = control.rank();
  RunResult result;
  result.parameters = job.model().layout().trainable_size();
  result.network_constants = {
      {"model", "real"}, {"transport", library_version()}, {"machines", json::array()}};
  for (const HostFacts& host : run.platform->hosts) {
    const bool is_server = result.workers.size() >= static_cast<std::size_t>(job.workers());
    result.workers.push_back({.host = host.name,
                              .is_server = is_server,
                              .ledger = {},
                              .memory_peak = {},
                              .memory_limit_bytes = host.memory_bytes});
  }
  const HostFacts& own = run.platform->hosts[static_cast<std::size_t>(rank)];

  std::optional<DeviceModel> model;
  if (!own.device.empty())
    model.emplace(find_device(own.device).profile, scenario.platform.precision, scenario.platform.issue);
  WallClock clock;
  MpiHost host({.host = own.name, .speed_flops = own.speed_flops, .memory_bytes = own.memory_bytes},
               scenario.live, wire_format_of(scenario.protocol), control, clock, std::move(model),
               scenario.platform.variability);
  TaskPool pool(1);
  const Trajectory nothing_recorded;
  MpiRecorder recorder(
      job, pool, nothing_recorded, progress,
      [&](const Round& round, std::vector<float> parameters) {
        return protocol.test(job, round, std::move(parameters));
      },
      control, clock);
  std::optional<json> at_end;  // of a server, whose last answers do not count
  if (protocol.servers() > 0)
    recorder.let_servers_report(protocol.servers(), [&] { at_end = worker_json(host, clock.now_seconds()); });
  host.connect();
  control.barrier();
  clock.start();
  json failure;
  std::vector<json> workers;
  try {
    Worker worker(job, host, pool, recorder);
    worker.is_server() ? protocol.serve(worker) : protocol.run(worker);
    clock.stop();
    recorder.conclude();
    workers = control.gather(at_end.value_or(worker_json(host, clock.now_seconds())));
    if (rank != 0) return result;
  } catch (const RemoteFailure& error) {
    failure = error.report;
  } catch (const OutOfMemory& error) {
    failure = failure_json(error);
  } catch (const std::exception& error) {
    failure = failure_json(rank, Outcome::failed, job.name_of(rank) + ": " + error.what());
  }
  if (!failure.is_null()) {
    const json own_part = worker_json(host, clock.now_seconds());
    if (!failure.contains("worker")) failure["worker"] = own_part;
    if (rank != 0) control.report_failure(failure);
    add_worker(result, 0, own_part);
    add_failure(result, failure);
  } else {
    for (std::size_t each = 0; each < workers.size(); ++each) add_worker(result, each, workers[each]);
    for (WorkerResult& worker : result.workers) {  // who is done early is idle until the last one is
      const double busy = worker.ledger.compute_seconds + worker.ledger.communication_seconds;
      worker.ledger.idle_seconds = std::max(0.0, result.simulated_seconds - busy);
    }
    result.outcome = Outcome::completed;
  }
  result.rounds = recorder.rounds_completed();
  result.paper_bytes = recorder.paper_bytes();
  result.history = recorder.history();
  result.staleness = recorder.staleness();
  if (protocol.servers() > 0 && result.outcome == Outcome::completed) result.count_lost(job);
  return result;
}

}  // namespace isthmus
