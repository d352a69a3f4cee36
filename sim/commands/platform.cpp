#include <iostream>
#include <set>

#include "models/error.hpp"
#include "sim/commands/options.hpp"
#include "sim/commands/table_file.hpp"
#include "sim/platform/from_tables.hpp"
#include "sim/scenario/units.hpp"
#include "sim/simgrid/inspect.hpp"
#include "sim/study/files.hpp"

namespace isthmus {
namespace {

namespace po = boost::program_options;

/// A name that needs no escape in XML and in globs.
std::string name_in(const std::string& text, const std::string& place) {
  static const std::string allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
  if (text.empty() || text.find_first_not_of(allowed) != std::string::npos)
    throw InputError(place, "found the name \"" + text + "\"; allowed: letters, digits, . and -");
  return text;
}

int count_in(const std::string& text, const std::string& place) {
  if (text.empty()) return 1;
  const bool digits = text.size() <= 6 && text.find_first_not_of("0123456789") == std::string::npos;
  const int count = digits ? std::stoi(text) : 0;
  if (count < 1 || count > 100'000)
    throw InputError(place, "found \"" + text + "\" in column \"count\"; allowed: 1 to 100000");
  return count;
}

std::string bandwidth_in(const std::string& text, const std::string& place) {
  static_cast<void>(parse_bandwidth(text, place));
  return text;
}

void read_sites(const TableFile& table, const po::variables_map& options, std::vector<SiteRow>& sites) {
  const auto defaulted = [&](const std::string& cell, const char* option) {
    return cell.empty() && options.count(option) > 0 ? options[option].as<std::string>() : cell;
  };
  for (const TableFile::Row& row : table.rows()) {
    SiteRow site{.place = row.place,
                 .name = name_in(table.cell(row, "name"), row.place),
                 .count = count_in(table.cell(row, "count"), row.place),
                 .speed = defaulted(table.cell(row, "speed"), "speed"),
                 .memory = defaulted(table.cell(row, "memory"), "memory"),
                 .access = {}};
    static_cast<void>(parse_speed(site.speed, row.place));
    if (!site.memory.empty()) static_cast<void>(parse_bytes(site.memory, row.place));
    if (const std::string up = table.cell(row, "up"); !up.empty()) {
      site.access = SiteRow::Access{.up = bandwidth_in(up, row.place),
                                    .down = bandwidth_in(table.cell(row, "down"), row.place),
                                    .latency_seconds = parse_latency(table.cell(row, "latency"), row.place)};
    }
    sites.push_back(std::move(site));
  }
}

void read_ways(const TableFile& table, std::vector<WayRow>& ways) {
  const bool round_trip = table.has("round_trip");
  if (!table.has("to") || !table.has("bandwidth") || round_trip == table.has("latency")) {
    throw InputError(table.place_of_head(),
                     "allowed columns: from,to,bandwidth, either latency or round_trip, and sharing");
  }
  for (const TableFile::Row& row : table.rows()) {
    const auto end_of_way = [&](const char* column) {
      const std::string name = table.cell(row, column);
      return name == "*" ? name : name_in(name, row.place);
    };
    const std::string sharing = table.cell(row, "sharing");
    if (!sharing.empty() && sharing != "shared" && sharing != "fatpipe")
      throw InputError(row.place,
                       "found \"" + sharing + "\" in column \"sharing\"; allowed: shared, fatpipe");
    const double seconds = parse_latency(table.cell(row, round_trip ? "round_trip" : "latency"), row.place);
    ways.push_back({.place = row.place,
                    .from = end_of_way("from"),
                    .to = end_of_way("to"),
                    .bandwidth = bandwidth_in(table.cell(row, "bandwidth"), row.place),
                    .latency_seconds = round_trip ? seconds / 2 : seconds,
                    .fatpipe = sharing == "fatpipe"});
  }
}

/// Without a table of sites, each end of a way is a single device.
std::vector<SiteRow> ends_of(const std::vector<WayRow>& ways, const po::variables_map& options) {
  std::vector<SiteRow> sites;
  std::set<std::string> seen;
  for (const WayRow& way : ways) {
    for (const std::string& name : {way.from, way.to}) {
      if (!seen.insert(name).second) continue;
      if (name == "*")
        throw InputError(way.place, "*,* needs a table of sites as well, with a column \"name\"");
      sites.push_back({.place = way.place,
                       .name = name,
                       .count = 1,
                       .speed = options["speed"].as<std::string>(),
                       .memory = options.count("memory") > 0 ? options["memory"].as<std::string>() : "",
                       .access = {}});
    }
  }
  return sites;
}

void make_platform(const po::variables_map& options) {
  if (options.count("out") == 0) throw InputError("--out", "is missing; allowed: the platform file to write");
  static_cast<void>(parse_speed(options["speed"].as<std::string>(), "--speed"));
  if (options.count("memory") > 0)
    static_cast<void>(parse_bytes(options["memory"].as<std::string>(), "--memory"));
  std::vector<SiteRow> sites;
  std::vector<WayRow> ways;
  std::vector<std::string> comment;
  for (const std::string& file : options["from"].as<std::vector<std::string>>()) {
    const TableFile table(file);
    if (table.has("name") == table.has("from"))
      throw InputError(table.place_of_head(),
                       "is neither a table of sites, with a column \"name\", nor one of pairs, with "
                       "\"from\" and \"to\"");
    if (table.rows().empty()) throw InputError(file, "has no rows");
    table.has("name") ? read_sites(table, options, sites) : read_ways(table, ways);
    comment.insert(comment.end(), table.comments().begin(), table.comments().end());
  }
  if (sites.empty()) sites = ends_of(ways, options);
  write_file(options["out"].as<std::string>(), platform_from_tables(sites, ways, comment));
}

}  // namespace

int platform_command(const Arguments& arguments) {
  CommandLine line(
      "platform FILE | --from CSV [--from CSV] --out FILE", "FILE",
      "Shows what a platform file holds: hosts with speed and memory in the order in which workers are "
      "placed\n"
      "on them, links, and the latency and bandwidth between hosts. With --from it makes the file first, of\n"
      "tables with quantities as in scenarios (67ms, 790Mbps, 8Tf, 16GiB):\n"
      "  from,to,latency,bandwidth   of each pair, end to end; both directions alike if only one is given;\n"
      "                              or round_trip instead of latency; *,* for all other pairs; with\n"
      "                              sharing=fatpipe each flow gets the bandwidth as if it were alone\n"
      "  name,count,speed,memory,up,down,latency\n"
      "                              sites of so many devices, with an access line each; all but name may "
      "be\n"
      "                              left out. Without a table of pairs, all devices meet at one hub.\n"
      "Lines that begin with # become the comment of the platform: say there where the numbers are from.\n\n"
      "Examples:\n"
      "  isthmus platform platforms/two-sites.xml\n"
      "  isthmus platform --from platforms/tables/wan-10-regions.csv --speed 50Gf --out wan.xml\n");
  line.options().add_options()("from", po::value<std::vector<std::string>>()->value_name("CSV")->composing(),
                               "table of pairs, or of sites; may be given twice")(
      "out", po::value<std::string>()->value_name("FILE"), "platform file to write, with --from")(
      "speed", po::value<std::string>()->value_name("SPEED")->default_value("1Gf"),
      "of devices that the tables give none")("memory", po::value<std::string>()->value_name("BYTES"),
                                              "likewise; default: unlimited");
  line.set_sufficient("from");
  if (!line.parse(arguments)) return 0;
  if (line.values().count("from") == 0) {
    print_platform(line.argument(), std::cout);
    return 0;
  }
  make_platform(line.values());
  print_platform(line.values()["out"].as<std::string>(), std::cout);
  return 0;
}

}  // namespace isthmus
