// Placing workers, overrides, devices, and the platforms that are shipped.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <set>
#include <sstream>

#include "analysis/text.hpp"
#include "sim/simgrid/inspect.hpp"
#include "tests/sim/simulation.hpp"

using namespace isthmus;
using namespace isthmus::testing;
using Catch::Matchers::Contains;
using nlohmann::json;

namespace platform_test {
namespace {

PlatformReport inspect_all(const PlatformOptions& options, int workers) {
  return inspect_platform(options, {}, all_pairs(workers));
}

const LinkFacts& link(const PlatformReport& report, const std::string& name) {
  for (const auto& facts : report.links) {
    if (facts.name == name) return facts;
  }
  FAIL("no link " << name);
  return report.links.front();
}

/// What flows from one host to another does not slow what flows back: a link that is used both ways is split.
void check_full_duplex(const PlatformReport& report, const std::filesystem::path& file) {
  if (std::ranges::all_of(report.links, [](const LinkFacts& facts) { return facts.sharing != "shared"; }))
    return;
  PlatformOptions options;
  options.file = file;
  const auto workers = static_cast<int>(report.hosts.size());
  options.workers = workers;
  const json both_ways = with_platform(options, {}, [&](LoadedPlatform& platform) {
    json links = json::array();
    for (const auto& [from, to] : all_pairs(workers)) {
      const Route there = platform.compute_route(from, to), back = platform.compute_route(to, from);
      for (const int link : there.links) {
        const LinkFacts& facts = platform.links()[static_cast<std::size_t>(link)];
        if (facts.sharing == "shared" && std::ranges::find(back.links, link) != back.links.end())
          links.push_back(facts.name);
      }
    }
    return links;
  });
  CHECK(both_ways == json::array());
}

/// Seconds that `flops`, scaled as the platform says, take the worker.
double execution_seconds(const PlatformOptions& options, int rank, double flops) {
  return with_platform(options, {}, [&](LoadedPlatform& platform) {
    compat::add_actor("worker", platform.host(rank),
                      [&] { simgrid::s4u::this_actor::execute(flops * platform.speed_scale(rank)); });
    platform.engine().run();
    return json(simgrid::s4u::Engine::get_clock());
  });
}

}  // namespace

TEST_CASE("every shipped platform loads, all pairs have a route and all hosts a memory") {
  const std::map<std::string, std::size_t> sizes{
      {"star-8.xml", 8},         {"star-1000.xml", 1000},    {"p3-2xlarge.xml", 8},
      {"m5-2xlarge.xml", 8},     {"two-sites.xml", 8},       {"heterogeneous.xml", 8},
      {"fat-tree-64.xml", 64},   {"wan-10-regions.xml", 10}, {"dt-fm-2-spot.xml", 64},
      {"dt-fm-5-world.xml", 64}, {"halos.xml", 16},          {"homes-dedloc.xml", 16},
      {"homes-cable.xml", 8},    {"phones-lte.xml", 8},      {"starlink.xml", 4}};
  std::set<std::string> seen;
  for (const auto& entry : std::filesystem::directory_iterator(source_file("platforms"))) {
    const std::string name = entry.path().filename().string();
    if (entry.path().extension() != ".xml") continue;
    INFO(name);
    seen.insert(name);
    const auto report = inspect_platform(entry.path());
    if (const auto known = sizes.find(name); known != sizes.end())
      CHECK(report.hosts.size() == known->second);
    long pairs = 0;
    for (const auto& pair_class : report.pair_classes) pairs += pair_class.pairs;
    CHECK(pairs == static_cast<long>(report.hosts.size() * (report.hosts.size() - 1)));
    for (const auto& host : report.hosts) CHECK(host.memory_bytes.value_or(0) > 0);
    check_full_duplex(report, entry.path());
    std::ostringstream table;
    print_platform(entry.path(), table);
    CHECK_THAT(table.str(), Contains("Hosts: " + std::to_string(report.hosts.size())));
  }
  CHECK(seen.size() >= sizes.size());
}

TEST_CASE("the regions of the WAN are as measured, each direction by itself") {
  const auto report = inspect_platform(source_file("platforms/wan-10-regions.xml"));
  REQUIRE(report.hosts.size() == 10);
  const auto rank = [&](const std::string& name) {
    for (std::size_t i = 0; i < report.hosts.size(); ++i) {
      if (report.hosts[i].name == name) return i;
    }
    FAIL("no host " << name);
    return std::size_t{0};
  };
  std::ifstream table(source_file("platforms/tables/wan-10-regions.csv"));
  int pairs = 0;
  for (std::string line; std::getline(table, line);) {
    if (line.starts_with('#') || line.starts_with("from,")) continue;
    char from[32], to[32];
    double round_trip_ms = 0, bandwidth_mbps = 0;
    REQUIRE(std::sscanf(line.c_str(), "%31[^,],%31[^,],%lfms,%lfMbps", from, to, &round_trip_ms,
                        &bandwidth_mbps) == 4);
    INFO(line);
    CHECK(report.latency_seconds[rank(from)][rank(to)] == Approx(round_trip_ms / 2000));
    CHECK(report.bandwidth_bytes_per_second[rank(from)][rank(to)] == Approx(bandwidth_mbps * 1e6 / 8));
    ++pairs;
  }
  CHECK(pairs == 90);
}

TEST_CASE("DT-FM's five cases are, between two GPUs, as its authors say") {
  struct Case {
    std::string name, from, to;
    double latency_seconds, gbps;
  };
  for (const Case& each :
       {Case{"1-data-centre", "instance-0-0", "instance-0-7", 0, 100},
        Case{"1-data-centre", "instance-0-1", "instance-1-2", 0, 3.125},
        Case{"2-spot", "four-0-0", "four-0-3", 0, 100}, Case{"2-spot", "four-0-0", "one-31-0", 0, 1.25},
        Case{"3-universities", "first-0", "first-31", 1e-3, 5},
        Case{"3-universities", "first-0", "second-0", 11e-3, 1.12},
        Case{"4-regional", "california-0", "california-1", 10e-3, 2},
        Case{"4-regional", "ohio-15", "virginia-0", 11e-3, 1.12},
        Case{"5-world", "frankfurt-0", "frankfurt-1", 10e-3, 2},
        Case{"5-world", "frankfurt-0", "tokyo-7", 223e-3, 0.36}}) {
    INFO(each.name << ": " << each.from << " to " << each.to);
    PlatformOptions pair = shipped("dt-fm-" + each.name + ".xml");
    pair.hosts = {each.from, each.to};
    const auto report = inspect_all(pair, 2);
    CHECK(report.latency_seconds[0][1] == Approx(each.latency_seconds));
    CHECK(report.bandwidth_bytes_per_second[0][1] == Approx(each.gbps * 1e9 / 8));
  }
}

TEST_CASE("workers take hosts in natural order, or as named") {
  CHECK(natural_less("n-2", "n-10"));
  CHECK_FALSE(natural_less("n-10", "n-2"));
  const auto report = inspect_all(shipped("star-1000.xml", 12), 12);
  REQUIRE(report.hosts.size() == 12);
  for (std::size_t rank = 0; rank < 12; ++rank) CHECK(report.hosts[rank].name == "n-" + std::to_string(rank));
  CHECK(report.links[4].name == "star_link_2_DOWN");
  CHECK(report.links[20].name == "star_link_10_DOWN");

  auto options = shipped("heterogeneous.xml");
  options.hosts = {"n-7", "n-0"};
  const auto named = inspect_all(options, 2);
  CHECK(named.hosts[0].name == "n-7");
  CHECK(named.hosts[0].memory_bytes == std::uint64_t{2} << 30);
  CHECK(named.hosts[1].speed_flops == 100e9);
}

TEST_CASE("the short forms mean end to end on a star") {
  auto options = shipped("star-8.xml", 8);
  options.all_links.latency_seconds = 1e-3;
  options.all_links.bandwidth_bytes_per_second = 12.5e6;
  const auto report = inspect_all(options, 8);
  for (std::size_t from = 0; from < 8; ++from) {
    for (std::size_t to = 0; to < 8; ++to) {
      if (from == to) continue;
      CHECK(report.latency_seconds[from][to] == 1e-3);
      CHECK(report.bandwidth_bytes_per_second[from][to] == 12.5e6);
    }
  }
  const json end = with_platform(options, {}, [](LoadedPlatform& p) {
    return json(end_times(p, {{6, 3, 12.5e6}}));
  });
  CHECK(end[0].get<double>() == Approx(1.001).epsilon(1e-12));
  // On a fat tree the longest route has four links, the short one within a leaf two.
  auto tree = shipped("fat-tree-64.xml", 16);
  tree.all_links.latency_seconds = 1e-3;
  const auto on_tree = inspect_all(tree, 16);
  CHECK(on_tree.latency_seconds[0][8] == Approx(1e-3));
  CHECK(on_tree.latency_seconds[0][1] == Approx(0.5e-3));
}

TEST_CASE("links by name and glob: the more exact wins, field by field") {
  auto options = shipped("star-8.xml", 4);
  options.all_links.latency_seconds = 2e-3;
  options.links["star_link_*"].bandwidth_bytes_per_second = 1e6;
  options.links["star_link_1"].bandwidth_bytes_per_second = 2e6;
  options.links["star_link_1_UP"].bandwidth_bytes_per_second = 3e6;
  options.links["star_link_[23]_DOWN"].latency_seconds = 5e-3;
  const auto report = inspect_all(options, 4);
  CHECK(link(report, "star_link_0_UP").bandwidth_bytes_per_second == 1e6);
  CHECK(link(report, "star_link_1_DOWN").bandwidth_bytes_per_second == 2e6);
  CHECK(link(report, "star_link_1_UP").bandwidth_bytes_per_second == 3e6);
  CHECK(link(report, "star_link_1_UP").latency_seconds == 1e-3);
  CHECK(link(report, "star_link_2_UP").latency_seconds == 1e-3);
  CHECK(link(report, "star_link_2_DOWN").latency_seconds == 5e-3);
  CHECK(link(report, "star_link_2_DOWN").bandwidth_bytes_per_second == 1e6);
}

TEST_CASE("overrides that cannot be meant are refused") {
  const auto message = [](const PlatformOptions& options) {
    return input_error_of([&] { inspect_all(options, 4); });
  };
  auto options = shipped("star-8.xml", 4);
  options.links["star_lnk_1"].latency_seconds = 1;
  CHECK_THAT(message(options),
             Contains("/platform/links/star_lnk_1: matches nothing") && Contains("'star_link_1'"));
  options.links = {};
  options.links["*_1*"].latency_seconds = 1;
  options.links["star*"].latency_seconds = 2;
  CHECK_THAT(message(options),
             Contains("/platform/links/star*: sets the latency of 'star_link_1_DOWN'") && Contains("'*_1*'"));
  options.links["star*"] = {1e6, {}};
  CHECK(link(inspect_all(options, 4), "star_link_1_UP").bandwidth_bytes_per_second == 1e6);
  options.links = {};
  options.devices["m-0"].speed_flops = 1;
  CHECK_THAT(message(options), Contains("/platform/devices/m-0") && Contains("'n-0'"));
  options.devices = {{"x~/*", {1e9, {}}}};
  CHECK_THAT(message(options), Contains("/platform/devices/x~0~1*: "));
}

TEST_CASE("devices: memory of the file, overrides, and the speed that execute() has") {
  CHECK(inspect_all(shipped("star-8.xml", 2), 2).hosts[1].memory_bytes == std::uint64_t{16}
                                                                              << 30);  // of the <cluster>
  auto options = shipped("star-8.xml", 4);
  options.all_devices.speed_flops = 1e9;
  options.all_devices.memory_bytes = 1000;
  options.devices["n-[12]"].speed_flops = 3e9;
  options.devices["n-2"].memory_bytes = 2000;
  const auto report = inspect_all(options, 4);
  CHECK(report.hosts[0].speed_flops == 1e9);
  CHECK(report.hosts[0].memory_bytes == 1000);
  CHECK(report.hosts[2].speed_flops == 3e9);
  CHECK(report.hosts[2].memory_bytes == 2000);
  CHECK(execution_seconds(options, 0, 5e9) == Approx(5).epsilon(1e-12));
  CHECK(execution_seconds(options, 1, 5e9) == Approx(5.0 / 3).epsilon(1e-12));
  CHECK(execution_seconds(shipped("star-8.xml", 4), 0, 5e9) == Approx(0.1).epsilon(1e-12));
}

TEST_CASE("a speed profile applies to an overridden speed") {
  const auto profile =
      std::filesystem::temp_directory_path() / ("isthmus-profile-" + std::to_string(::getpid()));
  std::ofstream(profile) << "0.0 1.0\n1.0 0.5\n";
  const TemporaryPlatform platform(
      "<zone id=\"z\" routing=\"Full\"><host id=\"a\" speed=\"1Gf\" speed_file=\"" +
      profile.filename().string() + "\"/></zone>");  // SimGrid finds it beside the platform
  auto options = platform.options(1);
  options.all_devices.speed_flops = 4e9;
  CHECK(execution_seconds(options, 0, 6e9) ==
        Approx(2).epsilon(1e-9));  // 4e9 in the first second, then 2e9 a second
  std::filesystem::remove(profile);
}

TEST_CASE("what a link has from a profile is not to be overridden as well") {
  const auto profile =
      std::filesystem::temp_directory_path() / ("isthmus-profile-" + std::to_string(::getpid()));
  std::ofstream(profile) << "0.0 1e6\n1.0 2e6\n";  // bytes per second
  const std::string hosts = "<host id=\"a\" speed=\"1Gf\"/><host id=\"b\" speed=\"1Gf\"/>";
  const auto platform = [&](const std::string& link, const std::string& direction) {
    return TemporaryPlatform(
        "<zone id=\"z\" routing=\"Full\">" + hosts + "<link id=\"l_0\" bandwidth=\"1Gbps\" " + link +
        " bandwidth_file=\"" + profile.filename().string() +
        "\"/><route src=\"a\" dst=\"b\"><link_ctn id=\"l_0\"" + direction + "/></route></zone>");
  };
  for (const bool split : {false, true}) {
    const auto file = platform(split ? "latency=\"1ms\" sharing_policy=\"SPLITDUPLEX\"" : "latency=\"1ms\"",
                               split ? " direction=\"UP\"" : "");
    auto options = file.options(2);
    options.all_links.latency_seconds = 2e-3;  // has no profile
    CHECK(inspect_all(options, 2).links[0].latency_seconds == 2e-3);
    options.all_links.bandwidth_bytes_per_second = 1e6;
    const auto check_refused = [&](const std::string& pointer) {
      CHECK_THAT(input_error_of([&] { inspect_all(options, 2); }),
                 Contains(pointer + ": link '" + (split ? "l_0_DOWN" : "l_0") +
                          "' takes its bandwidth from a profile (") &&
                     Contains(".xml:4)") && Contains("one of the two"));
    };
    check_refused("/platform/bandwidth");
    options.all_links.bandwidth_bytes_per_second.reset();
    options.links["l_*"].bandwidth_bytes_per_second = 1e6;
    check_refused("/platform/links");
  }
  std::filesystem::remove(profile);
}

TEST_CASE("routes: kept, found on demand, and none to oneself") {
  const json result = run_isolated([] {
    const std::vector<RankPair> few{{0, 1}};
    LoadedPlatform platform(shipped("two-sites.xml", 8), {}, few);
    const std::size_t before = platform.links().size();
    const Route& near = platform.route(0, 1);
    const Route& far = platform.route(0, 4);
    const Route& self = platform.route(3, 3);
    json names;
    for (const int index : far.links) names.push_back(platform.links()[static_cast<std::size_t>(index)].name);
    return json{{"before", before},
                {"after", platform.links().size()},
                {"near", near.latency_seconds},
                {"far", far.latency_seconds},
                {"far_bandwidth", far.bandwidth_bytes_per_second},
                {"names", names},
                {"self", self.links.size()},
                {"same", &near == &platform.route(0, 1)}};
  });
  CHECK(result["before"] == 2);
  CHECK(result["after"] == 4);
  CHECK(result["near"].get<double>() == Approx(100e-6));
  CHECK(result["far"].get<double>() == Approx(10.1e-3));
  CHECK(result["far_bandwidth"] == 12.5e6);
  CHECK(result["names"] == json({"east_link_0_UP", "between_UP", "west_link_0_DOWN"}));
  CHECK(result["self"] == 0);
  CHECK(result["same"] == true);
}

TEST_CASE("a million pairs are checked in seconds") {
  const auto start = std::chrono::steady_clock::now();
  const auto report = inspect_all(shipped("star-1000.xml", 1000), 1000);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  CHECK(report.links.size() == 2000);
  CHECK(report.pair_classes.size() == 1);
  CHECK(report.pair_classes[0].pairs == 999000);
  CHECK(seconds.count() < 60);  // under one second in Release; generous for sanitizers on a busy machine
}

}  // namespace platform_test
