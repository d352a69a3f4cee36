#include "tests/report/synthetic_study.hpp"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/analysis/protocol_words.hpp"

namespace isthmus::testing {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct Protocol {
  const char* kind;
  double megabytes_per_round;  ///< sent by a worker
  double messages;             ///< one after the other
  double compute_seconds;      ///< of a round
  double rounds;               ///< until the end
  double final_accuracy;
  double scale_rounds;  ///< accuracy is final * (1 - exp(-round / scale))
  double memory_gibibytes;
};

constexpr Protocol protocols[] = {
    {"data_parallel", 4.0, 6, 0.02, 1200, 0.875, 240, 6},
    {"local_sgd", 4.0, 6, 0.40, 60, 0.872, 12, 6},
    {"ist", 1.0, 4, 0.50, 60, 0.852, 15, 2.5},
    {"local_sgd", 16.0, 6, 1.60, 60, 0.88, 12, 24},  // of a wider model: out of memory
};
constexpr double target = 0.8;
constexpr double gibibyte = 0x1p30, limit_bytes = 16 * gibibyte;

double accuracy(const Protocol& protocol, double round, int seed) {
  const double wobble = 0.004 * std::sin(12.9898 * (seed + 1) + round / protocol.scale_rounds);
  return protocol.final_accuracy * (1 - std::exp(-round / protocol.scale_rounds)) + (seed > 0 ? wobble : 0);
}

std::string number(double value) { return nlohmann::json(value).dump(); }

void write(const fs::path& file, const std::string& text) { std::ofstream(file, std::ios::binary) << text; }

Json protocol_json(int index) {
  Json json = {{"kind", protocols[index].kind}};
  if (index > 0) json["local_steps"] = index == 3 ? 80 : 20;
  return json;
}

Json configuration_of(int protocol, double megabits, double milliseconds, int seed) {
  return {{"name", "synthetic"},
          {"platform",
           {{"file", "star.xml"},
            {"workers", 4},
            {"bandwidth", number(megabits) + "Mbps"},
            {"latency", number(milliseconds) + "ms"}}},
          {"data", {{"set", "synthetic"}, {"samples", 2000}}},
          {"model", {{"kind", "mlp"}, {"hidden", {64, 64}}}},
          {"training", {{"batch", 16}, {"epochs", 3}, {"seed", seed}, {"target_accuracy", target}}},
          {"protocol", protocol_json(protocol)},
          {"numerics", "live"}};
}

Json provenance() {
  return {{"numerics", "live"},        {"trajectory", nullptr},   {"isthmus", "0.1.0"}, {"git_revision", "0"},
          {"compiler", "GNU 12.2"},    {"build_type", "Release"}, {"simgrid", "3.32"},  {"onednn", "2.6.3"},
          {"instruction_set", "avx2"}, {"eigen", "3.4.0"},        {"boost", "1.74"}};
}

/// Returns the row of runs.csv.
std::string write_run(const SyntheticStudy& study, const fs::path& runs, int index, int kind, double megabits,
                      double milliseconds, int seed) {
  const Protocol& protocol = protocols[kind];
  const bool fits = kind != 3;
  const std::string id = std::to_string(index) + "-" + protocol.kind;
  const fs::path folder = runs / id;
  fs::create_directories(folder);
  const double seconds = SyntheticStudy::round_seconds(kind, megabits, milliseconds);
  const double bytes = 4 * 1e6 * protocol.megabytes_per_round;  // of a round, by four workers
  const double memory = protocol.memory_gibibytes * gibibyte;

  std::string history =
      "round,local_steps,samples,simulated_seconds,bytes_sent,train_loss,test_loss,test_accuracy\n";
  Json to_target, bytes_to_target;
  double best = 0, last = 0;
  for (int i = 1; fits && i <= study.evaluations; ++i) {
    const double round = std::round(protocol.rounds * i / study.evaluations);
    last = accuracy(protocol, round, seed);
    best = std::max(best, last);
    if (to_target.is_null() && last >= target) {
      to_target = round * seconds;
      bytes_to_target = round * bytes;
    }
    history += number(round) + "," + number(20 * round) + "," + number(1280 * round) + "," +
               number(round * seconds) + "," + number(round * bytes) + "," + number(2 - 2 * last) + "," +
               number(2.1 - 2 * last) + "," + number(last) + "\n";
  }
  write(folder / "history.csv", history);

  std::string workers =
      "rank,host,compute_seconds,communication_seconds,idle_seconds,bytes_sent,bytes_received,messages_sent,"
      "flops,"
      "memory_peak_bytes,memory_limit_bytes\n";
  const double computing = protocol.rounds * protocol.compute_seconds, total = protocol.rounds * seconds;
  for (int rank = 0; rank < 4; ++rank) {
    workers += std::to_string(rank) + ",host-" + std::to_string(rank) + ",";
    workers += fits ? number(computing) + "," + number(total - computing) + ",0.0," +
                          number(protocol.rounds * bytes / 4) + "," + number(protocol.rounds * bytes / 4) +
                          ",100,1e12,"
                    : std::string("0,0,0,0,0,0,0,");
    workers += number(memory) + "," + number(limit_bytes) + "\n";
  }
  write(folder / "workers.csv", workers);
  write(folder / "links.csv", "link,bandwidth_bytes_per_second,latency_seconds,bytes,busy_fraction\nlink-0," +
                                  number(megabits / 8 * 1e6) + "," + number(milliseconds / 1e3) + "," +
                                  number(protocol.rounds * bytes) + ",0.5\n");
  if (study.with_traces) write(folder / "trace.json", R"({"traceEvents":[],"displayTimeUnit":"ms"})");

  const auto or_null = [&](double value) { return fits ? Json(value) : Json(); };
  Json run;
  run["id"] = id;
  run["outcome"] = fits ? "completed" : "out_of_memory";
  run["message"] = fits ? Json() : Json("host-0 needs 24 GiB of 16 GiB");
  run["swept"] = {{"/platform/bandwidth", number(megabits) + "Mbps"},
                  {"/platform/latency", number(milliseconds) + "ms"},
                  {"/training/seed", seed},
                  {"/protocol", protocol_json(kind)}};
  run["protocol"] = protocol_words(protocol.kind);
  run["summary"] = {{"simulated_seconds", or_null(total)},
                    {"rounds", or_null(protocol.rounds)},
                    {"bytes_sent", or_null(protocol.rounds * bytes)},
                    {"bytes_per_round", or_null(bytes)},
                    {"final_test_accuracy", or_null(last)},
                    {"best_test_accuracy", or_null(best)},
                    {"target_accuracy", target},
                    {"seconds_to_target", to_target},
                    {"bytes_to_target", bytes_to_target},
                    {"paper_bytes_per_round", or_null(bytes)},
                    {"memory_peak_bytes", memory},
                    {"wall_seconds", 0.5}};
  run["memory"] = {{"host", "host-0"},
                   {"rank", 0},
                   {"need_bytes", memory},
                   {"limit_bytes", limit_bytes},
                   {"parts",
                    {{"parameters_bytes", memory / 4},
                     {"gradients_bytes", memory / 4},
                     {"activations_bytes", memory / 2}}}};
  run["network"] = {{"model", "textbook"}};
  run["configuration"] = configuration_of(kind, megabits, milliseconds, seed);
  run["provenance"] = provenance();
  write(folder / "run.json", run.dump(2));

  std::string row = id + "," + run["outcome"].get<std::string>() + "," + number(megabits) + "Mbps," +
                    number(milliseconds) + "ms," + std::to_string(seed) + "," + protocol.kind + "," +
                    (kind > 0 ? run["swept"]["/protocol"]["local_steps"].dump() : "");
  for (const auto& [name, value] : run["summary"].items()) row += "," + (value.is_null() ? "" : value.dump());
  return row + "\n";
}

}  // namespace

