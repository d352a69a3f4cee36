#include "sim/mpi/mpi_recorder.hpp"

#include <algorithm>
#include <cstring>

#include "models/slices.hpp"

namespace isthmus {
namespace {

using nlohmann::json;

json as_json(const RoundReport& report) {
  return {report.rank,
          report.simulated_seconds,
          report.ledger.bytes_sent,
          report.training.loss_sum,
          report.training.correct,
          report.training.samples,
          report.ledger.synchronised_bytes,
          report.steps ? json(*report.steps) : json()};
}

RoundReport as_report(const json& fields) {
  return {.rank = fields.at(0),
          .simulated_seconds = fields.at(1),
          .ledger = {.bytes_sent = fields.at(2), .synchronised_bytes = fields.at(6)},
          .training = {.loss_sum = fields.at(3), .correct = fields.at(4), .samples = fields.at(5)},
          .steps = fields.at(7).is_null() ? std::nullopt : std::optional(fields.at(7).get<long>())};
}

std::vector<float> as_floats(const json& binary) {
  const auto& bytes = binary.get_binary();
  std::vector<float> values(bytes.size() / sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

json as_binary(const std::vector<float>& values) {
  std::vector<std::uint8_t> bytes(values.size() * sizeof(float));
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return json::binary(std::move(bytes));
}

/// Writes what a rank published where it belongs in the model.
void place(const json& of_rank, std::vector<float>& model) {
  const auto& bytes = of_rank.at("values").get_binary();
  const auto& runs = of_rank.at("runs");
  std::size_t taken = 0;
  for (std::size_t i = 0; i < runs.size(); i += 2) {
    const std::size_t offset = runs[i], size = runs[i + 1].get<std::size_t>() * sizeof(float);
    std::memcpy(model.data() + offset, bytes.data() + taken, size);
    taken += size;
  }
}

json as_json(const StalenessHistogram& updates) {
  json pairs = json::array();
  for (const auto& [staleness, count] : updates) pairs.push_back({staleness, count});
  return pairs;
}

}  // namespace

MpiRecorder::MpiRecorder(const Job& job, TaskPool& pool, const Trajectory& recorded, Progress progress,
                         Test test, Control& control, WallClock& clock)
    : Recorder(job, pool, recorded, nullptr, std::move(progress), std::move(test)),
      job_(job),
      control_(control),
      clock_(clock) {}

void MpiRecorder::publish(const Round& round, const Selection& part, ConstValues values) {
  if (part.empty() || !round.evaluated || !computes(round.index)) return;
  const Selection everything = Selection::everything(job_.model().layout());
  const Transfer into_model(part, everything);
  std::vector<float> model(everything.size()), there(everything.size());
  into_model.scatter(values, model);
  into_model.scatter(std::vector<float>(part.size(), 1), there);
  for (std::size_t i = 0; i < model.size();) {
    if (there[i] == 0) {
      ++i;
      continue;
    }
    const std::size_t begin = i;
    while (i < model.size() && there[i] != 0) values_.push_back(model[i++]);
    runs_.insert(runs_.end(), {begin, i - begin});
  }
}

void MpiRecorder::publish_replica(const Round& round, int /*rank*/, ConstValues values, bool ends_apart) {
  if (!round.evaluated || !computes(round.index)) return;
  replica_.assign(values.begin(), values.end());
  ends_apart_ = ends_apart;
}

void MpiRecorder::end_round(const Round& round, const RoundReport& report, const Selection& part,
                            ConstValues values) {
  if (round.evaluated) clock_.stop();
  publish(round, part, values);
  rounds_.push_back(round);
  reports_.push_back(report);
  if (!round.evaluated) return;
  const std::vector<json> of_ranks = control_.gather(take_reports());
  if (control_.rank() == 0) record(of_ranks);
  rounds_.clear();
  clock_.go_on(control_.minimum(clock_.now_seconds()));
}

json MpiRecorder::take_reports() {
  json reports = json::array();
  for (const RoundReport& report : reports_) reports.push_back(as_json(report));
  json message = {{"reports", std::move(reports)},
                  {"runs", runs_},
                  {"values", as_binary(values_)},
                  {"replica", as_binary(replica_)},
                  {"ends_apart", ends_apart_}};
  reports_.clear();
  runs_.clear();
  values_.clear();
  replica_.clear();
  return message;
}

void MpiRecorder::record(const std::vector<json>& of_ranks) {
  const Round& last = rounds_.back();
  if (computes(last.index)) {
    const Selection everything = Selection::everything(job_.model().layout());
    std::vector<float> model(everything.size());
    for (const json& of_rank : of_ranks) place(of_rank, model);
    Recorder::publish(last, everything, model);
    for (std::size_t rank = 0; rank < of_ranks.size(); ++rank) {
      const std::vector<float> replica = as_floats(of_ranks[rank].at("replica"));
      const bool ends_apart = of_ranks[rank].at("ends_apart");
      if (!replica.empty()) Recorder::publish_replica(last, static_cast<int>(rank), replica, ends_apart);
    }
  }
  for (std::size_t i = 0; i < rounds_.size(); ++i) {
    for (const json& of_rank : of_ranks) {
      Recorder::end_round(rounds_[i], as_report(of_rank.at("reports").at(i)), Selection(), ConstValues());
    }
  }
  history();  // the test is over when this returns
}

void MpiRecorder::let_servers_report(int servers, std::function<void()> over) {
  servers_ = servers;
  over_ = std::move(over);
  ledgers_.resize(static_cast<std::size_t>(job_.workers() + servers));
  arrivals_.resize(static_cast<std::size_t>(job_.workers()));
  Recorder::let_servers_report(servers, [this] { return ledgers_; });
}

void MpiRecorder::end_round(const Round& round, const RoundReport& report, const Extent& /*home*/,
                            ConstValues values) {
  const bool tested = round.evaluated && computes(round.index);
  server_rounds_.push_back({round, report,
                            tested ? std::vector<float>(values.begin(), values.end()) : std::vector<float>(),
                            std::exchange(updates_, {}), arrivals_});
}

void MpiRecorder::add_training(const RoundReport& report) {
  training_ += report.training;
  steps_ = static_cast<long>(report.ledger.local_steps);
}

void MpiRecorder::add_departure(const RoundReport& report) {
  departures_.push_back(report);
  departures_.back().training = std::exchange(training_, {});
}

double MpiRecorder::progress() const {
  return static_cast<double>(steps_) / static_cast<double>(job_.total_steps());
}

void MpiRecorder::conclude() {
  if (servers_ == 0) return;
  json rounds = json::array(), departures = json::array();
  for (const ServerRound& each : server_rounds_) {
    rounds.push_back({{"round", each.round.index},
                      {"report", as_json(each.report)},
                      {"values", as_binary(each.values)},
                      {"updates", as_json(each.updates)},
                      {"arrivals", each.arrivals}});
  }
  for (const RoundReport& each : departures_) departures.push_back(as_json(each));
  const std::vector<json> of_ranks = control_.gather({{"rounds", rounds}, {"departures", departures}});
  if (control_.rank() == 0) put_together(of_ranks);
}

/// Round by round.
void MpiRecorder::put_together(const std::vector<json>& of_ranks) {
  const auto workers = static_cast<std::size_t>(job_.workers()), servers = static_cast<std::size_t>(servers_);
  const std::size_t parameters = job_.model().layout().size();
  std::vector<std::size_t> taken(workers);  // so many departures
  const json& first = of_ranks[workers].at("rounds");
  for (std::size_t i = 0; i < first.size(); ++i) {
    const Round round = job_.rounds().at(first[i].at("round"));
    std::vector<std::size_t> come(workers);  // so often, to any server
    for (std::size_t server = 0; server < servers; ++server) {
      const json& its = of_ranks[workers + server].at("rounds").at(i);
      const RoundReport report = as_report(its.at("report"));
      for (std::size_t worker = 0; worker < workers; ++worker)
        come[worker] = std::max(come[worker], its.at("arrivals").at(worker).get<std::size_t>());
      ledgers_[workers + server] = report.ledger;
      for (const json& pair : its.at("updates")) {
        for (long update = 0; update < pair.at(1).get<long>(); ++update) Recorder::add_update(pair.at(0));
      }
    }
    for (std::size_t worker = 0; worker < workers; ++worker) {
      const json& departures = of_ranks[worker].at("departures");
      for (; taken[worker] < std::min(come[worker], departures.size()); ++taken[worker]) {
        const RoundReport report = as_report(departures[taken[worker]]);
        ledgers_[worker] = report.ledger;
        Recorder::add_training(report);
      }
    }
    for (std::size_t server = 0; server < servers; ++server) {
      const json& its = of_ranks[workers + server].at("rounds").at(i);
      const auto [offset, size] = slice_of(parameters, servers, server);
      Recorder::end_round(round, as_report(its.at("report")), Extent{offset, size},
                          as_floats(its.at("values")));
    }
  }
  history();
}

}  // namespace isthmus
