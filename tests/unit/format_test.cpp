#include "analysis/format.hpp"

#include <catch2/catch.hpp>

namespace format_test {

namespace isthmus {

TEST_CASE("durations have two units, in whole numbers of the smaller") {
  CHECK(format_duration(0) == "0 s");
  CHECK(format_duration(0.25) == "250 ms");
  CHECK(format_duration(9.994) == "9.99 s");
  CHECK(format_duration(45.4) == "45 s");
  CHECK(format_duration(60) == "1 min 0 s");
  CHECK(format_duration(119.6) == "2 min 0 s");
  CHECK(format_duration(200) == "3 min 20 s");
  CHECK(format_duration(5 * 3600 + 12 * 60 + 10) == "5 h 12 min");
  CHECK(format_duration(4 * 86400 + 3 * 3600) == "4 d 3 h");
  CHECK(format_duration(999 * 86400) == "999 d 0 h");
  CHECK(format_duration(10 * 365.25 * 86400) == "10 years");
  CHECK(format_duration(1.5e300) == "4.75e+292 years");
}

TEST_CASE("times are short, however long they are") {
  CHECK(format_seconds(0) == "0 s");
  CHECK(format_seconds(1.5e-4) == "150 us");
  CHECK(format_seconds(999999) == "999999 s");
  CHECK(format_seconds(1e6) == "11.6 d");
  CHECK(format_seconds(999 * 86400) == "999 d");
  CHECK(format_seconds(2000 * 86400) == "5.48 years");
  CHECK(format_seconds(1e5 * 365.25 * 86400) == "100000 years");
  CHECK(format_seconds(8.6e62) == "2.73e+55 years");
  for (double seconds = 1e-300; seconds < 1e305; seconds *= 9.7) {
    CHECK(format_seconds(seconds).size() < 20);
    CHECK(format_duration(seconds).size() < 20);
  }
}

}  // namespace isthmus

}  // namespace format_test
