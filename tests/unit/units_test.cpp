#include "sim/scenario/units.hpp"

#include <catch2/catch.hpp>
#include <limits>
#include <string>

#include "analysis/format.hpp"
#include "models/error.hpp"

using namespace isthmus;

namespace units_test {

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

TEST_CASE("Quantities are read by their name in the schema", "[units]") {
  CHECK(parse_quantity("bandwidth", "8Mbps") == 1e6);
  CHECK(parse_quantity("latency", "0s") == 0);
  CHECK(parse_quantity("bytes", "1KiB") == 1024);
  CHECK(parse_quantity("bytes_or_zero", "0B") == 0);
  CHECK(parse_quantity("speed", "2Gf") == 2e9);
  CHECK_THROWS_AS(parse_quantity("bytes", "0B"), InputError);
  CHECK_THROWS_AS(parse_quantity("speed", "0f"), InputError);
  CHECK_THROWS_WITH(parse_quantity("latency", "1", "/x"), Catch::StartsWith("/x: found \"1\""));
}

TEST_CASE("Quantities are written with four digits in the units of others", "[units]") {
  CHECK(format_quantity("bandwidth", 395284.7, "1Mbps", "10Gbps") == "3.162Mbps");
  CHECK(format_quantity("bandwidth", 395284.7, "1MBps", "10GBps") == "395.3kBps");
  CHECK(format_quantity("bandwidth", 395284.7, "1MBps", "10Gbps") == "3.162Mbps");
  CHECK(format_quantity("bandwidth", 131072, "1Kibps", "1Mibps") == "1Mibps");
  CHECK(format_quantity("bandwidth", 0.01, "0.001bps", "1Mbps") == "0.08bps");
  CHECK(format_quantity("bandwidth", 125e6 * 0.99996, "1bps", "2bps") == "1Gbps");
  CHECK(format_quantity("bandwidth", 125e6 * 0.99994, "1bps", "2bps") == "999.9Mbps");
  CHECK(format_quantity("latency", 0.0123456, "0s", "1s") == "12.35ms");
  CHECK(format_quantity("latency", 1.5e-10, "0s", "1s") == "0.15ns");
  CHECK(format_quantity("latency", 12346, "1s", "1e9s") == "12350s");
  CHECK(format_quantity("bytes", 1536, "1KiB", "2KiB") == "1.5KiB");
  CHECK(format_quantity("bytes", 1536, "1KiB", "2kB") == "1.536kB");
  CHECK(format_quantity("bytes", 1536, "512B", "2KiB") == "1.5KiB");
  CHECK(format_quantity("bytes_or_zero", 0, "0B", "2KiB") == "0B");
  CHECK(format_quantity("speed", 2.5e12, "1Gf", "1 Tf") == "2.5Tf");
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

}  // namespace units_test
