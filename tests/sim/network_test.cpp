// Times of transfers against closed forms (textbook) and against the known figures of the other models.

#include <cmath>

#include "tests/sim/simulation.hpp"

using namespace isthmus;
using namespace isthmus::testing;
using nlohmann::json;

namespace network_test {
namespace {

constexpr double bandwidth = 125e6, latency = 100e-6;  // star-8.xml, end to end

std::vector<double> simulate(const PlatformOptions& platform, const NetworkOptions& network,
                             const std::vector<TimedTransfer>& transfers) {
  return with_platform(platform, network,
                       [&](LoadedPlatform& loaded) { return json(end_times(loaded, transfers)); })
      .get<std::vector<double>>();
}

void check_close(const std::vector<double>& found, const std::vector<double>& expected,
                 double relative = 1e-9) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    INFO("transfer " << i << ": " << found[i] << " for " << expected[i] << ", off by "
                     << (found[i] / expected[i] - 1));
    CHECK(std::abs(found[i] - expected[i]) <= relative * expected[i]);
  }
}

const std::string two_hosts_over = R"(  <zone id="z" routing="Full">
    <host id="a" speed="1Gf"/>
    <host id="b" speed="1Gf"/>)";

TemporaryPlatform two_hosts(const std::string& sharing) {
  const bool split = sharing == "SPLITDUPLEX";
  return TemporaryPlatform(two_hosts_over +
                           R"(<link id="wire" bandwidth="1MBps" latency="10ms" sharing_policy=")" + sharing +
                           R"("/><route src="a" dst="b"><link_ctn id="wire")" +
                           (split ? " direction=\"UP\"" : "") + "/></route></zone>");
}

NetworkOptions model(NetworkOptions::Model kind) {
  NetworkOptions options;
  options.model = kind;
  return options;
}

}  // namespace

TEST_CASE("textbook: one transfer takes latency + size / bandwidth") {
  for (const double bytes : {1.0, 1500.0, 1e6, 123456789.0, 1e11}) {
    check_close(simulate(shipped("star-8.xml", 2), {}, {{0, 1, bytes}}), {latency + bytes / bandwidth});
  }
}

TEST_CASE("textbook: flows share a link equally") {
  // Both leave host 0: half of the bandwidth each, until the smaller is through.
  check_close(simulate(shipped("star-8.xml", 3), {}, {{0, 1, 1e6}, {0, 2, 3e6}}),
              {latency + 2e6 / bandwidth, latency + 4e6 / bandwidth});
  // The second starts when 1 MB of the first is through; 3 MB remain, then both halve.
  const double start = 1e6 / bandwidth;
  check_close(simulate(shipped("star-8.xml", 3), {}, {{0, 1, 4e6}, {0, 2, 1e6, start}}),
              {latency + 5e6 / bandwidth, latency + start + 2e6 / bandwidth});
  // Seven into one host.
  std::vector<TimedTransfer> incast;
  for (int rank = 1; rank < 8; ++rank) incast.push_back({rank, 0, 1e6});
  check_close(simulate(shipped("star-8.xml", 8), {}, incast),
              std::vector<double>(7, latency + 7e6 / bandwidth));
}

TEST_CASE("textbook: what a flow cannot use, others get (max-min)") {
  auto options = shipped("star-8.xml", 4);
  options.links["star_link_1"].bandwidth_bytes_per_second = bandwidth / 10;
  // 0 -> 1 is held to a tenth by the link of 1; 0 -> 2 gets nine tenths.
  check_close(simulate(options, {}, {{0, 1, 1e6}, {0, 2, 9e6}}),
              {latency + 1e7 / bandwidth, latency + 1e7 / bandwidth});
}

TEST_CASE("textbook: transfers that end within a nanosecond do not cut each other short") {
  auto options = shipped("star-8.xml", 4);
  options.all_links.bandwidth_bytes_per_second = 12.5e9;
  options.all_links.latency_seconds = 1e-6;
  // 8 bytes more are 0.64 ns more. The bound is that of doubles.
  check_close(simulate(options, {}, {{0, 1, 1000}, {2, 3, 1008}}),
              {1e-6 + 1000 / 12.5e9, 1e-6 + 1008 / 12.5e9}, 1e-12);
}

