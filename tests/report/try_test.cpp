#include <catch2/catch.hpp>

#include "tests/report/synthetic_study.hpp"
using namespace isthmus::testing;
TEST_CASE("make", "[.]") {
  SyntheticStudy s;
  s.with_traces = true;
  s.write("/tmp/report/syn");
  SyntheticStudy b;
  b.bandwidths_megabits = {1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 300, 500, 1000, 2000};
  b.latencies_milliseconds = {1, 3, 10, 30, 100, 300};
  b.seeds = 3;
  b.evaluations = 50;
  b.write("/tmp/report/big");
}
