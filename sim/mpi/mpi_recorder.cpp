#include "sim/mpi/mpi_recorder.hpp"

#include <cstring>

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
          report.ledger.synchronised_bytes};
}

RoundReport as_report(const json& fields) {
  return {.rank = fields.at(0),
          .simulated_seconds = fields.at(1),
          .ledger = {.bytes_sent = fields.at(2), .synchronised_bytes = fields.at(6)},
          .training = {.loss_sum = fields.at(3), .correct = fields.at(4), .samples = fields.at(5)}};
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

}  // namespace

MpiRecorder::MpiRecorder(const Job& job, TaskPool& pool, const Trajectory& recorded, Progress progress,
                         EvaluationModel evaluation_model, Control& control, WallClock& clock)
    : Recorder(job, pool, recorded, nullptr, std::move(progress), std::move(evaluation_model)),
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

}  // namespace isthmus
