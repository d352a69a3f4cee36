#include "sim/commands/check_table.hpp"

#include <algorithm>
#include <iostream>
#include <set>
#include <string>

#include "analysis/format.hpp"
#include "analysis/text_table.hpp"
#include "sim/study/stopwatch.hpp"

namespace isthmus {
namespace {

using nlohmann::json;

const std::string seed_pointer = "/training/seed";

double as_double(std::uint64_t count) { return static_cast<double>(count); }

/// The worker whose device is the fullest, and whether all devices are large enough.
std::string memory_text(const PlannedRun& run, const std::vector<MemoryUse>& peaks) {
  std::size_t fullest = 0;
  const auto share = [&](std::size_t rank) {
    const auto limit = run.platform->hosts[rank].memory_bytes;
    const double need = as_double(peaks[rank].total());
    return std::pair(limit ? need / as_double(*limit) : 0, need);
  };
  for (std::size_t rank = 1; rank < peaks.size(); ++rank)
    if (share(rank) > share(fullest)) fullest = rank;
  const auto limit = run.platform->hosts[fullest].memory_bytes;
  const std::uint64_t need = peaks[fullest].total();
  const std::string text = format_memory(as_double(need)) + " of " + format_memory(limit);
  return limit && need > *limit ? "TOO MUCH: " + text : text;
}

/// Three cells: what a round sends and takes, and memory.
TextRow costs_text(const TriedRun& tried) {
  if (!tried.dry) return {"?", "too long to try", "?"};
  const std::string memory = memory_text(*tried.run, tried.dry->memory_peaks);
  if (!tried.dry->trouble.empty()) return {"?", "no end", memory};
  const DryRun::RoundCosts& usual = tried.dry->usual();
  return {format_bytes(as_double(usual.bytes_sent())), format_seconds(usual.seconds), memory};
}

std::string range(const std::string& first, const std::string& last) {
  return first == last ? first : first + " .. " + last;
}

}  // namespace

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

std::vector<TriedRun> try_out(const std::vector<const PlannedRun*>& runs, DryRuns& dry_runs) {
  constexpr double longest_seconds = 10;
  const Stopwatch watch;
  std::vector<TriedRun> tried;
  for (const PlannedRun* run : runs) {
    tried.push_back({run, std::nullopt});
    if (watch.seconds() >= longest_seconds) continue;
    tried.back().dry = dry_run(run->point.scenario);
    dry_runs.keep(run->point, tried.back().dry);
  }
  return tried;
}

void print_comparison(const std::vector<TriedRun>& runs, std::size_t of_runs) {
  std::vector<TextRow> rows = {{}};
  for (const auto& [pointer, value] : runs.front().run->point.swept)
    if (pointer != seed_pointer) rows.front().push_back(pointer.substr(pointer.rfind('/') + 1));
  const std::size_t left_columns = rows.front().size();
  for (const char* name : {"rounds", "sent in a round", "a round takes", "memory of a device"})
    rows.front().emplace_back(name);
  bool warm_ups = false;
  for (const TriedRun& tried : runs) {
    const Point& point = tried.run->point;
    TextRow row;
    for (const auto& [pointer, value] : point.swept)
      if (pointer != seed_pointer) row.push_back(swept_name(point.labels, pointer, value));
    const Rounds rounds = tried.run->job->rounds();
    warm_ups = warm_ups || rounds.warm_up() > 0;
    row.push_back(std::to_string(rounds.size()));
    for (std::string& cell : costs_text(tried)) row.push_back(std::move(cell));
    rows.push_back(std::move(row));
  }
  if (runs.size() < of_runs) std::cout << "Of runs that differ in their seeds alone, one:\n";
  print_table(rows, std::cout, left_columns);
  std::cout
      << "  (all workers together; simulated seconds on this platform, contention included; the fullest "
         "device"
      << (warm_ups ? "; rounds after the warm-up" : "") << ")\n\n";
}

void print_rounds(const DryRun& dry) {
  std::vector<TextRow> rows = {
      {"round", "local steps", "sent by all workers", "messages", "as papers count", "computing", "takes"}};
  std::string first, last;
  for (const DryRun::RoundCosts& costs : dry.rounds) {
    const std::uint64_t bytes = costs.bytes_sent();
    TextRow row = {std::to_string(costs.round.index),
                   std::to_string(costs.round.local_steps),
                   std::to_string(bytes) + " bytes (" + format_bytes(as_double(bytes)) + ")",
                   std::to_string(costs.messages_sent()),
                   format_bytes(costs.paper_bytes()),
                   format_seconds(costs.compute_seconds()),
                   format_seconds(costs.seconds)};
    const bool same = rows.size() > 1 && std::equal(row.begin() + 1, row.end(), rows.back().begin() + 1);
    if (!same) first = row.front();
    last = row.front();
    row.front() = range(first, last);
    if (same) rows.pop_back();
    rows.push_back(std::move(row));
  }
  constexpr std::size_t indent = 12;
  print_table(rows, std::cout, 1, indent);
  const std::string margin(indent, ' ');
  if (!dry.trouble.empty()) {
    std::cout << margin << "then " << dry.trouble << '\n';
    return;
  }
  const double seconds = dry.in_all([](const DryRun::RoundCosts& costs) { return costs.seconds; });
  std::cout
      << margin << "simulated on this platform without values: "
      << (static_cast<long>(dry.rounds.size()) == dry.all_rounds
              ? "all rounds take "
              : std::to_string(dry.rounds.size()) + " of the rounds; all together take about ")
      << format_seconds(seconds) << (dry.varies() ? "; what is sent varies from round to round" : "") << "\n"
      << margin
      << "(as papers count: up plus down, of all workers; computing: of the worker that does so longest)\n";
}

void print_workers(const TriedRun& tried) {
  const PlannedRun& run = *tried.run;
  std::vector<TextRow> rows = {{"worker", "host", "device", "sends per round", "memory", "limit", "fits"}};
  const auto describe = [&](std::size_t rank) {
    const HostFacts& host = run.platform->hosts[rank];
    TextRow row = {host.device.empty() ? format_speed(host.speed_flops) : host.device, "?", "?",
                   format_memory(host.memory_bytes), "?"};
    if (!tried.dry) return row;
    if (!tried.dry->rounds.empty())
      row[1] = format_bytes(as_double(tried.dry->usual().workers[rank].bytes_sent));
    const std::uint64_t need = tried.dry->memory_peaks[rank].total();
    row[2] = format_memory(as_double(need));
    row[4] = !host.memory_bytes || need <= *host.memory_bytes ? "yes" : "NO";
    return row;
  };
  const auto workers = static_cast<std::size_t>(run.job->workers()), ranks = run.platform->hosts.size();
  for (std::size_t begin = 0, end = 0; begin < ranks; begin = end) {
    const TextRow facts = describe(begin);
    const std::size_t of_its_kind = begin < workers ? workers : ranks;
    for (end = begin + 1; end < of_its_kind && describe(end) == facts;) ++end;
    const auto& hosts = run.platform->hosts;
    const std::size_t first = begin < workers ? 0 : workers;
    TextRow row = {
        (first == 0 ? "" : "server ") + range(std::to_string(begin - first), std::to_string(end - 1 - first)),
        range(hosts[begin].name, hosts[end - 1].name)};
    row.insert(row.end(), facts.begin(), facts.end());
    rows.push_back(std::move(row));
  }
  print_table(rows, std::cout, 2);
  if (run.point.scenario.platform.hosts.empty())
    std::cout << "            workers take hosts in natural order of names (n-2 before n-10)\n";
  if (!tried.dry) {
    std::cout << '\n';
    return;
  }
  const auto& peaks = tried.dry->memory_peaks;
  const auto fullest = std::ranges::max_element(peaks, {}, &MemoryUse::total);
  std::string parts;
  for (std::size_t i = 0; i < memory_part_names.size(); ++i) {
    const std::uint64_t bytes = (*fullest)[static_cast<MemoryPart>(i)];
    if (bytes > 0)
      parts += (parts.empty() ? "" : ", ") + std::string(memory_part_names[i]) + " " +
               format_memory(as_double(bytes));
  }
  const auto rank = static_cast<int>(fullest - peaks.begin());
  std::cout << "            memory of " << run.job->name_of(rank) << ": " << parts << "\n\n";
}

}  // namespace isthmus
