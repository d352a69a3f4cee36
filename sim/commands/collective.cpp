#include <algorithm>
#include <cmath>
#include <iomanip>
#include <iostream>
#include <sstream>

#include "analysis/format.hpp"
#include "analysis/text_table.hpp"
#include "models/error.hpp"
#include "sim/commands/network_arguments.hpp"
#include "sim/commands/options.hpp"
#include "sim/commands/sites_text.hpp"
#include "sim/process/isolated.hpp"
#include "sim/scenario/units.hpp"
#include "sim/simgrid/collective_run.hpp"
#include "sim/simgrid/inspect.hpp"
#include "sim/study/files.hpp"

namespace isthmus {
namespace {

namespace po = boost::program_options;

/// What is measured: one operation by one algorithm, for several sizes.
struct Measurement {
  CollectiveKind kind;
  std::string algorithm;
  CollectiveOptions options;
  std::vector<std::uint64_t> sizes;  ///< bytes of the whole vector, as given
  PlatformOptions platform;
  NetworkOptions network;
  PlatformReport report;
};

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

CollectiveKind read_kind(const std::string& name) {
  const auto& names = collective_kind_names();
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) throw InputError("--kind", "found \"" + name + "\"; allowed: " + listed(names));
  return static_cast<CollectiveKind>(found - names.begin());
}

std::vector<std::uint64_t> read_sizes(const std::string& list) {
  std::vector<std::uint64_t> sizes;
  std::istringstream items(list);
  for (std::string item; std::getline(items, item, ',');) sizes.push_back(parse_bytes(item, "--bytes"));
  if (sizes.empty()) throw InputError("--bytes", "is empty; allowed: one or more sizes, as 1MiB,256MiB");
  return sizes;
}

/// Values that a size stands for: whole ones, and for all_to_all as many for each worker.
std::size_t count_of(const Measurement& what, std::uint64_t bytes) {
  const auto workers = static_cast<std::uint64_t>(what.platform.workers);
  const std::uint64_t values = bytes / what.options.bytes_per_value;
  const std::uint64_t count = what.kind == CollectiveKind::all_to_all ? values / workers * workers : values;
  if (count > 0) return count;
  throw InputError("--bytes", "found " + std::to_string(bytes) + "B, which is less than one value" +
                                  (what.kind == CollectiveKind::all_to_all ? " for each worker" : ""));
}

/// Bytes that cross each worker's link for every byte of the vector, as NCCL's tests define it.
double bus_factor(CollectiveKind kind, int workers) {
  using enum CollectiveKind;
  if (workers == 1) return 0;
  const double share = static_cast<double>(workers - 1) / workers;
  if (kind == all_reduce) return 2 * share;
  return kind == broadcast || kind == reduce ? 1 : share;
}

OrderedJson measure(const Measurement& what, std::uint64_t size) {
  const auto collective = make_collective(what.kind, what.algorithm, what.options);
  const int workers = what.platform.workers;
  const std::size_t count = count_of(what, size);
  const auto bytes = static_cast<double>(count * what.options.bytes_per_value);
  const nlohmann::json measured = run_isolated([&]() -> nlohmann::json {
    const CollectiveRun run = simulate_collective(what.platform, what.network, *collective, count);
    nlohmann::json busiest;
    double most = -1;
    for (const LinkResult& link : run.links) {
      const double full = static_cast<double>(link.bytes) / link.link.bandwidth_bytes_per_second;
      if (full <= most) continue;
      most = full;
      const auto share = [&](double seconds) {
        return run.simulated_seconds > 0 ? seconds / run.simulated_seconds : 0;
      };
      busiest = {{"link", link.link.name},
                 {"bytes", link.bytes},
                 {"utilization", share(full)},
                 {"busy_fraction", share(link.busy_seconds)}};
    }
    return {{"simulated_seconds", run.simulated_seconds},
            {"bytes_sent", run.bytes_sent},
            {"messages_sent", run.messages_sent},
            {"busiest_link", busiest}};
  });
  const LinkModel link = what.report.slowest_link();
  const double seconds = measured.at("simulated_seconds");
  const double predicted = link.collective_overhead_seconds + collective->seconds(workers, bytes, link);
  const double speed = seconds > 0 ? bytes / seconds : 0;
  return {{"bytes", count * what.options.bytes_per_value},
          {"simulated_seconds", seconds},
          {"closed_form_seconds", predicted},
          {"algorithm_bandwidth_bytes_per_second", speed},
          {"bus_bandwidth_bytes_per_second", speed * bus_factor(what.kind, workers)},
          {"bytes_sent", measured.at("bytes_sent")},
          {"messages_sent", measured.at("messages_sent")},
          {"busiest_link", measured.at("busiest_link")}};
}

std::string seconds_text(double seconds) {
  std::ostringstream text;
  text << std::setprecision(6) << seconds;
  return text.str();
}

void print(const Measurement& what, const OrderedJson& results) {
  const LinkModel link = what.report.slowest_link();
  std::cout << collective_kind_names()[static_cast<std::size_t>(what.kind)] << " by " << what.algorithm
            << ", " << what.platform.workers << " workers of " << what.platform.file.filename().string();
  if (what.platform.workers > 1) {
    std::cout << "; a message takes " << format_seconds(link.latency_seconds) << " + bytes / "
              << format_bandwidth(link.bandwidth_bytes_per_second) << " on the slowest way";
  }
  if (what.algorithm == "hierarchical") std::cout << '\n' << sites_text(what.options.sites, link);
  std::cout << "\nnetwork: " << network_constants_text(what.report.network) << "\n\n";
  std::vector<TextRow> rows = {{"bytes", "seconds", "closed form", "off by", "algbw", "busbw", "sent by all",
                                "busiest link", "carries", "utilized"}};
  for (const OrderedJson& row : results) {
    const double seconds = row.at("simulated_seconds"), predicted = row.at("closed_form_seconds");
    std::ostringstream off;
    if (predicted > 0) {
      const double percent = std::round(1e4 * (seconds / predicted - 1)) / 100;
      off << (percent == 0 ? std::noshowpos : std::showpos) << std::fixed << std::setprecision(2)
          << (percent == 0 ? 0 : percent) << " %";
    }
    const OrderedJson& busiest = row.at("busiest_link");
    TextRow cells = {row.at("bytes").dump(),
                     seconds_text(seconds),
                     seconds_text(predicted),
                     off.str(),
                     format_bandwidth(row.at("algorithm_bandwidth_bytes_per_second")),
                     format_bandwidth(row.at("bus_bandwidth_bytes_per_second")),
                     format_bytes(row.at("bytes_sent"))};
    if (busiest.is_null()) {
      cells.insert(cells.end(), {"none", "", ""});
    } else {
      std::ostringstream used;
      used << std::setprecision(3) << 100 * busiest.at("utilization").get<double>() << " %";
      cells.insert(cells.end(), {busiest.at("link"), format_bytes(busiest.at("bytes")), used.str()});
    }
    rows.push_back(std::move(cells));
  }
  print_table(rows, std::cout, 0);
}

std::string algorithms_text() {
  std::string text = "Algorithms:\n";
  for (const CollectiveAlgorithm& algorithm : collective_algorithms()) {
    const std::string& kind = collective_kind_names()[static_cast<std::size_t>(algorithm.kind)];
    text += "  " + kind + std::string(16 - kind.size(), ' ') + algorithm.name +
            std::string(18 - algorithm.name.size(), ' ') + algorithm.summary + "\n";
  }
  return text;
}

void place_sites(const po::variables_map& given, Measurement& what) {
  const int group = given["group-size"].as<int>();
  if (group < 0) throw InputError("--group-size", "found " + std::to_string(group) + "; allowed: 1 or more");
  if (group == 0) {
    what.options.sites = what.report.sites();
    return;
  }
  for (int rank = 0; rank < what.platform.workers; ++rank) what.options.sites.push_back(rank / group);
}

/// Everything that can be wrong is found here.
Measurement read_measurement(const po::variables_map& given) {
  const auto text = [&](const char* name) {
    if (given.count(name) == 0)
      throw InputError("isthmus collective",
                       "--" + std::string(name) + " is missing (--help shows examples)");
    return given[name].as<std::string>();
  };
  Measurement what;
  what.kind = read_kind(text("kind"));
  what.algorithm = text("algorithm");
  const std::vector<std::string> names = algorithm_names(what.kind);
  if (std::ranges::find(names, what.algorithm) == names.end()) {
    throw InputError("--algorithm",
                     "found \"" + what.algorithm + "\"; allowed for " + text("kind") + ": " + listed(names));
  }
  what.sizes = read_sizes(text("bytes"));
  what.options.chunk_bytes = static_cast<double>(parse_bytes(text("chunk"), "--chunk"));
  what.options.chunks_in_flight = given["in-flight"].as<int>();
  if (what.options.chunks_in_flight < 1)
    throw InputError("--in-flight",
                     "found " + std::to_string(what.options.chunks_in_flight) + "; allowed: 1 or more");
  what.platform.file = text("platform");
  what.platform.workers = given["workers"].as<int>();
  if (what.platform.workers < 0)
    throw InputError("--workers", "found " + std::to_string(what.platform.workers) + "; allowed: 1 or more");
  read_network_arguments(given, what.platform, what.network);
  // Twice: sites are known only when the platform is, and who talks only when the sites are.
  what.report = inspect_platform(what.platform, what.network, {});
  what.platform.workers = static_cast<int>(what.report.hosts.size());
  place_sites(given, what);
  const auto collective = make_collective(what.kind, what.algorithm, what.options);
  const std::vector<RankPair> pairs = collective->talking_pairs(what.platform.workers);
  SiteTraffic traffic;
  if (what.algorithm == "hierarchical") traffic = {what.options.sites, pairs};
  what.report = inspect_platform(what.platform, what.network, pairs, traffic);
  return what;
}

}  // namespace

