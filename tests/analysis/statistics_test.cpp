#include <boost/math/distributions/students_t.hpp>
#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "analysis/statistics/contour.hpp"
#include "analysis/statistics/crossover.hpp"
#include "analysis/statistics/difference.hpp"
#include "analysis/statistics/front.hpp"
#include "analysis/statistics/interval.hpp"
#include "tests/analysis/study_files.hpp"

using namespace isthmus::analysis;
using isthmus::testing::StudyFolder;
using isthmus::testing::WrittenRun;

namespace statistics_test {

TEST_CASE("A mean's confidence interval is Student's") {
  const std::vector<double> values = {1, 2, 3, 4, 5};
  const Interval interval = mean_interval(values);
  // t(4 degrees of freedom, 97.5 %) = 2.776445 from printed tables; s = sqrt(2.5).
  const double half = 2.776445 * std::sqrt(2.5) / std::sqrt(5.0);
  CHECK(interval.mean == Approx(3));
  CHECK(interval.low == Approx(3 - half).epsilon(1e-6));
  CHECK(interval.high == Approx(3 + half).epsilon(1e-6));
  CHECK(interval.n == 5);

  const Interval single = mean_interval(std::vector<double>{7});
  CHECK(single.low == 7);
  CHECK(single.high == 7);
  CHECK_THROWS_AS(mean_interval(std::vector<double>{}), std::logic_error);
}

TEST_CASE("An interval of ratios is the same whichever way round they are taken") {
  const std::vector<double> ratios = {1.5, 2, 4}, inverse = {1 / 1.5, 0.5, 0.25};
  const Interval forth = geometric_interval(ratios), back = geometric_interval(inverse);
  CHECK(forth.mean == Approx(std::cbrt(12.0)));
  CHECK(back.mean == Approx(1 / forth.mean));
  CHECK(back.low == Approx(1 / forth.high));
  CHECK(back.high == Approx(1 / forth.low));
  CHECK_THROWS_AS(geometric_interval(std::vector<double>{1, 0}), std::logic_error);
}

TEST_CASE("The crossing of two lines in log-log is exact") {
  // 300 x^-1 and 3 x^-0.5 are equal at x = 10^4.
  std::vector<TimePair> pairs;
  for (const double x : {1e2, 3e3, 7e4, 1e6}) pairs.push_back({x, 300 / x, 3 / std::sqrt(x)});
  const auto ties = crossings(pairs);
  REQUIRE(ties.size() == 1);
  CHECK(ties[0] == Approx(1e4).epsilon(1e-9));
}

TEST_CASE("The crossing of latency-plus-size-over-bandwidth times is found to 1 %") {
  // 2 + 400/x and 5 + 40/x are equal at x = 120.
  std::vector<TimePair> pairs;
  for (const double x : {1, 3, 10, 30, 100, 300, 1000})
    pairs.push_back({double(x), 2 + 400.0 / x, 5 + 40.0 / x});
  const auto ties = crossings(pairs);
  REQUIRE(ties.size() == 1);
  CHECK(ties[0] == Approx(120).epsilon(0.01));
}

TEST_CASE("Ties at swept values, several ties, and none") {
  using Pairs = std::vector<TimePair>;
  CHECK(crossings(Pairs{{1, 2, 1}, {10, 1, 1}, {100, 1, 2}}) == std::vector<double>{10});
  CHECK(crossings(Pairs{{1, 2, 1}, {10, 3, 1}}).empty());
  CHECK(crossings(Pairs{{1, 2, 1}, {10, 1, 2}, {100, 2, 1}}).size() == 2);
  CHECK(crossings(Pairs{}).empty());
}

TEST_CASE("Crossovers of a study: seed by seed, with an interval over seeds") {
  StudyFolder study;
  // Data parallel takes k/x seconds at x bits per second, IST 1 second: a tie at x = k.
  const std::vector<double> ties = {2e6, 3e6, 5e6};
  for (int seed = 1; seed <= 3; ++seed) {
    for (const double megabits : {1, 10, 100}) {
      WrittenRun run;
      run.bandwidth = std::to_string(static_cast<int>(megabits)) + "Mbps";
      run.seed = seed;
      run.seconds_to_target = ties[static_cast<std::size_t>(seed - 1)] / (megabits * 1e6);
      study.add(run);
      run.protocol = {{"kind", "ist"}};
      run.seconds_to_target = 1;
      study.add(run);
    }
  }
  const Dataset data = read_dataset({study.path()});
  const auto found =
      find_crossovers(data, data.find_axis("bandwidth").value(), *time_measure(data), "Data parallel");
  REQUIRE(found.size() == 1);
  CHECK(found[0].other == "IST");
  CHECK(found[0].faster_below == "IST");
  CHECK(found[0].faster_above == "Data parallel");
  REQUIRE(found[0].by_seed.size() == 3);
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(found[0].by_seed[i] == Approx(ties[i]).epsilon(1e-9));
    sum += std::log(ties[i]);
  }
  for (const double tie : ties) squares += std::pow(std::log(tie) - sum / 3, 2);
  const double half = 4.30265273 * std::sqrt(squares / 2 / 3);  // t(2, 97.5 %)
  CHECK(found[0].interval->mean == Approx(std::cbrt(30.0) * 1e6));
  CHECK(found[0].interval->low == Approx(std::exp(sum / 3 - half)).epsilon(1e-6));
  CHECK(found[0].interval->high == Approx(std::exp(sum / 3 + half)).epsilon(1e-6));
}

