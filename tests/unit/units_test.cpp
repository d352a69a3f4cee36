#include "sim/scenario/units.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <string>

#include "analysis/format.hpp"
#include "models/error.hpp"

using namespace isthmus;

TEST_CASE("Bandwidths are bytes per second", "[units]") {
  CHECK(parse_bandwidth("100Mbps") == 12.5e6);
  CHECK(parse_bandwidth("12.5MBps") == 12.5e6);
  CHECK(parse_bandwidth("8bps") == 1);
  CHECK(parse_bandwidth("0.1Gbps") == 12.5e6);
  CHECK(parse_bandwidth("1 Gbps") == 125e6);
  CHECK(parse_bandwidth("1Kibps") == 128);
  CHECK(parse_bandwidth("2MiBps") == 2 * 1024 * 1024);
  CHECK(parse_bandwidth("1e3kBps") == 1e6);
}

TEST_CASE("Latencies are seconds, and may be 0", "[units]") {
  CHECK(parse_latency("1ms") == 1e-3);
  CHECK(parse_latency("50us") == 50e-6);
  CHECK(parse_latency("3ns") == 3e-9);
  CHECK(parse_latency("0.25s") == 0.25);
  CHECK(parse_latency("0s") == 0);
}

TEST_CASE("Bytes are whole", "[units]") {
  CHECK(parse_bytes("16GiB") == 16ULL << 30U);
  CHECK(parse_bytes("1.5KiB") == 1536);
  CHECK(parse_bytes("12GB") == 12000000000ULL);
  CHECK(parse_bytes("7B") == 7);
  CHECK(parse_bytes("0.1kB") == 100);
  CHECK(parse_bytes("0B", "", Zero::allowed) == 0);
}

TEST_CASE("Speeds are FLOP per second", "[units]") {
  CHECK(parse_speed("5Gf") == 5e9);
  CHECK(parse_speed("1.5Tf") == 1.5e12);
  CHECK(parse_speed("3f") == 3);
}

TEST_CASE("What is no quantity is refused", "[units]") {
  for (const char* text :
       {"", " ", "100", "Mbps", "100Mb", "100mbps", "-1Mbps", "0Mbps", "nanMbps", "infMbps", "1e400Mbps",
        "0x1Mbps", "+1Mbps", " 1Mbps", "1Mbps ", "1  Mbps", "--1Mbps", "1Mbpsx"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(parse_bandwidth(text), InputError);
  }
  for (const char* text : {"-1ms", "1m", "1", "1kB", "infs"})
    CHECK_THROWS_AS(parse_latency(text), InputError);
  for (const char* text : {"0B", "0.1B", "1e30TiB", "16Gib", "16G"})
    CHECK_THROWS_AS(parse_bytes(text), InputError);
  for (const char* text : {"0f", "5GHz", "5Kif", "5"}) CHECK_THROWS_AS(parse_speed(text), InputError);
}

TEST_CASE("A refusal names place, finding, units and an example", "[units]") {
  CHECK_THROWS_WITH(
      parse_bytes("16", "/platform/memory"),
      "/platform/memory: found \"16\", which has no unit; expected a number of bytes with its unit, "
      "such as \"16GiB\" (units: B, kB, MB, GB, TB, PB, KiB, MiB, GiB, TiB)");
  CHECK_THROWS_WITH(parse_speed("0Gf"), "found \"0Gf\"; must be greater than 0");
}

TEST_CASE("Quantities print with three digits and the prefix that fits", "[units]") {
  CHECK(format_bytes(12345678) == "12.3 MB");
  CHECK(format_bytes(0) == "0 B");
  CHECK(format_bytes(999) == "999 B");
  CHECK(format_bytes(999.7e3) == "1 MB");
  CHECK(format_bytes(5e18) == "5000 PB");
  CHECK(format_bandwidth(12.5e6) == "100 Mbps");
  CHECK(format_bandwidth(1.25e9) == "10 Gbps");
  CHECK(format_seconds(1.234) == "1.23 s");
  CHECK(format_seconds(4.5e-3) == "4.5 ms");
  CHECK(format_seconds(50e-6) == "50 us");
  CHECK(format_seconds(0.9996) == "1 s");
  CHECK(format_seconds(12345) == "12345 s");
  CHECK(format_seconds(0) == "0 s");
  CHECK(format_seconds(std::numeric_limits<double>::infinity()) == "inf s");
  CHECK(format_speed(5e9) == "5 Gf");
  CHECK(format_count(1863690) == "1.86 M");
  CHECK(format_count(7) == "7");
}
