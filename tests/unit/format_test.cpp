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
}

}  // namespace isthmus

}  // namespace format_test