TEST_CASE("half and full duplex") {
  const std::vector<TimedTransfer> both_ways{{0, 1, 1e5}, {1, 0, 1e5}};
  check_close(simulate(two_hosts("SHARED").options(2), {}, both_ways), {0.21, 0.21});
  check_close(simulate(two_hosts("SPLITDUPLEX").options(2), {}, both_ways), {0.11, 0.11});
  check_close(simulate(two_hosts("FATPIPE").options(2), {}, {{0, 1, 1e5}, {0, 1, 1e5}}), {0.11, 0.11});
  check_close(simulate(shipped("star-8.xml", 2), {}, {{0, 1, 1e6}, {1, 0, 1e6}}),
              std::vector<double>(2, latency + 1e6 / bandwidth));
  const double wan = 10.1e-3 + 1e6 / 12.5e6;
  check_close(simulate(shipped("two-sites.xml", 8), {}, {{0, 4, 1e6}, {5, 1, 1e6}}), {wan, wan});
  check_close(simulate(shipped("two-sites.xml", 8), {}, {{0, 4, 1e6}, {1, 5, 1e6}}),
              std::vector<double>(2, 10.1e-3 + 2e6 / 12.5e6));
}

TEST_CASE("the network models' figures for 100 kB over 1 MBps and 10 ms") {
  const auto platform = two_hosts("SHARED");
  const auto seconds = [&](const NetworkOptions& network) {
    return simulate(platform.options(2), network, {{0, 1, 1e5}})[0];
  };
  CHECK(seconds(model(NetworkOptions::Model::textbook)) == Approx(0.110).epsilon(1e-9));
  CHECK(seconds(model(NetworkOptions::Model::lv08)) == Approx(0.238347).epsilon(5e-6));
  CHECK(seconds(model(NetworkOptions::Model::smpi)) == Approx(0.228056).epsilon(5e-6));
  auto network = model(NetworkOptions::Model::lv08);
  network.crosstraffic = false;
  CHECK(seconds(network) == Approx(0.233193).epsilon(5e-6));
  network = {};
  network.crosstraffic = true;
  CHECK(seconds(network) == Approx(0.115).epsilon(1e-6));
}

TEST_CASE("each constant can be overridden, and the effective ones can be read") {
  const auto platform = two_hosts("SPLITDUPLEX");
  for (const auto kind :
       {NetworkOptions::Model::textbook, NetworkOptions::Model::lv08, NetworkOptions::Model::smpi}) {
    NetworkOptions network = model(kind);
    network.latency_factor = 3;
    network.bandwidth_factor = 0.5;
    network.weight_s = 0;
    network.tcp_gamma_bytes = 0;
    network.crosstraffic = false;
    check_close(simulate(platform.options(2), network, {{0, 1, 1e5}}), {0.03 + 0.2});
    const auto constants = with_platform(platform.options(2), network,
                                         [](LoadedPlatform& loaded) { return loaded.network_constants(); });
    CHECK(constants["weight_s"] == 0);
    CHECK(constants["tcp_gamma_bytes"] == 0);
    CHECK(constants["crosstraffic"] == false);
    CHECK(!constants["simgrid_version"].get<std::string>().empty());
    CHECK(constants["latency_factor"] == 3);
    CHECK(constants["bandwidth_factor"] == 0.5);
  }
  // A window of 20 kB over 10 ms one way: 1 MBps at most; 10 kB: half of that.
  NetworkOptions network;
  network.tcp_gamma_bytes = 1e4;
  check_close(simulate(platform.options(2), network, {{0, 1, 1e5}}), {0.01 + 0.2});
}

TEST_CASE("a latency that changes over time: each flow ends, and pays what holds when it starts") {
  const auto profile =
      std::filesystem::temp_directory_path() / ("isthmus-latency-" + std::to_string(::getpid()));
  std::ofstream(profile) << "0.0 0.01\n0.105 0.03\n0.5 0.01\n";
  const TemporaryPlatform platform(
      two_hosts_over + R"(<link id="wire" bandwidth="1MBps" latency="10ms" latency_file=")" +
      profile.filename().string() + R"("/><route src="a" dst="b"><link_ctn id="wire"/></route></zone>)");
  // The second one is in its latency when that changes: SimGrid then lets the data flow at once. It must not
  // be stalled.
  check_close(simulate(platform.options(2), {},
                       {{0, 1, 1e4, 0.05}, {0, 1, 1e4, 0.1}, {0, 1, 1e4, 0.2}, {0, 1, 1e4, 0.6}}),
              {0.05 + 0.01 + 0.01, 0.105 + 0.01, 0.2 + 0.03 + 0.01, 0.6 + 0.01 + 0.01});
  std::filesystem::remove(profile);
}

}  // namespace network_test
