#include "analysis/study_table.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <stdexcept>

#include "analysis/format.hpp"
#include "analysis/study/series.hpp"
#include "analysis/text_table.hpp"

namespace isthmus {
namespace {

using Json = nlohmann::ordered_json;

/// "ist, local_steps 30" for an object; plain values as they are.
std::string describe(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_object()) return value.dump();
  std::string name, options;
  for (const auto& [key, member] : value.items()) {
    if (key == "kind" || key == "set") {
      name = describe(member);
    } else {
      options += ", " + key + " " + describe(member);
    }
  }
  return name.empty() ? options.substr(std::min<std::size_t>(2, options.size())) : name + options;
}

/// By the names that reports and figures give them.
std::vector<std::string> protocol_labels(const std::vector<Json>& runs) {
  std::vector<analysis::Run> read;
  for (const Json& run : runs) read.push_back(analysis::run_of(run));
  std::vector<const analysis::Run*> all;
  for (const analysis::Run& run : read) all.push_back(&run);
  std::map<const analysis::Run*, std::string> labels = analysis::protocol_labels(all, {});
  std::vector<std::string> in_order;
  for (const analysis::Run* run : all) in_order.push_back(labels.at(run));
  return in_order;
}

/// A protocol's name holds the options by which runs differ.
bool is_in_label(const std::string& pointer) {
  return pointer == "/protocol" || pointer.starts_with("/protocol/");
}

std::string last_token(const std::string& pointer) { return pointer.substr(pointer.rfind('/') + 1); }

template <typename Format>
std::string optional_cell(const Json& value, Format&& format) {
  return value.is_null() ? "-" : format(value);
}

std::string seconds(const Json& value) { return format_seconds(value.get<double>()); }

std::string accuracy(const Json& value) {
  char text[16];
  std::snprintf(text, sizeof text, "%.2f %%", 100 * value.get<double>());
  return text;
}

std::string memory(const Json& run) {
  const Json& memory = run.at("memory");
  if (memory.is_null()) return "-";
  const Json& limit = memory.at("limit_bytes");
  std::string text = format_memory(memory.at("need_bytes").get<double>());
  if (!limit.is_null()) text += " of " + format_memory(limit.get<double>());
  return text;
}

bool to_target_is_upper_bound(const Json& summary) {
  return summary.value("to_target_is_upper_bound", Json()) == true;
}

std::string time_to_target(const Json& summary) {
  if (summary.at("target_accuracy").is_null()) return "-";
  if (summary.at("seconds_to_target").is_null()) return "not reached";
  return (to_target_is_upper_bound(summary) ? "<= " : "") + seconds(summary.at("seconds_to_target"));
}

}  // namespace

std::vector<Json> read_runs(const std::filesystem::path& study) {
  std::vector<Json> runs;
  for (const auto& entry : std::filesystem::directory_iterator(study / "runs")) {
    const auto file = entry.path() / "run.json";
    if (entry.path().extension() == ".partial" || !std::filesystem::exists(file)) continue;
    std::ifstream in(file);
    Json run = Json::parse(in, nullptr, false);
    if (run.is_discarded()) throw std::runtime_error(file.string() + " is not complete JSON");
    runs.push_back(std::move(run));
  }
  std::ranges::sort(runs, {}, [](const Json& run) { return run.at("id").get<std::string>(); });
  return runs;
}

void print_runs(const std::vector<Json>& runs, std::ostream& out) {
  if (runs.empty()) return;
  const std::vector<std::string> protocols = protocol_labels(runs);
  TextRow head = {"protocol"};
  for (const auto& [pointer, value] : runs.front().at("swept").items()) {
    if (!is_in_label(pointer)) head.push_back(last_token(pointer));
  }
  const std::size_t left_columns = head.size();
  for (const char* name : {"accuracy", "to target", "simulated", "bytes sent", "memory of a device"})
    head.push_back(name);
  std::vector<TextRow> rows = {head};
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const Json &run = runs[i], &summary = run.at("summary");
    TextRow row = {protocols[i]};
    const Json labels = run.value("labels", Json::object());
    for (const auto& [pointer, value] : run.at("swept").items()) {
      if (!is_in_label(pointer)) row.push_back(describe(labels.value(pointer, value)));
    }
    if (run.at("outcome") == "completed") {
      row.push_back(optional_cell(summary.at("final_test_accuracy"), accuracy));
      row.push_back(time_to_target(summary));
      row.push_back(seconds(summary.at("simulated_seconds")));
      row.push_back(format_bytes(summary.at("bytes_sent").get<double>()));
    } else {
      row.insert(row.end(), {run.at("outcome").get<std::string>(), "-", "-", "-"});
    }
    row.push_back(memory(run));
    rows.push_back(std::move(row));
  }
  print_table(rows, out, left_columns);
  if (std::ranges::any_of(runs,
                          [](const Json& run) { return to_target_is_upper_bound(run.at("summary")); })) {
    out << "  <=: the first test met the target, when before that is not known; to know more, test more "
           "often\n"
           "  (training.evaluate_every_epochs or evaluate_every_rounds) or raise training.target_accuracy\n";
  }
  for (const Json& run : runs) {
    if (run.at("outcome") == "failed" || run.at("outcome") == "deadlock") {
      out << "  run " << run.at("id").get<std::string>() << ": " << run.at("message").get<std::string>()
          << '\n';
    }
  }
}

}  // namespace isthmus