int collective_command(const Arguments& arguments) {
  CommandLine line(
      "collective --kind KIND --algorithm NAME --bytes SIZE[,SIZE...] --platform FILE [OPTIONS]", "",
      "Simulates one collective operation alone on a platform, as NCCL's tests measure it, and prints the\n"
      "alpha-beta model's closed form beside it. SIZE is that of the whole vector: what a worker holds in "
      "the\n"
      "end of all_gather, at the start of reduce_scatter and all_to_all. Algorithm bandwidth (algbw) is SIZE "
      "/\n"
      "seconds; bus bandwidth (busbw) is that times 2 (n - 1) / n for all_reduce, (n - 1) / n for "
      "all_gather,\n"
      "reduce_scatter and all_to_all, 1 for broadcast and reduce. The closed form is that of a network "
      "without\n"
      "contention in which every way is as slow as the slowest; that of hierarchical knows the slowest "
      "inside\n"
      "a site, and between sites what is left to each of those who send there at once.\n\n"
      "Examples:\n"
      "  isthmus collective --kind all_reduce --algorithm ring --bytes 1MiB,256MiB \\\n"
      "      --platform platforms/star-8.xml --workers 8 --bandwidth 1Gbps --latency 10ms\n"
      "  isthmus collective --kind broadcast --algorithm tree --bytes 100MB --platform platforms/star-8.xml "
      "--mtu "
      "1500B\n"
      "  isthmus collective --kind all_reduce --algorithm hierarchical --bytes 100MB --platform "
      "platforms/two-sites.xml --json\n\n" +
          algorithms_text());
  line.options().add_options()("kind", po::value<std::string>()->value_name("KIND"), "what to do")(
      "algorithm", po::value<std::string>()->value_name("NAME"), "how to do it")(
      "bytes", po::value<std::string>()->value_name("SIZE,..."), "how much, as 256MiB or 1kB,1MB,1GB")(
      "platform", po::value<std::string>()->value_name("FILE"), "SimGrid platform XML")(
      "workers", po::value<int>()->value_name("N")->default_value(0, "all"), "the first N hosts take part")(
      "chunk", po::value<std::string>()->value_name("SIZE")->default_value("1MiB"),
      "pipelined algorithms: largest piece passed on as a whole (Gloo: segments of 1MiB; NCCL: slices of "
      "1MiB, in "
      "broadcast 512KiB)")(
      "in-flight", po::value<int>()->value_name("N")->default_value(4),
      "pipelined algorithms: pieces a worker has on their way at once (Gloo: 2; NCCL: 2 for each channel)")(
      "group-size", po::value<int>()->value_name("N")->default_value(0, "by zones"),
      "hierarchical: workers of a site; else the platform's zones are the sites")("json", "print JSON");
  add_network_options(line);
  if (!line.parse(arguments)) return 0;
  const Measurement what = read_measurement(line.values());
  OrderedJson results = OrderedJson::array();
  for (const std::uint64_t size : what.sizes) results.push_back(measure(what, size));
  if (line.values().count("json") == 0) {
    print(what, results);
    return 0;
  }
  const LinkModel link = what.report.slowest_link();
  OrderedJson document = {{"kind", collective_kind_names()[static_cast<std::size_t>(what.kind)]},
                          {"algorithm", what.algorithm},
                          {"platform", what.platform.file.string()},
                          {"workers", what.platform.workers},
                          {"latency_seconds", link.latency_seconds},
                          {"bandwidth_bytes_per_second", link.bandwidth_bytes_per_second},
                          {"network", what.report.network},
                          {"results", results}};
  if (what.algorithm == "hierarchical") document["sites"] = what.options.sites;
  std::cout << document.dump(2) << '\n';
  return 0;
}

}  // namespace isthmus