TEST_CASE("Where curves are equal there is no tie, and nobody is faster") {
  using Pairs = std::vector<TimePair>;
  const auto is = [](const Stretch& stretch, double from, double to) {
    return stretch.from == from && stretch.to == to;
  };
  const Pairs throughout = {{1, 2, 2}, {10, 3, 3.01}, {100, 4, 4}};
  CHECK(crossings(throughout).empty());
  REQUIRE(equal_stretches(throughout).size() == 1);
  CHECK(is(equal_stretches(throughout)[0], 1, 100));

  // b is faster below, a above, and between they are equal: no single point is where they tie.
  const Pairs between = {{1, 4, 2}, {10, 3, 3}, {100, 3, 3.001}, {1000, 1, 2}};
  CHECK(crossings(between).empty());
  REQUIRE(equal_stretches(between).size() == 1);
  CHECK(is(equal_stretches(between)[0], 10, 100));

  const Pairs at_an_end = {{1, 2, 2}, {10, 3, 2}, {100, 4, 2}};
  CHECK(crossings(at_an_end).empty());
  REQUIRE(equal_stretches(at_an_end).size() == 1);
  CHECK(is(equal_stretches(at_an_end)[0], 1, 1));

  // A touch is no change of sides; a crossing after an equal stretch is one.
  CHECK(crossings(Pairs{{1, 3, 2}, {10, 2, 2.01}, {100, 3, 2}}).empty());
  CHECK(crossings(Pairs{{1, 2, 2}, {10, 2, 2}, {100, 3, 2}, {1000, 2, 3}}).size() == 1);
  CHECK(equal_stretches(Pairs{{1, 2, 1}, {10, 1, 1}, {100, 1, 2}}).empty());
}

TEST_CASE("Crossovers of a protocol with its twin: equal throughout, in every seed") {
  StudyFolder study;
  for (int seed = 1; seed <= 2; ++seed) {
    for (const int megabits : {1, 10, 100}) {
      WrittenRun run;
      run.bandwidth = std::to_string(megabits) + "Mbps";
      run.seed = seed;
      run.seconds_to_target = seed + 50.0 / megabits;
      study.add(run);
      run.protocol = {{"kind", "post_local_sgd"}};
      study.add(run);
    }
  }
  const Dataset data = read_dataset({study.path()});
  const auto found = find_crossovers(data, 0, *time_measure(data), "Data parallel");
  REQUIRE(found.size() == 1);
  CHECK(found[0].equal_throughout());
  CHECK(!found[0].interval);
  CHECK(found[0].faster_below.empty());
  CHECK(found[0].faster_above.empty());
}

