#include "sim/commands/check_table.hpp"

#include <algorithm>
#include <iostream>
#include <set>
#include <string>

#include "analysis/format.hpp"
#include "analysis/text_table.hpp"
#include "sim/study/round_trial.hpp"
#include "sim/study/stopwatch.hpp"

namespace isthmus {
namespace {

using nlohmann::json;

const std::string seed_pointer = "/training/seed";

/// The worker whose device is the fullest, and whether all devices are large enough.
std::string memory_text(const PlannedRun& run) {
  const auto& workers = run.forecast.workers;
  std::size_t fullest = 0;
  const auto share = [&](std::size_t rank) {
    const auto limit = run.platform.hosts[rank].memory_bytes;
    const auto need = static_cast<double>(workers[rank].memory.total());
    return std::pair(limit ? need / static_cast<double>(*limit) : 0, need);
  };
  for (std::size_t rank = 1; rank < workers.size(); ++rank)
    if (share(rank) > share(fullest)) fullest = rank;
  const auto limit = run.platform.hosts[fullest].memory_bytes;
  const std::uint64_t need = workers[fullest].memory.total();
  const std::string text = format_memory(static_cast<double>(need)) + " of " +
                           format_memory(limit ? std::optional(static_cast<double>(*limit)) : std::nullopt);
  return limit && need > *limit ? "TOO MUCH: " + text : text;
}

}  // namespace

std::string first_round_text(const PlannedRun& run) {
  const auto seconds = try_out([&] { return first_round_seconds(run.point.scenario); });
  if (!seconds) return "too long to try";
  return seconds->is_number() ? format_seconds(seconds->get<double>()) : "no end";
}

std::vector<const PlannedRun*> distinct_runs(const std::vector<PlannedRun>& runs) {
  std::set<std::string> seen;
  std::vector<const PlannedRun*> distinct;
  for (const PlannedRun& run : runs) {
    json configuration = run.point.configuration;
    configuration.at("training").erase("seed");
    if (seen.insert(configuration.dump()).second) distinct.push_back(&run);
  }
  return distinct;
}

void print_comparison(const std::vector<const PlannedRun*>& runs, std::size_t of_runs) {
  constexpr double longest_seconds = 10;  // of all trials
  const Stopwatch watch;
  std::vector<TextRow> rows = {{}};
  for (const auto& [pointer, value] : runs.front()->point.swept)
    if (pointer != seed_pointer) rows.front().push_back(pointer.substr(pointer.rfind('/') + 1));
  const std::size_t left_columns = rows.front().size();
  for (const char* name : {"rounds", "sent in a round", "first round takes", "memory of a device"})
    rows.front().emplace_back(name);
  for (const PlannedRun* run : runs) {
    TextRow row;
    for (const auto& [pointer, value] : run->point.swept)
      if (pointer != seed_pointer) row.push_back(swept_name(run->point.labels, pointer, value));
    row.push_back(std::to_string(run->job->rounds().size()));
    row.push_back(format_bytes(static_cast<double>(run->forecast.bytes_sent())));
    row.push_back(watch.seconds() < longest_seconds ? first_round_text(*run) : "not tried");
    row.push_back(memory_text(*run));
    rows.push_back(std::move(row));
  }
  if (runs.size() < of_runs) std::cout << "Of runs that differ in their seeds alone, one:\n";
  print_table(rows, std::cout, left_columns);
  std::cout << "  (all workers together; simulated seconds of the first round on this platform, contention "
               "included; the fullest device)\n\n";
}

}  // namespace isthmus
