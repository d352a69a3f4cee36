// `isthmus platform FILE`: the tables.

#include <algorithm>
#include <cmath>

#include "analysis/format.hpp"
#include "analysis/text_table.hpp"
#include "sim/simgrid/inspect.hpp"

namespace isthmus {
namespace {

using Row = TextRow;

/// Neighbours that differ in name only as one row: "n-0 .. n-63", "64".
template <class Item, class Describe>
std::vector<Row> folded(const std::vector<Item>& items, Describe describe) {
  std::vector<Row> rows;
  for (std::size_t begin = 0; begin < items.size();) {
    const Row facts = describe(items[begin]);
    std::size_t end = begin + 1;
    while (end < items.size() && describe(items[end]) == facts) ++end;
    Row row{items[begin].name + (end - begin > 1 ? " .. " + items[end - 1].name : ""),
            std::to_string(end - begin)};
    row.insert(row.end(), facts.begin(), facts.end());
    rows.push_back(std::move(row));
    begin = end;
  }
  return rows;
}

void print_hosts(const PlatformReport& report, std::ostream& out) {
  out << "Hosts: " << report.hosts.size() << ", in natural order (n-2 before n-10), as workers take them\n";
  auto rows = folded(report.hosts, [](const HostFacts& host) {
    return Row{host.device.empty() ? format_speed(host.speed_flops) : host.device, std::to_string(host.cores),
               format_memory(host.memory_bytes)};
  });
  rows.insert(rows.begin(), {"name", "count", "device, or speed of a core", "cores", "memory"});
  print_table(rows, out);
}

/// The two directions "x_DOWN" and "x_UP" of a split-duplex link as one "x", where they are the same.
std::vector<LinkFacts> whole_links(const std::vector<LinkFacts>& links) {
  std::vector<LinkFacts> whole;
  for (std::size_t i = 0; i < links.size(); ++i) {
    whole.push_back(links[i]);
    const std::string& name = links[i].name;
    if (i + 1 == links.size() || !name.ends_with("_DOWN")) continue;
    const auto &up = links[i + 1], &down = links[i];
    const std::string stem = name.substr(0, name.size() - 5);
    const bool same = up.bandwidth_bytes_per_second == down.bandwidth_bytes_per_second &&
                      up.latency_seconds == down.latency_seconds;
    if (up.name != stem + "_UP" || !same) continue;
    whole.back().name = stem;
    ++i;
  }
  return whole;
}

void print_links(const PlatformReport& report, std::ostream& out) {
  const auto links = whole_links(report.links);
  out << "\nLinks: " << links.size() << '\n';
  auto rows = folded(links, [](const LinkFacts& link) {
    return Row{format_bandwidth(link.bandwidth_bytes_per_second), format_seconds(link.latency_seconds),
               link.sharing};
  });
  rows.insert(rows.begin(), {"name", "count", "bandwidth", "latency", "sharing"});
  print_table(rows, out);
}

void print_profiles(const PlatformReport& report, std::ostream& out) {
  if (report.profiles.empty()) return;
  out << "\nProfiles: " << report.profiles.size()
      << ". What they give changes during a run; the other tables show its start\n";
  std::vector<Row> rows{{"of", "gives", "least", "most", "file"}};
  for (const ProfileFacts& profile : report.profiles) {
    const auto [quantity, least, most] = profile_text(profile);
    rows.push_back({profile.of, quantity, least, most, profile.file});
  }
  print_table(rows, out);
}

void print_matrix(const PlatformReport& report, const std::vector<std::vector<double>>& values,
                  std::string (*format)(double), std::ostream& out) {
  std::vector<Row> rows{{"from \\ to"}};
  for (const auto& host : report.hosts) rows.front().push_back(host.name);
  for (std::size_t from = 0; from < values.size(); ++from) {
    Row row{report.hosts[from].name};
    for (std::size_t to = 0; to < values.size(); ++to) {
      row.push_back(from == to || std::isnan(values[from][to]) ? "-" : format(values[from][to]));
    }
    rows.push_back(std::move(row));
  }
  print_table(rows, out);
}

void print_classes(const PlatformReport& report, std::ostream& out) {
  constexpr std::size_t most = 20;
  out << "\nBetween hosts" << (report.sampled ? " (a sample of the pairs)" : "") << ", one way and alone\n";
  std::vector<Row> rows{{"latency", "bandwidth", "pairs", "for example"}};
  for (std::size_t i = 0; i < std::min(most, report.pair_classes.size()); ++i) {
    const auto& pairs = report.pair_classes[i];
    const auto name = [&](int rank) { return report.hosts[static_cast<std::size_t>(rank)].name; };
    rows.push_back({format_seconds(pairs.latency_seconds), format_bandwidth(pairs.bandwidth_bytes_per_second),
                    std::to_string(pairs.pairs),
                    name(pairs.example.first) + " to " + name(pairs.example.second)});
  }
  print_table(rows, out);
  if (report.pair_classes.size() > most) {
    out << "  and " << report.pair_classes.size() - most << " more kinds of pairs, up to "
        << format_seconds(report.max_latency_seconds()) << " and down to "
        << format_bandwidth(report.min_bandwidth_bytes_per_second()) << '\n';
  }
}

}  // namespace

std::array<std::string, 3> profile_text(const ProfileFacts& profile) {
  const auto [least, most] = profile.span;
  switch (profile.kind) {
    case ProfileKind::bandwidth:
      return {"bandwidth", format_bandwidth(least), format_bandwidth(most)};
    case ProfileKind::latency:
      return {"latency", format_seconds(least), format_seconds(most)};
    case ProfileKind::state:
      return {"state", least > 0 ? "on" : "off", most > 0 ? "on" : "off"};
    default:
      return {"part of its speed", format_count(least), format_count(most)};
  }
}

void print_platform(const std::filesystem::path& file, std::ostream& out) {
  const PlatformReport report = inspect_platform(file);
  out << "Platform " << file.string() << " (SimGrid "
      << report.network.at("simgrid_version").get<std::string>() << ")\n\n";
  print_hosts(report, out);
  print_links(report, out);
  print_profiles(report, out);
  if (report.pair_classes.empty()) return;
  if (report.latency_seconds.empty() || report.pair_classes.size() == 1) {
    print_classes(report, out);
    return;
  }
  out << "\nLatency between hosts, one way\n";
  print_matrix(report, report.latency_seconds, format_seconds, out);
  out << "\nBandwidth between hosts, for one message alone\n";
  print_matrix(report, report.bandwidth_bytes_per_second, format_bandwidth, out);
}

}  // namespace isthmus