double SyntheticStudy::round_seconds(int protocol, double megabits, double milliseconds) {
  const Protocol& which = protocols[protocol];
  return which.compute_seconds + which.megabytes_per_round * 8 / megabits +
         which.messages * milliseconds / 1e3;
}

double SyntheticStudy::rounds_to_target(int protocol) {
  const Protocol& which = protocols[protocol];
  return -which.scale_rounds * std::log(1 - target / which.final_accuracy);
}

void SyntheticStudy::write(const fs::path& folder) const {
  fs::create_directories(folder / "runs");
  std::string rows =
      "id,outcome,/platform/bandwidth,/platform/latency,/training/seed,/protocol/kind,/protocol/local_steps,"
      "simulated_seconds,rounds,bytes_sent,bytes_per_round,final_test_accuracy,best_test_accuracy,target_"
      "accuracy,"
      "seconds_to_target,bytes_to_target,paper_bytes_per_round,memory_peak_bytes,wall_seconds\n";
  Json bandwidth_values = Json::array(), latency_values = Json::array(), seed_values = Json::array();
  for (const double megabits : bandwidths_megabits) bandwidth_values.push_back(number(megabits) + "Mbps");
  for (const double milliseconds : latencies_milliseconds)
    latency_values.push_back(number(milliseconds) + "ms");
  for (int seed = 0; seed < seeds; ++seed) seed_values.push_back(seed);
  const int kinds = with_out_of_memory ? 4 : 3;
  Json protocol_values = Json::array();
  for (int kind = 0; kind < kinds; ++kind) protocol_values.push_back(protocol_json(kind));

  int index = 0;
  for (const double megabits : bandwidths_megabits) {
    for (const double milliseconds : latencies_milliseconds) {
      for (int seed = 0; seed < seeds; ++seed) {
        for (int kind = 0; kind < kinds; ++kind)
          rows += write_run(*this, folder / "runs", index++, kind, megabits, milliseconds, seed);
      }
    }
  }
  isthmus::testing::write(folder / "runs.csv", rows);
  Json scenario = configuration_of(0, bandwidths_megabits.front(), latencies_milliseconds.front(), 0);
  scenario.erase("protocol");
  scenario["name"] = name;
  scenario["description"] = "Made up: who wins where between <slow> and fast networks?";
  scenario["sweep"] = {{"/platform/bandwidth", bandwidth_values},
                       {"/platform/latency", latency_values},
                       {"/training/seed", seed_values},
                       {"/protocol", protocol_values}};
  Json study = {{"name", name},
                {"scenario", scenario},
                {"command_line", {"isthmus", "run", "synthetic.json"}},
                {"build", provenance()},
                {"start", "2026-01-01T00:00:00Z"},
                {"end", "2026-01-01T00:10:00Z"}};
  isthmus::testing::write(folder / "study.json", study.dump(2));
}

}  // namespace isthmus::testing