TEST_CASE("Speed-ups over and of times that are upper bounds are bounds, or none") {
  const Times exact{.by_seed = {{"1", 8}}, .n = 1}, bound{.by_seed = {{"1", 2}}, .at_most = 1, .n = 1};
  CHECK(speedups(exact, bound).bound == Bound::at_least);
  CHECK(verdict(speedups(exact, bound)) == Verdict::faster);
  CHECK(speedups(bound, exact).bound == Bound::at_most);
  CHECK(verdict(speedups(bound, exact)) == Verdict::slower);
  CHECK(speedups(bound, bound).by_seed.empty());
  CHECK(verdict(speedups(bound, bound)) == Verdict::open);
  const Times quick{.by_seed = {{"1", 1}}, .n = 1};
  CHECK(verdict(speedups(quick, bound)) == Verdict::open);  // at least half as fast: who knows
  CHECK(verdict(speedups(exact, quick)) == Verdict::faster);
  CHECK(verdict(speedups(exact, Times{.by_seed = {{"1", 7.9}}, .n = 1})) == Verdict::level);
  CHECK(verdict(speedups(exact, Times{})) == Verdict::none);
}

TEST_CASE("Seeds that disagree tell nothing apart") {
  CHECK(tells_apart(std::vector<double>{0.5}, 0.02));
  CHECK(!tells_apart(std::vector<double>{-0.01}, 0.02));
  CHECK(tells_apart(std::vector<double>{0.5, 0.51, 0.49}, 0.02));
  CHECK(!tells_apart(std::vector<double>{0.5, -0.4, 0.3}, 0.02));
  CHECK(tells_apart(std::vector<double>{0.5, 0.3}, 0.02));
  CHECK(!tells_apart(std::vector<double>{0.5, -0.3}, 0.02));
}

TEST_CASE("Factors to two digits, none but 1 reads as 1.0") {
  CHECK(format_factor(1.032) == "1.03");
  CHECK(format_factor(0.968) == "0.97");
  CHECK(format_factor(1) == "1.00");
  CHECK(format_factor(1.44) == "1.4");
  CHECK(format_factor(0.34) == "0.3");
  CHECK(format_factor(0.034) == "0.034");
  CHECK(format_factor(9.97) == "10");
  CHECK(format_factor(1734) == "1700");
}

TEST_CASE("A contour of a plane is its line, and a square with a hole has none") {
  // x - y - 0.5 is zero on y = x - 0.5.
  std::vector<std::vector<double>> plane(3, std::vector<double>(4));
  for (std::size_t y = 0; y < 3; ++y) {
    for (std::size_t x = 0; x < 4; ++x) plane[y][x] = double(x) - double(y) - 0.5;
  }
  const auto segments = zero_contour(plane);
  double length = 0;
  for (const Segment& s : segments) {
    CHECK(s.y == Approx(s.x - 0.5));
    CHECK(s.y2 == Approx(s.x2 - 0.5));
    length += std::hypot(s.x2 - s.x, s.y2 - s.y);
  }
  CHECK(length == Approx(2 * std::sqrt(2.0)));  // from (0.5, 0) to (2.5, 2)

  plane[1][1] = NAN;
  double rest = 0;
  for (const Segment& s : zero_contour(plane)) rest += std::hypot(s.x2 - s.x, s.y2 - s.y);
  CHECK(rest < length);
}

TEST_CASE("The Pareto front is what nothing dominates") {
  std::mt19937 random(7);
  std::uniform_int_distribution<int> value(0, 20);
  std::vector<CostAndGain> points;
  for (int i = 0; i < 60; ++i) points.push_back({double(value(random)), double(value(random))});
  const auto front = pareto_front(points);
  for (std::size_t i = 0; i < points.size(); ++i) {
    bool dominated = false, twin_before = false;
    for (std::size_t j = 0; j < points.size(); ++j) {
      const auto &a = points[i], &b = points[j];
      dominated = dominated || (b.cost <= a.cost && b.gain >= a.gain && (b.cost < a.cost || b.gain > a.gain));
      twin_before = twin_before || (j < i && b.cost == a.cost && b.gain == a.gain);
    }
    const bool on_front = std::find(front.begin(), front.end(), i) != front.end();
    CHECK(on_front == (!dominated && !twin_before));
  }
}

}  // namespace statistics_test
